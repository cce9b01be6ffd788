#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Break one mechanism at a time, and see which packet scripts notice.

    mutate.py                   all of mutations.txt; some ten minutes on two cores
    mutate.py WORD...           those whose names contain a word
    mutate.py --control         three only, in a minute: the sources as they are, which no script
                                may object to; a change that changes nothing, the same; and one
                                mechanism broken, which a script must notice
    mutate.py --applies         none: does each find its lines in the sources? at once (a part of
                                the static checks)
    mutate.py --write           all, and write the table docs/rfc/mutations.md

Works on a copy of the sources in a temporary directory. Exit status 0: as it should be.

mutations.txt holds blocks of lines: `# name: what is broken`, then `@ path of the source`, then
lines of the source with `-` before them, once and as they stand there, then what takes their place
with `+` before it. Leading white space does not matter.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LIST = os.path.join(HERE, "mutations.txt")
TABLE = os.path.join(TOP, "docs", "rfc", "mutations.md")
SCRIPT_SECONDS = 60
FLAGS = ("--control", "--applies", "--write")


class Mutation:
    def __init__(self, name, words):
        self.name, self.words, self.path, self.old, self.new = name, words, "", [], []


def read_list(path=LIST):
    """The mutations of a list, in its order."""
    found = []
    with open(path) as source:
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
                sys.exit(f"{path}:{number}: not understood")
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


def misfits(top, path=LIST):
    """Words on each mutation of a list that does not apply to the sources, or would change
    nothing."""
    found = []
    for mutation in read_list(path):
        try:
            with open(os.path.join(top, mutation.path)) as source:
                before = source.read()
        except OSError:
            found.append(f"{mutation.name}: there is no {mutation.path}")
            continue
        after = mutated(before, mutation)
        if after is None:
            found.append(f"{mutation.name}: its lines do not stand in {mutation.path} just once")
        elif mutation.old == mutation.new:
            found.append(f"{mutation.name}: it changes nothing")
    return found


def build(top, target="tests/script/script_run"):
    """Whether a program of the copy builds."""
    done = subprocess.run(["ninja", "-C", os.path.join(top, "build"), "-j2", target],
                          capture_output=True, text=True, check=False)
    return done.returncode == 0


def complaints(top, names):
    """Those of the scripts that fail: what they ask for does not happen, an assertion trips, or
    there is no end. All in one process, or each in its own where that dies."""
    run = os.path.join(top, "build", "tests", "script", "script_run")
    paths = [os.path.join(top, "tests", "script", n + ".script") for n in names]
    try:
        done = subprocess.run([run] + paths, capture_output=True, text=True, check=False,
                              timeout=SCRIPT_SECONDS + 2 * len(names))
    except subprocess.TimeoutExpired:
        done = None
    if done is not None and done.returncode in (0, 1):
        bad = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
        return [os.path.basename(line)[:-len(".script")] for line in bad]
    if len(names) == 1:
        return names
    half = len(names) // 2
    first = complaints(top, names[:half])
    return first if first else complaints(top, names[half:])


def all_scripts(top):
    folder = os.path.join(top, "tests", "script")
    return sorted(n[:-len(".script")] for n in os.listdir(folder) if n.endswith(".script"))


def noticing(top, words):
    """Scripts that fail: of those of the RFC that the words name, or else of all others."""
    numbers = tuple(f"rfc{n}-" for n in re.findall(r"RFC (\d+)", words))
    names = all_scripts(top)
    near = [n for n in names if n.startswith(numbers)] if numbers else []
    found = complaints(top, near) if near else []
    return found if found else complaints(top, [n for n in names if n not in near])


def copy_of_sources(top):
    leave = shutil.ignore_patterns("build", "build-*", ".git", "__pycache__")
    shutil.copytree(TOP, top, ignore=leave)
    setup = ["meson", "setup", os.path.join(top, "build"), top, "-Dwerror=false"]
    if subprocess.run(setup, capture_output=True, check=False).returncode != 0:
        sys.exit("the copy of the sources cannot be configured")


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
        return ("", noticing(top, mutation.words)) if build(top) else ("does not compile", [])
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
    print(f"ok   {mutations[0].name}: {len(noticed)} scripts, first {noticed[0]}")
    return 0


def table(rows):
    """docs/rfc/mutations.md"""
    lines = ["# One mechanism broken at a time", "",
             "Made by `tests/script/mutate.py --write`, some fifteen minutes",
             "(`--control`: a minute). Each change of the list `tests/script/mutations.txt` was",
             "made in a copy of the sources, and the packet scripts were run against it: first",
             "those of the RFC that it breaks, and where none of them noticed all others. A",
             "change that no script notices is a hole in the tests.", "",
             "| broken | what was done | scripts that noticed |", "|---|---|---|"]
    for mutation, noticed in rows:
        more = f" and {len(noticed) - 2} more" if len(noticed) > 2 else ""
        said = ", ".join(f"`{n}`" for n in noticed[:2]) + more
        lines.append(f"| {mutation.name} | {mutation.words} | {said or '**none**'} |")
    caught = sum(1 for _, noticed in rows if noticed)
    lines += ["", f"{len(rows)} tried, {caught} noticed.", ""]
    with open(TABLE, "w") as out:
        out.write("\n".join(lines))


def refusal(arguments, flags, words, chosen):
    """Why these arguments are none; "": they are fine."""
    for argument in arguments:
        if argument.startswith("-") and argument not in flags:
            return f"no flag {argument}: {' '.join(flags)}, or parts of names"
    if not chosen:
        return f"none has {' or '.join(words)} in its name"
    return "a table is of all, not of some" if words and "--write" in arguments else ""


def main(arguments):
    words = [a for a in arguments if not a.startswith("-")]
    mutations = [m for m in read_list() if not words or any(w in m.name for w in words)]
    wrong = refusal(arguments, FLAGS, words, mutations)
    if wrong:
        print(f"mutate.py: {wrong}", file=sys.stderr)
        return 2
    if "--applies" in arguments:
        wrong = misfits(TOP)
        print("\n".join(wrong) or "each applies")
        return 1 if wrong else 0
    bad, rows = 0, []
    with tempfile.TemporaryDirectory(prefix="tern-mutate-") as folder:
        top = os.path.join(folder, "tern")
        copy_of_sources(top)
        wrong = complaints(top, all_scripts(top)) if build(top) else ["it does not build"]
        if wrong:
            print(f"FAIL the sources as they are: {wrong}")
            return 1
        print("ok   the sources as they are", flush=True)
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
