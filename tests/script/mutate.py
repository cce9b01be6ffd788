#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Break one mechanism at a time, and see which packet scripts notice.

    mutate.py                   all of mutations.txt; some ten minutes on two cores
    mutate.py WORD...           those whose names contain a word
    mutate.py --control         three only, in a minute: the sources as they are, which no script
                                may object to; a change that changes nothing, the same; and one
                                mechanism broken, which a script must notice
    mutate.py --write           all, and write the table docs/rfc/mutations.md

Works on a copy of the sources in a temporary directory. Exit status 0: as it should be.

mutations.txt holds blocks of lines: `# name: what is broken`, then `@ path of the source`, then
lines of the source with `-` before them, once and as they stand there, then what takes their place
with `+` before it. Leading white space does not matter.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LIST = os.path.join(HERE, "mutations.txt")
TABLE = os.path.join(TOP, "docs", "rfc", "mutations.md")
SCRIPT_SECONDS = 60


class Mutation:
    def __init__(self, name, words):
        self.name, self.words, self.path, self.old, self.new = name, words, "", [], []


def read_list():
    """The mutations of the list, in its order."""
    found = []
    with open(LIST) as source:
        for number, line in enumerate(source, 1):
            line = line.rstrip("\n")
            kind, rest = line[:1], line[1:].strip()
            if kind == "#":
                name, _, words = rest.partition(": ")
                found.append(Mutation(name, words))
            elif kind == "@":
                found[-1].path = rest
            elif kind in ("-", "+"):
                (found[-1].old if kind == "-" else found[-1].new).append(rest)
            elif line.strip():
                sys.exit(f"{LIST}:{number}: not understood")
    return found


def mutated(text, mutation):
    """The source with the change, or None where the old lines do not stand there just once."""
    lines = text.split("\n")
    bare = [line.strip() for line in lines]
    size = len(mutation.old)
    places = [i for i in range(len(lines)) if size and bare[i:i + size] == mutation.old]
    if len(places) != 1:
        return None
    at = places[0]
    return "\n".join(lines[:at] + mutation.new + lines[at + size:])


def build(top):
    """Whether script_run of the copy builds."""
    done = subprocess.run(["ninja", "-C", os.path.join(top, "build"), "-j2",
                           "tests/script/script_run"], capture_output=True, text=True, check=False)
    return done.returncode == 0


def complains(top, script):
    """Whether a script fails: what it asks for does not happen, an assertion trips, no end."""
    run = os.path.join(top, "build", "tests", "script", "script_run")
    try:
        done = subprocess.run([run, script], capture_output=True, timeout=SCRIPT_SECONDS,
                              check=False)
        return done.returncode != 0
    except subprocess.TimeoutExpired:
        return True


def failing(top):
    folder = os.path.join(top, "tests", "script")
    scripts = sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".script"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda s: complains(top, s), scripts))
    return [os.path.basename(s)[:-7] for s, bad in zip(scripts, verdicts) if bad]


def copy_of_sources(top):
    shutil.copytree(TOP, top, ignore=shutil.ignore_patterns("build*", ".git", "__pycache__"))
    setup = ["meson", "setup", os.path.join(top, "build"), top, "-Dwerror=false"]
    if subprocess.run(setup, capture_output=True, check=False).returncode != 0:
        sys.exit("the copy of the sources cannot be configured")


def first_words(names):
    """The script that says it best: of the same RFC and section as others, so just the first."""
    return names[0] if names else ""


def attempt(top, mutation):
    """(error, scripts that noticed)"""
    path = os.path.join(top, mutation.path)
    with open(path) as source:
        before = source.read()
    after = mutated(before, mutation)
    if after is None:
        return "its lines do not stand in the source just once", []
    with open(path, "w") as out:
        out.write(after)
    try:
        return ("", failing(top)) if build(top) else ("does not compile", [])
    finally:
        with open(path, "w") as out:
            out.write(before)


def control(top, mutations):
    """The tool itself: silent where nothing is broken, and not otherwise."""
    harmless = Mutation("nothing", "a comment")
    harmless.path, harmless.old = mutations[0].path, mutations[0].old
    harmless.new = mutations[0].old + ["/* the same */"]
    error, noticed = attempt(top, harmless)
    if error or noticed:
        print(f"FAIL a harmless change: {error or noticed}")
        return 1
    print("ok   a harmless change is not noticed")
    error, noticed = attempt(top, mutations[0])
    if error or not noticed:
        print(f"FAIL {mutations[0].name}: {error or 'no script noticed'}")
        return 1
    print(f"ok   {mutations[0].name}: {len(noticed)} scripts, first {first_words(noticed)}")
    return 0


def table(rows):
    """docs/rfc/mutations.md"""
    lines = ["# One mechanism broken at a time", "",
             "Made by `tests/script/mutate.py --write` (some ten minutes on two cores; `--control` is "
             "a minute):", "each line of the list `tests/script/mutations.txt` was applied to a copy of the "
             "sources, and all packet scripts", "were run against it. A mutation that no script notices is a "
             "hole in the tests.", "",
             "| broken | what was done | scripts that noticed | one of them |", "|---|---|---|---|"]
    for mutation, noticed in rows:
        one = next((n for n in noticed if mutation.words.find(n.split("-")[0][3:]) >= 0),
                   first_words(noticed))
        lines.append(f"| {mutation.name} | {mutation.words} | {len(noticed)} | `{one}` |")
    caught = sum(1 for _, noticed in rows if noticed)
    lines += ["", f"{len(rows)} tried, {caught} noticed.", ""]
    with open(TABLE, "w") as out:
        out.write("\n".join(lines))


def main(arguments):
    words = [a for a in arguments if not a.startswith("-")]
    mutations = [m for m in read_list() if not words or any(w in m.name for w in words)]
    bad, rows = 0, []
    with tempfile.TemporaryDirectory(prefix="tern-mutate-") as folder:
        top = os.path.join(folder, "tern")
        copy_of_sources(top)
        wrong = failing(top) if build(top) else ["it does not build"]
        if wrong:
            print(f"FAIL the sources as they are: {wrong}")
            return 1
        print("ok   the sources as they are")
        if "--control" in arguments:
            return control(top, mutations)
        for mutation in mutations:
            error, noticed = attempt(top, mutation)
            good = not error and noticed
            bad += 0 if good else 1
            said = error or f"{len(noticed)} scripts: {' '.join(noticed[:4])}"
            print(f"{'ok  ' if good else 'FAIL'} {mutation.name}: {said}", flush=True)
            rows.append((mutation, noticed))
    print(f"{len(rows) - bad} noticed, {bad} not")
    if "--write" in arguments:
        table(rows)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
