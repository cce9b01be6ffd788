# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the text of the files: licence lines, lengths, words that are not used here."""
import re

from .tree import Check, bare

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
SCRIPTS = ("run", "check", ".ci/run", "tools/dev/setup", "tools/dev/rfc-index",
           "tools/dev/exports", "tools/dev/reflow")


def spdx(tree):
    """Every source file says its licence, in one of its first two lines."""
    problems = []
    paths = tree.c() + tree.files(".py") + [p for p in SCRIPTS if p in tree.paths]
    for path in paths:
        first = tree.read(path).splitlines()[:2]
        if not any(SPDX in line for line in first):
            problems.append(f"{path}:1: no line '{SPDX}'")
    return problems


def columns(tree):
    problems = []
    paths = tree.c() + tree.files(".py", "meson.build")
    for path in paths + [p for p in SCRIPTS if p in tree.paths]:
        for number, line in tree.lines(path):
            if len(line) > 100:
                problems.append(f"{path}:{number}: {len(line)} columns, 100 is the limit "
                                "(comments: tools/dev/reflow)")
    return problems


def file_length(tree):
    """600 lines ask for a second thought (said, not failed); 1,000 are the stop."""
    problems = []
    for path in tree.c() + tree.files(".py"):
        count = tree.read(path).count("\n")
        if count > 1000:
            problems.append(f"{path}:1: {count} lines, 1000 is the stop")
        elif count > 600 and tree.real:
            print(f"note {path}: {count} lines; over 600 think again")
    return problems


# What is not called, with what is called instead. In C, outside comments and strings.
CALLS = {
    "strcpy": "memcpy with a known length", "strcat": "tern_writer, or snprintf",
    "strncpy": "memcpy with a known length", "strncat": "snprintf",
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "gets": "fgets",
    "atoi": "strtol with its checks", "atol": "strtol with its checks",
    "rand": "tern_random", "srand": "tern_random", "random": "tern_random",
    "time": "the passed now", "gettimeofday": "src/os/clock.h", "assert": "TERN_ASSERT",
    "alloca": "a buffer with a bound",
}
SWAPS = {name: "tern_get_be16 and its kin" for name in ("ntohs", "ntohl", "htons", "htonl")}
HOME_OF_SWAPS = ("src/os/", "src/link/", "src/socket/", "tests/")
FINE_IN_TESTS = ("assert", "atoi", "atol")
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK",
                                           "st" + "ub", "not impl" + "emented",
                                           "unimpl" + "emented"]) + r")\b")
PLACES = re.compile(r"(?<![\w.])/(work|root|home/\w+)/\w")


def calls(tree):
    problems = []
    allowed = tree.exceptions("tools/dev/words.txt")
    for path in tree.c():
        banned = dict(CALLS)
        if not path.startswith(HOME_OF_SWAPS):
            banned.update(SWAPS)
        if path.startswith("tests/"):
            banned = {word: use for word, use in banned.items() if word not in FINE_IN_TESTS}
        pattern = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
        for number, line in enumerate(bare(tree.read(path)).splitlines(), 1):
            for found in pattern.finditer(line):
                word = found.group(1)
                if f"{path} {word}" not in allowed:
                    problems.append(f"{path}:{number}: {word}(): use {banned[word]}")
    for entry in allowed:
        path, word = entry.split()
        if not re.search(r"\b" + word + r"\s*\(", bare(tree.read(path))):
            problems.append(f"tools/dev/words.txt: '{entry}' is needed no longer")
    return problems


def finished(tree):
    """Nothing says of itself that it is unfinished, and nothing names its author's machine."""
    problems = []
    paths = tree.c() + tree.files(".py", ".md", ".scd", "meson.build", ".sh") + \
        [p for p in SCRIPTS if p in tree.paths]
    for path in paths:
        for number, line in tree.lines(path):
            found = UNFINISHED.search(line)
            if found:
                problems.append(f"{path}:{number}: '{found.group(1)}': finish it, or file an issue")
            if PLACES.search(line):
                problems.append(f"{path}:{number}: a path of somebody's machine: {line.strip()}")
    return problems


CHECKS = [
    Check("licence", "each source file names its licence", spdx,
          {"src/base/a.c": "int a;\n"}, "src/base/a.c:1"),
    Check("columns", "no line is longer than 100 columns", columns,
          {"src/base/a.c": "/*" + "a" * 100 + "*/\n"}, "104 columns"),
    Check("file-length", "no file is longer than 1,000 lines", file_length,
          {"src/base/a.c": "\n" * 1001}, "1001 lines"),
    Check("calls", "no call of what has a better replacement", calls,
          {"src/base/a.c": "int f(void);\nint f(void)\n{\n    return atoi(\"1\");\n}\n"},
          "src/base/a.c:4: atoi()"),
    Check("finished", "no note of unfinished work, no path of a builder's machine", finished,
          {"src/base/a.c": "/* FIX" + "ME later */\n"}, "src/base/a.c:1"),
]
