#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The static checks: the rules of the house that a script can judge.

    static.py             every check, each after a trial that shows that it can fail
    static.py NAME...     these
    static.py --list      their names and what they hold

A check is a function from a tree to a list of problems ("path:line: words"), and stands in one of
the files of checks/. Its trial is a small tree with one known fault: a check that finds
nothing there is itself broken, and fails as "NAME can fail".
"""
import os
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools", "dev"))
sys.dont_write_bytecode = True

from checks import code, docs, objects, requirements, tests, text  # noqa: E402
from checks.tree import Tree  # noqa: E402

CHECKS = text.CHECKS + code.CHECKS + objects.CHECKS + docs.CHECKS + requirements.CHECKS \
    + tests.CHECKS


def trial(check):
    """Run a check on its faulty tree; a list of problems with the check itself."""
    with tempfile.TemporaryDirectory(prefix="tern-static-") as root:
        for path, content in check.fault.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w") as out:
                out.write(content)
        found = check.run(Tree(root, TOP))
        if not any(check.says in problem for problem in found):
            return [f"its trial tree has a fault ({check.says!r}) that it did not find: {found}"]
    return []


def report(name, problems):
    if not problems:
        print(f"ok   {name}")
        return 0
    print(f"FAIL {name}: {len(problems)} found")
    for problem in problems:
        print(f"     {problem}")
    return 1


def main(arguments):
    if "--list" in arguments:
        for check in CHECKS:
            print(f"{check.name:14} {check.holds}")
        return 0
    chosen = [c for c in CHECKS if not arguments or c.name in arguments]
    failed = 0
    for check in chosen:
        missing = check.missing()
        if missing:
            print(f"skip {check.name}: needs {missing}")
            continue
        failed += report(check.name, check.run(Tree(TOP, TOP)))
        failed += report(f"{check.name} can fail", trial(check))
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
