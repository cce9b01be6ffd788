#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measure tern against the kernel (and lwIP, and curl), taking turns on the same machine.

    ./bench                     every workload, five pairs of runs each: some 25 minutes
    ./bench --quick             three pairs of short runs: some 6 minutes
    ./bench --only WORD         the workloads whose names contain the word; may be given again
    ./bench --list              their names
    ./bench --json FILE         the runs, for programs
    ./bench --plot FILE.svg     the ratios as a picture
    ./bench --pairs N           so many pairs
    ./bench --seconds N         so long a run

Everything happens in network namespaces of its own, as root or as a plain user who may make them.
How to read it: docs/internals/benchmarks.md.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests", "lab")]
sys.dont_write_bytecode = True

import alone  # noqa: E402
import ground  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import run as lab_run  # noqa: E402
import world  # noqa: E402
import workloads  # noqa: E402


def arguments(words):
    parser = argparse.ArgumentParser(prog="./bench", usage=__doc__, add_help=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--json")
    parser.add_argument("--plot")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--seconds")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    options.pairs = options.pairs or (3 if options.quick else 5)
    options.seconds = options.seconds or ("0.6" if options.quick else "3")
    return options


def chosen(options, titles):
    return [t for t in titles if not options.only or any(w in t for w in options.only)]


def measure(workload, place, pairs):
    """Runs in turns, each pair the other way round than the last."""
    runs = ([], [])
    sides = [side for side in (workload.tern, workload.rival) if side]
    for i in range(pairs):
        for side in (sides if i % 2 == 0 else sides[::-1]):
            runs[sides.index(side)].append(side(place))
    return report.Row(workload, *runs)


def one_workload(workload, place, pairs):
    """A row, or why there is none."""
    if workload.needs_tap and not place.has_tap:
        return report.Missing(workload, "/dev/net/tun is not to be opened by this user")
    try:
        if workload.before:
            workload.before(place)
        return measure(workload, place, pairs)
    except (world.Failed, world.Skipped, subprocess.TimeoutExpired, KeyError, ValueError) as why:
        return report.Missing(workload, str(why))
    finally:
        if workload.after:
            workload.after(place)


def inside(options):
    """In the namespaces: measure, and print each row as it comes."""
    alone.prepare()
    lab = world.World(options.inside)
    rows = []
    try:
        place = ground.Ground(lab, options)
        todo = workloads.everything()
        report.head()
        for title in chosen(options, [w.title() for w in todo]):
            workload = next(w for w in todo if w.title() == title)
            rows.append(one_workload(workload, place, options.pairs))
            report.line(rows[-1])
        for row in programs.measure(options):
            rows.append(row)
            report.line(row)
    finally:
        lab.close()
    return report.finish(rows, options)


def interrupted(_number, _frame):
    raise KeyboardInterrupt


def outside(options, words):
    """Namespaces, and ourselves in them."""
    why = lab_run.refusal()
    if why:
        print(f"bench: no namespaces here: {why}", file=sys.stderr)
        return 1
    folder = tempfile.mkdtemp(prefix="tern-bench-", dir=lab_run.on_disk())
    os.chmod(folder, 0o755)
    for name in ("json", "plot"):
        path = getattr(options, name)
        if path:
            words += [f"--{name}", os.path.abspath(path)]
    command = ["/usr/bin/python3", os.path.abspath(__file__), *words, "--inside", folder]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    try:  # what runs in the namespaces ends with the first process of theirs
        return subprocess.run(lab_run.own_namespaces(command), check=False).returncode
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(words):
    options = arguments(words)
    if options.help:
        print(__doc__.strip())
        return 0
    if options.list:
        titles = [w.title() for w in workloads.everything()] + programs.titles()
        print("\n".join(chosen(options, titles)))
        return 0
    return inside(options) if options.inside else outside(options, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
