# SPDX-License-Identifier: BSD-2-Clause
"""Is what was sampled flat? The judge of churn.py, by itself, so that series made up on purpose can
try it (flat_test.py).

Memory has to stay within TOLERANCE of the first sample after the warm-up, at every sample. The
rest breathes, and is judged by windows, a WINDOWS-th of the time each. TIME-WAIT records are
thousands: their means stay within TOLERANCE. Connections in flight and the chunks that they hold
are a handful, and a machine that stalls for a second doubles them: their means may move by as many
as there are connections in flight beside. What leaks never comes back, so that it raises the least
of a window as well: that may grow by no more than chance does, one and the root of what is in
flight.
"""
TOLERANCE, WARM_UP = 0.05, 120
WINDOWS = 6
POOLS_SECONDS = 2 * WARM_UP  # TIME-WAIT takes a minute to fill


def mean(values):
    return sum(values) / len(values)


def farthest(values):
    """The one that is farthest from the first."""
    return max(values, key=lambda value: abs(value - values[0]))


def windows(samples, key):
    size = max(1, len(samples) // WINDOWS)
    return [[s[key] for s in samples[i:i + size]]
            for i in range(0, size * (len(samples) // size), size)]


def judge_breath(name, key, parts, slack):
    """Means of windows, against the first, within TOLERANCE and some more."""
    means = [mean(part) for part in parts]
    worst = farthest(means)
    if abs(worst - means[0]) > TOLERANCE * means[0] + slack:
        return [f"{name}: {key} is {worst:.1f}, and was {means[0]:.1f} after the warm-up"]
    return []


def judge_floor(name, key, parts, in_flight):
    """The least of each window: a leak lifts it."""
    least = [min(part) for part in parts]
    if max(least) - least[0] > 1 + in_flight ** 0.5:
        return [f"{name}: {key} never falls below {max(least)}, and did to {least[0]}"]
    return []


def judge_pools(name, kept):
    in_flight = mean(windows(kept, "connections")[0])
    words = judge_breath(name, "time_waits", windows(kept, "time_waits"), 0)
    for key in ("connections", "chunks"):
        parts = windows(kept, key)
        words += judge_breath(name, key, parts, in_flight)
        words += judge_floor(name, key, parts, in_flight)
    return words


def judge(name, samples, seconds):
    """Words on what grew or shrank since the warm-up; empty where nothing did."""
    kept = [s for s in samples if min(WARM_UP, seconds / 2) < s["at"] <= seconds]
    if not kept:
        return [f"{name}: no samples after the warm-up"]
    words = judge_breath(name, "rss_kb", [[s["rss_kb"]] for s in kept], 0)
    return words + (judge_pools(name, kept) if seconds >= POOLS_SECONDS else [])


def told(name, samples, seconds):
    """A line for each figure: means and least values of the windows."""
    kept = [s for s in samples if min(WARM_UP, seconds / 2) < s["at"] <= seconds]
    return [f"{name}: {key}: " + " ".join(f"{mean(part):.1f} ({min(part)})"
                                          for part in windows(kept, key))
            for key in ("rss_kb", "connections", "time_waits", "chunks") if kept]
