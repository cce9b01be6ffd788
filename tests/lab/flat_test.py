#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The judge of an hour of churn (flat.py), tried on hours that are made up: it must find a leak of
one chunk a minute, and say nothing of small numbers that breathe."""
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import flat  # noqa: E402

HOUR = 3600


def poisson(dice, expected):
    """A small random count: what is in flight where arrivals know nothing of each other."""
    count, left = 0, dice.random()
    limit = math.exp(-expected)
    while left > limit:
        count, left = count + 1, left * dice.random()
    return count


def made(seconds=HOUR, seed=1, **change):
    """Samples of a healthy run: seven connections and three chunks that breathe slowly by a tenth,
    stalls of a second now and then. change: key -> function of (second, healthy value)."""
    dice = random.Random(seed)
    samples = []
    for at in range(1, seconds + 1):
        stall = 5 if dice.random() < 1 / 600 else 1
        breath = (1 + 0.12 * math.sin(at / 400)) * stall
        sample = {"at": float(at), "rss_kb": 64000 + (200 if at > 900 else 0),
                  "connections": poisson(dice, 7 * breath), "chunks": poisson(dice, 3 * breath),
                  "time_waits": 2600 + dice.randrange(-80, 80)}
        for key, function in change.items():
            sample[key] = function(at, sample[key])
        samples.append(sample)
    return samples


class Flat(unittest.TestCase):
    def says(self, word, samples, seconds=HOUR):
        words = flat.judge("it", samples, seconds)
        self.assertTrue(any(word in line for line in words), words)

    def is_silent(self, samples, seconds=HOUR):
        self.assertEqual(flat.judge("it", samples, seconds), [])

    def test_healthy(self):
        for seed in range(20):
            self.is_silent(made(seed=seed))

    def test_leak_of_a_chunk_a_minute(self):
        for seed in range(5):
            self.says("chunks", made(seed=seed, chunks=lambda at, n: n + at // 60))

    def test_leak_of_a_chunk_in_ten_minutes(self):
        self.says("chunks never falls", made(chunks=lambda at, n: n + at // 600))

    def test_leak_of_a_connection_a_minute(self):
        self.says("connections", made(connections=lambda at, n: n + at // 60))

    def test_twice_as_many_from_some_time_on(self):
        self.says("connections is", made(connections=lambda at, n: n * (3 if at > 1800 else 1)))

    def test_memory(self):
        self.is_silent(made(rss_kb=lambda at, n: n * (1.04 if at > 3000 else 1)))
        self.says("rss_kb", made(rss_kb=lambda at, n: n * (1.06 if at > 3000 else 1)))
        self.says("rss_kb", made(rss_kb=lambda at, n: n * (0.94 if at > 3000 else 1)))
        self.says("rss_kb", made(rss_kb=lambda at, n: n * (1.06 if at == 2000 else 1)))

    def test_memory_of_the_warm_up(self):
        self.is_silent(made(rss_kb=lambda at, n: n // 2 if at < 100 else n))

    def test_time_waits(self):
        self.says("time_waits", made(time_waits=lambda at, n: n * 1.06 if at > 2500 else n))

    def test_short_runs_judge_memory_alone(self):
        self.is_silent(made(60, chunks=lambda at, n: n + at), 60)
        self.says("rss_kb", made(60, rss_kb=lambda at, n: n + 200 * at), 60)

    def test_no_samples(self):
        self.says("no samples", made(100))


if __name__ == "__main__":
    unittest.main(verbosity=2)
