#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Put one bug after the other into the stack, and see after how many seeds the simulator finds it.

    bugs.py                 all of bugs.txt, up to 5,000 seeds each
    bugs.py WORD...         those whose names contain a word
    bugs.py --control       the sources as they are, which 200 seeds must not object to, and the
                            first bug, which must be found
    bugs.py --write         all, and write the table docs/internals/sim-bugs.md

Works on a copy of the sources in a temporary directory. Exit status 0: each bug was found. The
list is written as tests/script/mutations.txt is.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "script"))
sys.dont_write_bytecode = True

import mutate  # noqa: E402

LIST = os.path.join(HERE, "bugs.txt")
TABLE = os.path.join(TOP, "docs", "internals", "sim-bugs.md")
TARGET = "tests/sim/sim"
SEEDS_MAX = 5000
CONTROL_SEEDS = 200


def first_failure(top, count):
    """(seed, words) of the first seed that fails; (0, "") where none does."""
    sim = os.path.join(top, "build", TARGET)
    with subprocess.Popen([sim, "1", str(count)], stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if line.startswith("seed "):
                child.kill()
                number, words = line.split(" ", 2)[1:]
                return int(number), words.split(": ", 1)[1].split("; ")[0]
    if child.returncode != 0:
        raise RuntimeError(f"sim ended with {child.returncode}, and told no seed")
    return 0, ""


def attempt(top, bug):
    """(error, seed, words)"""
    path = os.path.join(top, bug.path)
    with open(path) as source:
        before = source.read()
    after = mutate.mutated(before, bug)
    if after is None:
        return "its lines do not stand in the source just once", 0, ""
    with open(path, "w") as out:
        out.write(after)
    try:
        if not mutate.build(top, TARGET):
            return "does not compile", 0, ""
        return ("", *first_failure(top, SEEDS_MAX))
    finally:
        with open(path, "w") as out:
            out.write(before)


def table(rows):
    """docs/internals/sim-bugs.md"""
    lines = ["# Bugs put in on purpose, and the seed that found each", "",
             "Made by `tests/sim/bugs.py --write`, some two minutes. Each change of the list",
             "`tests/sim/bugs.txt` was made in a copy of the sources, and the simulator ran the",
             "seeds from 1 on until one failed. A bug that 5,000 seeds do not find is a hole in",
             "the simulator.", "", "| bug | what was done | found by seed | as |",
             "|---|---|---|---|"]
    for bug, seed, words in rows:
        said = words.replace("|", "\\|")
        lines.append(f"| {bug.name} | {bug.words} | {seed or '**none**'} | {said} |")
    found = sum(1 for _, seed, _ in rows if seed)
    lines += ["", f"{len(rows)} tried, {found} found.", ""]
    with open(TABLE, "w") as out:
        out.write("\n".join(lines))


def main(arguments):
    words = [a for a in arguments if not a.startswith("-")]
    bugs = [b for b in mutate.read_list(LIST) if not words or any(w in b.name for w in words)]
    wrong = mutate.refusal(arguments, ("--control", "--write"), words, bugs)
    if wrong:
        print(f"bugs.py: {wrong}", file=sys.stderr)
        return 2
    control = "--control" in arguments
    bad, rows = 0, []
    with tempfile.TemporaryDirectory(prefix="tern-bugs-") as folder:
        top = os.path.join(folder, "tern")
        mutate.copy_of_sources(top)
        if not mutate.build(top, TARGET) or first_failure(top, CONTROL_SEEDS)[0]:
            print("FAIL the sources as they are")
            return 1
        print("ok   the sources as they are", flush=True)
        for bug in bugs[:1] if control else bugs:
            error, seed, found = attempt(top, bug)
            bad += 0 if seed else 1
            said = error or (f"seed {seed}: {found}" if seed else "not found")
            print(f"{'ok  ' if seed else 'FAIL'} {bug.name}: {said}", flush=True)
            rows.append((bug, seed, found))
    print(f"{len(rows) - bad} found, {bad} not")
    if "--write" in arguments:
        table(rows)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
