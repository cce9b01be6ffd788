#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run many seeds of the simulator, on two processes, and sum up in one line.

    run.py COUNT [FIRST] [--jobs N] [--sim PATH]

COUNT seeds from FIRST (1) on, in blocks; each failing seed is printed as it is found. The last
line is `commit C, seeds A to B: N run, N failed, N a second`. Exit status 0: none failed. Seeds
that fail go to tests/sim/seeds.txt for good.
"""
import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = 1000


def commit():
    """The commit of the tree, with a + where files were changed."""
    asked = ["git", "-C", TOP, "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def run_block(sim, first, count):
    """(seeds run, lines of failures): a block that dies is looked at seed by seed."""
    done = subprocess.run([sim, str(first), str(count)], capture_output=True, text=True,
                          check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("seed ")]
    if done.returncode in (0, 1) and f"{count} seeds, " in done.stdout:
        return count, lines
    if count == 1:
        words = done.stderr.strip().splitlines()
        return 1, [f"seed {first}: ended by {done.returncode}: {words[-1] if words else ''}"]
    half = count // 2
    left, right = run_block(sim, first, half), run_block(sim, first + half, count - half)
    return left[0] + right[0], left[1] + right[1]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int)
    parser.add_argument("first", type=int, nargs="?", default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sim", default=os.path.join(TOP, "build", "tests", "sim", "sim"))
    asked = parser.parse_args(arguments)
    if asked.count < 1 or asked.first < 0 or asked.jobs < 1:
        parser.error("at least one seed, from 0 on, and one process")
    if not os.access(asked.sim, os.X_OK):
        parser.error(f"no simulator at {asked.sim}; `ninja -C build tests/sim/sim` builds it")
    end, began, ran, failed = asked.first + asked.count, time.monotonic(), 0, 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        blocks = range(asked.first, end, BLOCK)
        for count, lines in pool.map(
                lambda at: run_block(asked.sim, at, min(BLOCK, end - at)), blocks):
            ran, failed = ran + count, failed + len(lines)
            for line in lines:
                print(line, flush=True)
    rate = ran / max(time.monotonic() - began, 0.001)
    print(f"commit {commit()}, seeds {asked.first} to {end - 1}: {ran} run, {failed} failed, "
          f"{rate:.0f} a second")
    return 1 if failed or ran != asked.count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
