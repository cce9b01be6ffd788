# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the code: who includes whom, how long functions are, where conditionals stand."""
import os
import re

from .tree import Check, bare, output

# Each layer, and what its files may include besides their own folder. Order is DESIGN.md's.
LAYERS = {
    "include/tern/": ("tern/",),
    "src/base/": ("tern/", "base/"),
    "src/wire/": ("tern/", "base/", "wire/"),
    "src/proto/": ("tern/", "base/", "wire/", "proto/"),
    "src/stack/": ("tern/", "base/", "wire/", "proto/", "stack/"),
    "src/os/": ("tern/", "base/", "os/", "link/"),
    "src/link/": ("tern/", "base/", "os/", "link/"),
    "src/socket/": ("tern/", "base/", "socket/"),
    "src/report/": ("tern/", "base/", "wire/", "report/", "link/record.h"),
    "src/packetdrill/": ("tern/", "base/", "wire/", "link/", "packetdrill/"),
    "src/apps/": ("tern/", "base/", "os/", "link/", "apps/"),
    "src/cli/": ("tern/", "base/", "wire/", "os/", "link/", "apps/", "report/", "cli/"),
}
PURE = ("include/tern/", "src/base/", "src/wire/", "src/proto/", "src/stack/")
PURE_HEADERS = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "inttypes.h",
                "stdalign.h", "sodium.h", "sodium/crypto_shorthash.h"}
# The two that are not pure: where an assertion speaks, and the calls that are the system's own.
NOT_PURE = ("src/base/assert.c", "include/tern/socket.h")
LLHTTP = ("-isystem", "/usr/share/include/llhttp")  # where Debian has it: meson.build
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def layers(tree):
    """Nothing includes upward, and the pure layers see no header of the operating system."""
    problems = []
    for path in tree.c("src/", "include/"):
        layer = next((folder for folder in LAYERS if path.startswith(folder)), None)
        if layer is None:
            problems.append(f"{path}:1: no layer owns this folder")
            continue
        for number, line in tree.lines(path):
            found = INCLUDE.match(line)
            if not found:
                continue
            kind, name = found.groups()
            ours = kind == '"' or name.startswith("tern/")
            if ours and not name.startswith(LAYERS[layer]) and \
                    not os.path.exists(os.path.join(tree.full(os.path.dirname(path)), name)):
                problems.append(f"{path}:{number}: {layer} may not include {name}")
            if not ours and path.startswith(PURE) and name not in PURE_HEADERS and \
                    path not in NOT_PURE:
                problems.append(f"{path}:{number}: a pure layer may not include <{name}>")
    return problems


def conditionals(tree):
    """Outside src/os and src/link: no #if in a function, and 2 in 1,000 lines at the most."""
    problems = []
    count = lines = 0
    for path in tree.c("src/", "include/"):
        if path.startswith(("src/os/", "src/link/")):
            continue
        depth = 0
        for number, line in enumerate(bare(tree.read(path)).splitlines(), 1):
            lines += 1
            if re.match(r'\s*extern\s+""\s*\{', line):
                continue
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line):
                guard = re.match(r"\s*#\s*ifndef TERN_\w*_H$|\s*#\s*ifdef __cplusplus$", line)
                count += 0 if guard else 1
                if depth > 0:
                    problems.append(f"{path}:{number}: a conditional inside braces: {line.strip()}")
            if not line.lstrip().startswith("#"):
                depth = max(0, depth + line.count("{") - line.count("}"))
    if count > 2 + 2 * lines / 1000:
        problems.append(f"{count} conditionals in {lines} lines: the budget is 2 in 1,000")
    return problems


def functions(tree):
    """70 lines and complexity 25, or an entry with a reason in tools/dev/long.txt."""
    problems = []
    allowed = tree.exceptions("tools/dev/long.txt")
    used = set()
    paths = tree.files(".c", under=("src/",))
    text, _ = output(["pmccabe"] + [tree.full(p) for p in paths]) if paths else ("", 0)
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) < 6:
            continue
        complexity, long = int(fields[0]), int(fields[4])
        place, name = fields[5].rsplit(": ", 1)
        path = os.path.relpath(place.split("(")[0], tree.root)
        key = f"{path} {name}"
        if long > 70 or complexity > 25:
            used.add(key)
            if not allowed.get(key):
                problems.append(f"{path}:{fields[3]}: {name}() has {long} lines (70) and "
                                f"complexity {complexity} (25)")
    problems += [f"tools/dev/long.txt: '{key}' is needed no longer"
                 for key in allowed if key not in used]
    return problems


def formatted(tree):
    problems = []
    paths = tree.c()
    if not paths:
        return problems
    style = os.path.join(tree.house, ".clang-format")
    text, _ = output(["clang-format", "--dry-run", f"--style=file:{style}"]
                     + [tree.full(p) for p in paths])
    for line in text.splitlines():
        found = re.match(r"(.*?):(\d+):\d+: warning", line)
        if found:
            path = os.path.relpath(found.group(1), tree.root)
            problem = f"{path}: run clang-format -i (first at line {found.group(2)})"
            if not any(p.startswith(path + ":") for p in problems):
                problems.append(problem)
    return problems


WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-fsyntax-only"]


def headers(tree):
    """A header compiles alone: the public ones in C11 and in C++11, the others in C11."""
    problems = []
    include = ["-I" + os.path.join(tree.house, "include"), "-I" + os.path.join(tree.house, "src"),
               "-I" + tree.full("include"), "-I" + tree.full("src"), *LLHTTP]
    for path in tree.files(".h", under=("src/", "include/")):
        ways = [["gcc", "-std=c11", "-D_GNU_SOURCE", "-x", "c"]]
        if path.startswith("include/"):
            ways = [["gcc", "-std=c11", "-x", "c"],
                    ["g++", "-std=c++11", "-x", "c++"], ["g++", "-std=c++20", "-x", "c++"]]
        for way in ways:
            program = f'#include "{tree.full(path)}"\nextern int nothing;\n'
            warnings = [w for w in WARNINGS if w != "-Wshadow" or way[0] == "gcc"]
            text, status = output(way + warnings + include + ["-"], input=program)
            if status != 0:
                problems.append(f"{path}: not alone with {way[0]} {way[1]}: " +
                                first_error(text))
    return problems


def first_error(text):
    return next((line for line in text.splitlines() if "error" in line), text[:200])


def clang(tree):
    """clang has no warnings either (gcc's are errors in every build)."""
    problems = []
    flags = ["-std=c11", "-D_GNU_SOURCE", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wvla",
             "-Wpointer-arith", "-Wcast-qual", "-Wundef", "-Wwrite-strings",
             "-Wno-missing-field-initializers",
             "-I" + tree.full("include"), "-I" + tree.full("src"), *LLHTTP]
    for path in tree.files(".c", under=("src/",)):
        text, status = output(["clang"] + WARNINGS + flags + [tree.full(path)])
        if status != 0:
            problems.append(first_error(text).replace(tree.root + "/", ""))
    return problems


LONG = "int f(void);\nint f(void)\n{\n" + "    ;\n" * 80 + "    return 0;\n}\n"
CHECKS = [
    Check("layers", "nothing includes upward; L0-L3 see no system header", layers,
          {"src/wire/a.c": '#include "stack/stack.h"\n'}, "src/wire/a.c:1"),
    Check("conditionals", "no #if in functions, few elsewhere", conditionals,
          {"src/base/a.c": "int f(void)\n{\n#ifdef A\n    return 1;\n#endif\n    return 0;\n}\n"},
          "src/base/a.c:3"),
    Check("functions", "functions have at most 70 lines and complexity 25", functions,
          {"src/base/a.c": LONG}, "f() has 8", ("pmccabe",)),
    Check("format", "clang-format would change nothing", formatted,
          {"src/base/a.c": "int   a ;\n"}, "src/base/a.c", ("clang-format",)),
    Check("headers", "headers compile alone, the public ones in C++ too", headers,
          {"include/tern/a.h": "uint32_t a(void);\n"}, "include/tern/a.h", ("gcc", "g++")),
    Check("clang", "no warnings with clang", clang,
          {"src/base/a.c": "int a(void) { long b = 1L << 40; return b; }\n"}, "src/base/a.c:1",
          ("clang",)),
]
