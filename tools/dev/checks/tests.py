# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the tests' own lists: a mutation or a bug that no longer applies to the sources
proves nothing, and a call that no test lets fail is not one that may."""
import os
import sys

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


CHECKS = [
    Check("mutations", "each mutation and bug of the lists applies to the sources", mutations,
          {"src/a.c": "int a;\nint b;\n",
           "tests/script/mutations.txt": "# a: good\n@ src/a.c\n- int a;\n+ int c;\n\n"
                                         "# b: bad\n@ src/a.c\n- int d;\n+ int c;\n"},
          "b: its lines"),
]
