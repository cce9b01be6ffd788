# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the tests' own lists: a mutation or a bug that no longer applies to the sources
proves nothing, and a call that no test lets fail is not one that may."""
import fnmatch
import os
import re
import sys

from .objects import compiled, objects_of
from .tree import Check

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..",
                                "tests", "script"))

import mutate  # noqa: E402

LISTS = ("tests/script/mutations.txt", "tests/sim/bugs.txt")


def mutations(tree):
    """Each change of both lists finds its lines in the source, just once."""
    found = [path for path in LISTS if path in tree.paths]
    return [f"{path}: it is not there" for path in LISTS if path not in found] + \
        [f"{path}: {words}" for path in found
         for words in mutate.misfits(tree.root, tree.full(path))]


LIBRARIES = ("libtern_host.a", "libtern_apps.a")
THROUGH = "tools/dev/cannot-fail.txt"
ROWS = re.compile(r"\bX\(([^,()]*),\s*(\w+)[,)]")  # type and name, or name and an error
WRAPS = re.compile(r"__wrap_(\w+)\(")


def failing(tree):
    """Names of the calls that tests/fail can let fail."""
    rows = ROWS.findall(tree.read("tests/fail/faults_list.h"))
    return {first if second.isupper() else second for first, second in rows} | \
        {name for path in tree.files(".c", under=("tests/fail/",))
         for name in WRAPS.findall(tree.read(path))}


def outside(archives):
    """{symbol: an object that needs it} of what the libraries do not have themselves."""
    needed, had = {}, set()
    for archive in archives:
        for name, symbols in objects_of(archive):
            for symbol, kind, _ in symbols:
                if kind in ("U", "w"):
                    needed.setdefault(symbol, os.path.basename(name))
                else:
                    had.add(symbol)
    return {symbol: name for symbol, name in needed.items()
            if symbol not in had and not symbol.startswith(("tern_", "_GLOBAL_"))}


def faults(tree):
    """Each call that leaves the libraries can be made to fail, or is listed as one that cannot."""
    archives = [tree.build(name) for name in LIBRARIES] if tree.real else [compiled(tree)]
    calls, rows, through = outside(archives), failing(tree), tree.exceptions(THROUGH)
    if not calls:
        return [f"{', '.join(archives)}: no calls to judge"]
    left = {symbol for symbol in calls if symbol not in rows}
    problems = [f"{calls[symbol]}: calls {symbol}: it needs a row of tests/fail/faults_list.h, or "
                f"a reason in {THROUGH}" for symbol in sorted(left)
                if not any(fnmatch.fnmatchcase(symbol, key) for key in through)]
    return problems + [f"{THROUGH}: {key}: nobody calls it, or it has a row" for key in through
                       if not fnmatch.filter(left, key)]


CHECKS = [
    Check("faults", "each call out of the libraries can be made to fail, or cannot", faults,
          {"src/os/a.c": "#include <unistd.h>\nint a(void) { return chdir(\"/\") + "
                         "fsync(1); }\n",
           "tests/fail/faults_list.h": "X(int, fsync, (int a), (a), -1, EIO)\n"},
          "calls chdir", ("nm", "gcc")),
    Check("mutations", "each mutation and bug of the lists applies to the sources", mutations,
          {"src/a.c": "int a;\nint b;\n",
           "tests/script/mutations.txt": "# a: good\n@ src/a.c\n- int a;\n+ int c;\n\n"
                                         "# b: bad\n@ src/a.c\n- int d;\n+ int c;\n"},
          "b: its lines"),
]
