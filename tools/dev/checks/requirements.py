# SPDX-License-Identifier: BSD-2-Clause
"""docs/rfc/requirements.tsv: what each RFC asks for, and where tern does it and proves it.

A row is a requirement: rfc, section, id, requirement, state, code, test, with tabs between. State
is `done`, or `not applicable: REASON`, or `departed: REASON`. Code and test are lists of paths with
spaces between, each perhaps with `:function`; a test may be a pattern (`*`). A row that is done
names both; and each packet script is named by some row, so that none is there for nothing.
"""
import fnmatch
import os
import re

from .tree import Check

PATH = "docs/rfc/requirements.tsv"
COLUMNS = ["rfc", "section", "id", "requirement", "state", "code", "test"]
STATE = re.compile(r"^(done|(not applicable|departed): \S.{7,})$")


def section_key(section):
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in section.split(".")]


def row_key(row):
    """By RFC, section and id, numbers as numbers."""
    words = re.split(r"(\d+)", row[2])
    return (int(row[0]), section_key(row[1]), [(int(w), "") if w.isdigit() else (-1, w)
                                               for w in words])


def rows(text):
    """(line number, fields) of each row."""
    for number, line in enumerate(text.splitlines(), 1):
        if number > 1 and line.strip():
            yield number, line.split("\t")


def place_problem(tree, place, pattern_allowed):
    """What is wrong with a path or path:function, or None."""
    path, _, function = place.partition(":")
    if pattern_allowed and "*" in path:
        return None if fnmatch.filter(tree.paths, path) else f"no file is called {path}"
    if not os.path.isfile(tree.full(path)):
        return f"{path} does not exist"
    if function and not re.search(rf"\b{re.escape(function)}\b", tree.read(path)):
        return f"{path} has no {function}"
    return None


def row_problems(tree, fields):
    if len(fields) != len(COLUMNS):
        return [f"{len(fields)} columns, not {len(COLUMNS)}"]
    rfc, section, name, words, state, code, test = (f.strip() for f in fields)
    found = []
    if not re.fullmatch(r"\d+", rfc) or not re.fullmatch(r"[0-9A-Z]+(\.[0-9]+)*", section):
        found.append(f"'{rfc} {section}' is not the number of an RFC and a section of it")
    if not name or len(words) < 10:
        found.append("needs an id, and the requirement in words")
    if not STATE.match(state):
        found.append(f"state '{state}' is not done, nor 'not applicable: REASON' or "
                     "'departed: REASON'")
    if state == "done" and not (code and test):
        found.append("is done, but names no " + ("test" if code else "code"))
    found += [p for p in (place_problem(tree, c, False) for c in code.split()) if p]
    found += [p for p in (place_problem(tree, t, True) for t in test.split()) if p]
    return found


def requirements(tree):
    text = tree.read(PATH)
    problems, seen, last = [], {}, None
    if not text.splitlines() or text.splitlines()[0].split("\t") != COLUMNS:
        return [f"{PATH}:1: the columns are not {' '.join(COLUMNS)}"]
    for number, fields in rows(text):
        problems += [f"{PATH}:{number}: {p}" for p in row_problems(tree, fields)]
        if len(fields) != len(COLUMNS) or not fields[0].isdigit():
            continue
        key = (fields[0], fields[2])
        if key in seen:
            problems.append(f"{PATH}:{number}: RFC {key[0]} {key[1]} is on line {seen[key]} "
                            "already")
        seen.setdefault(key, number)
        if last is not None and row_key(fields) < last:
            problems.append(f"{PATH}:{number}: not in order; run tools/dev/requirements --sort")
        last = row_key(fields)
    return problems


def whole(tree):
    """RFC 9293 numbers its requirements (appendix B): each has a row; and each script is named."""
    every = [f for _, f in rows(tree.read(PATH)) if len(f) == len(COLUMNS)]
    ids = {f[2] for f in every if f[0] == "9293"}
    tests = [t.partition(":")[0] for f in every for t in f[6].split()]
    wanted = [f"MUST-{n}" for n in range(1, 70)] + [f"SHLD-{n}" for n in range(1, 32)] + ["REC-1"]
    problems = [f"{PATH}: RFC 9293's {name} has no row" for name in wanted if name not in ids]
    for script in tree.files(".script", under=("tests/script/rfc",)):
        if not any(fnmatch.fnmatch(script, t) for t in tests):
            problems.append(f"{script}: no row of {PATH} names it")
    return problems


ROW = "9293\t3.1\tMUST-1\tthe window is an unsigned number\t"

CHECKS = [
    Check("requirements", "each requirement has a state, and code and test that exist where done",
          requirements,
          {PATH: "\t".join(COLUMNS) + f"\n{ROW}done\ta.c:c\t\n", "a.c": "int c;\n"},
          "is done, but names no test"),
    Check("req-places", "code and tests that a requirement names exist", requirements,
          {PATH: "\t".join(COLUMNS) + f"\n{ROW}done\ta.c:b\tt/*.c\n", "a.c": "int c;\n"},
          "a.c has no b"),
    Check("req-states", "a requirement is done, not applicable or departed from, with the reason",
          requirements, {PATH: "\t".join(COLUMNS) + f"\n{ROW}soon\ta.c\ta.c\n", "a.c": "\n"},
          "state 'soon'"),
    Check("req-whole", "all of RFC 9293's list has rows, and each packet script is in a row", whole,
          {PATH: "\t".join(COLUMNS) + "\n", "tests/script/rfc1-1.script": "# nothing\n"},
          "rfc1-1.script: no row"),
]
