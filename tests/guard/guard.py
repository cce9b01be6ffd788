#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions of fixed scenarios, counted by callgrind and compared with the table in the tree.

    guard.py                  all scenarios against the table of this compiler
    guard.py WORD...          those whose names contain a word
    guard.py --accept         write the table anew; say in the commit why it may change
    guard.py --top N NAME     where the instructions of one scenario go

More than 2 % above the table fails. So do bulk scenarios of whose instructions more than 0.5 % are
those of lines that ask for an observer, where there is none; that needs no table.

The counts repeat: time is virtual, seeds are fixed, and what differs from machine to machine is not
counted: libc and libsodium, valgrind's own view of the heap, and memcpy(3) is one of our own
(plain.c). They depend on the compiler: each has a table of its own, and a compiler without one
skips. GUARD=PATH judges another program than the one in build/.
"""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build")
PROGRAM = os.environ.get("GUARD", os.path.join(BUILD, "tests", "guard", "guard"))
TABLES = os.path.join(HERE, "tables")
RISE_MAX = 0.02
OBSERVER = r"observ|_tell\b|_tell_|tern_note"
OBSERVER_MAX = 0.005
SECONDS = 300


class Skip(Exception):
    """Why nothing can be said here."""


def said(*words):
    return subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split("\n")[:-1]


def build_option(name):
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json")) as text:
        return next(str(o["value"]) for o in json.load(text) if o["name"] == name)


def table_path():
    """The table of this compiler; Skip where counting makes no sense."""
    if not os.path.exists(PROGRAM):
        raise Skip("not built: valgrind's headers are missing")
    if not shutil.which("valgrind"):
        raise Skip("valgrind is not installed")
    if build_option("b_sanitize") not in ("none", "[]"):
        raise Skip("built with sanitizers")
    compiler = re.sub(r"[^A-Za-z0-9.-].*", "", said("--compiler")[0].strip())
    return os.path.join(TABLES, f"{compiler}-{os.uname().machine}-O{build_option('optimization')}")


def read_table(path):
    with open(path) as text:
        rows = [line.split() for line in text if line.strip() and not line.startswith("#")]
    return {name: int(count) for name, count in rows}


def write_table(path, counts):
    os.makedirs(TABLES, exist_ok=True)
    with open(path, "w") as out:
        out.write("# Instructions of each scenario; written by tests/guard/guard.py --accept.\n")
        for name, count in counts.items():
            out.write(f"{name} {count}\n")


class Counts:
    """Instructions of a scenario, of those in the program itself."""

    def __init__(self):
        self.function, self.line = {}, {}

    def add(self, function, line, number):
        self.function[function] = self.function.get(function, 0) + number
        self.line[line] = self.line.get(line, 0) + number


def parse(path):
    """callgrind's file names objects, functions and files once, and numbers them from then on;
    after `calls=` stands what the callee took."""
    names, counts = {}, Counts()
    program, function, file, callee = False, "", "", False
    with open(path) as text:
        for line in text:
            found = re.match(r"(c?)(ob|fn|fl|fi|fe)=\((\d+)\)(?: (.*))?", line)
            if found:
                called, kind, number, name = found.groups()
                kind = "file" if kind[0] == "f" and kind != "fn" else kind
                name = names.setdefault((kind, number), name)
                if called:
                    continue
                if kind == "ob":
                    program = name == PROGRAM
                elif kind == "fn":
                    function = name
                else:
                    file = name
            elif line.startswith("calls="):
                callee = True
            elif line[0] in "0123456789":
                if not callee and program:
                    at, number = line.split()
                    counts.add(function, (file, int(at)), int(number))
                callee = False
    return counts


def count(name, folder):
    """Run a scenario under callgrind."""
    out = os.path.join(folder, name)
    done = subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
         "--compress-pos=no", f"--callgrind-out-file={out}", PROGRAM, name],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise ValueError(done.stdout.strip() or f"status {done.returncode}")
    return parse(out)


def source(path):
    try:
        with open(path) as text:
            return text.read().split("\n")
    except OSError:
        return []


def of_observer(counts):
    """Instructions of the source lines that ask whether there is an observer, or lead there."""
    whole, files = 0, {}
    for (path, at), number in counts.line.items():
        lines = files.setdefault(path, source(path))
        words = lines[at - 1] if 0 < at <= len(lines) else ""
        if "observe" in os.path.basename(path) or re.search(OBSERVER, words):
            whole += number
    return whole


def judge_observer(name, counts):
    """Nobody listens in these scenarios. None of it at all would mean that it was not found."""
    whole = sum(counts.function.values())
    share = of_observer(counts) / whole
    fine = 0 < share <= OBSERVER_MAX
    print(f"{'ok  ' if fine else 'FAIL'} {name}: {100 * share:.2f} % of the instructions are the "
          f"observer's, with nobody listening; more than none, and at most "
          f"{100 * OBSERVER_MAX:.1f} %")
    return fine


def top(by_function, most):
    """Where they go, in words."""
    whole = sum(by_function.values())
    rows = sorted(by_function.items(), key=lambda row: -row[1])[:most]
    return [f"{number:13,} {100 * number / whole:5.1f} %  {name}" for name, number in rows]


def judge(name, counts, before):
    """The result line of a scenario, and whether it is fine."""
    by_function = counts.function
    now = sum(by_function.values())
    if before is None:
        print(f"FAIL {name}: {now:,} instructions, and not in the table: take it with "
              "tests/guard/guard.py --accept")
        return False
    rise = now / before - 1
    words = f"{name}: {now:,} instructions, {100 * rise:+.2f} % against the table's {before:,}"
    if rise <= RISE_MAX:
        print(f"ok   {words}")
        if rise < -RISE_MAX:
            print(f"note {words}: keep it with tests/guard/guard.py --accept")
        return True
    print(f"FAIL {words}; {100 * RISE_MAX:.0f} % is the limit. Where it must be: "
          "tests/guard/guard.py --accept, and the reason in the commit. Most of it now:")
    print("\n".join(top(by_function, 8)))
    return False


def counted(names):
    """(name, Counts) of each, two at a time, in order."""
    with tempfile.TemporaryDirectory(prefix="tern-guard-") as folder, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield from zip(names, pool.map(lambda name: count(name, folder), names))


def main(words):
    if words[:1] in (["--help"], ["-h"]):
        print(__doc__.strip())
        return 0
    try:
        path = table_path()
    except Skip as why:
        print(f"skip guard: {why}")
        return 0
    if words[:1] == ["--top"] and len(words) == 3:
        print("\n".join(top(dict(counted(words[2:]))[words[2]].function, int(words[1]))))
        return 0
    accept = words == ["--accept"]
    names = [n for n in said("--list") if accept or not words or any(w in n for w in words)]
    if accept:
        write_table(path, {name: sum(found.function.values()) for name, found in counted(names)})
        print(f"written: {os.path.relpath(path, TOP)}")
        return 0
    found = dict(counted(names))
    fine = [judge_observer(name, found[name]) for name in names if name.startswith("bulk")]
    if not os.path.exists(path):
        print(f"skip guard: no table for {os.path.basename(path)}: tests/guard/guard.py --accept "
              "makes one")
        return 0 if all(fine) else 1
    table = read_table(path)
    fine += [judge(name, found[name], table.get(name)) for name in names]
    return 0 if fine and all(fine) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
