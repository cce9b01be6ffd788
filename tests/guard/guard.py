#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions of fixed scenarios, counted by callgrind and compared with the table in the tree.

    guard.py                  all scenarios against the table of this compiler
    guard.py WORD...          those whose names contain a word
    guard.py --accept         write the table anew; say in the commit why it may change
    guard.py --top N NAME     where the instructions of one scenario go

More than 2 % above the table fails. The counts repeat: time is virtual, seeds are fixed, and what
differs from machine to machine is not counted: libc and libsodium, valgrind's own view of the heap,
and memcpy(3) is one of our own (plain.c). They depend on the compiler: each has a table of its own,
and a compiler without one skips. GUARD=PATH judges another program than the one in build/.
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


def parse(path):
    """Instructions by function, of those in the program itself. callgrind's file names objects and
    functions once, and numbers them from then on; after `calls=` stands what the callee took."""
    names, by_function = {}, {}
    program, function, callee = False, "", False
    with open(path) as text:
        for line in text:
            found = re.match(r"(ob|fn)=\((\d+)\)(?: (.*))?", line)
            if found:
                kind, number, name = found.groups()
                name = names.setdefault((kind, number), name)
                if kind == "ob":
                    program = name == PROGRAM
                else:
                    function = name
                continue
            named = re.match(r"c(ob|fn)=\((\d+)\) (.*)", line)
            if named:
                names.setdefault((named.group(1), named.group(2)), named.group(3))
            if line.startswith("calls="):
                callee = True
            elif line[0] in "0123456789+-*" and not callee and program:
                by_function[function] = by_function.get(function, 0) + int(line.split()[1])
            elif line[0] in "0123456789+-*":
                callee = False
    return by_function


def count(name, folder):
    """Run a scenario under callgrind; instructions by function."""
    out = os.path.join(folder, name)
    done = subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
         f"--callgrind-out-file={out}", PROGRAM, name], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise ValueError(done.stdout.strip() or f"status {done.returncode}")
    return parse(out)


def top(by_function, most):
    """Where they go, in words."""
    whole = sum(by_function.values())
    rows = sorted(by_function.items(), key=lambda row: -row[1])[:most]
    return [f"{number:13,} {100 * number / whole:5.1f} %  {name}" for name, number in rows]


def judge(name, by_function, before):
    """The result line of a scenario, and whether it is fine."""
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
    """(name, instructions by function) of each, two at a time, in order."""
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
        print("\n".join(top(dict(counted(words[2:]))[words[2]], int(words[1]))))
        return 0
    accept = words == ["--accept"]
    names = [n for n in said("--list") if accept or not words or any(w in n for w in words)]
    if accept:
        write_table(path, {name: sum(found.values()) for name, found in counted(names)})
        print(f"written: {os.path.relpath(path, TOP)}")
        return 0
    if not os.path.exists(path):
        print(f"skip guard: no table for {os.path.basename(path)}: tests/guard/guard.py --accept "
              "makes one")
        return 0
    table = read_table(path)
    fine = [judge(name, found, table.get(name)) for name, found in counted(names)]
    return 0 if fine and all(fine) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
