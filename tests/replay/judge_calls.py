#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is every function of the core that concerns a stack recorded?

Compares calls.h with the headers; exit status 1: one is missing. A function that takes no handle (a
text, defaults) has nothing to record.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
HEADERS = ("stack", "tcp", "udp", "ping", "event", "trace")
HANDLE = re.compile(r"struct tern_(stack|conn|listener|udp_socket|ping_socket) \*+\w+")
DECLARATION = re.compile(r"TERN_EXPORT\b([^;{]*?)\b(tern_\w+)\s*\(([^;]*)\);")


def recorded():
    with open(os.path.join(HERE, "calls.h")) as file:
        return re.findall(r"^    X\((tern_\w+)\)", file.read(), re.MULTILINE)


def exported():
    with open(os.path.join(TOP, "tools/dev/exports.txt")) as file:
        return {line.strip() for line in file if line.startswith("tern_")}


def of_the_core():
    """Names of the functions that take a handle, by the headers."""
    names = set()
    for header in HEADERS:
        with open(os.path.join(TOP, "include/tern", header + ".h")) as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
        for _type, name, parameters in DECLARATION.findall(text):
            if HANDLE.search(parameters):
                names.add(name)
    return names


def main():
    core, have = of_the_core(), set(recorded())
    wrong = [f"{name} is not recorded: add it to tests/replay/calls.h" for name in core - have]
    wrong += [f"{name} is recorded, and no function of the core" for name in have - core]
    wrong += [f"{name} is not in tools/dev/exports.txt" for name in core - exported()]
    if len(core) < 50:
        wrong.append(f"only {len(core)} functions found in the headers: is this check blind?")
    print("\n".join(sorted(wrong)) or f"all {len(core)} functions of the core are recorded")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
