# SPDX-License-Identifier: BSD-2-Clause
"""Rules about what the compiler made: the core calls nothing and keeps nothing; the library
exports what is listed."""
import os
import re
import subprocess
import tempfile

from .tree import Check, output

# All that L0-L3 may call outside themselves, with what compilers put in by themselves.
ALLOWED = re.compile(
    r"^(tern_\w+|mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr|nlen)|crypto_shorthash\w*|"
    r"__stack_chk_fail|__(u?divti3|u?modti3|popcountdi2|mulodi4|multi3)|__mem(cpy|set|move)_chk|"
    r"_GLOBAL_OFFSET_TABLE_|__asan_\w+|__ubsan_\w+|__gcov_\w+)$")
# The hook through which an assertion speaks before it stops the program.
HOOK = "src_base_assert.c.o"


def objects_of(archive):
    """(object, [(symbol, class, section)]) of a static library."""
    # no plugin: of fat objects the machine's code counts, not what the compiler may make of them
    text, status = output(["nm", "--plugin", "none", "-f", "sysv", archive])
    if status != 0:
        return []
    found = []
    for line in text.splitlines():
        head = re.match(r"^(?:Undefined symbols|Symbols) from (.*):$", line)
        if head:
            name = head.group(1)
            inner = re.match(r".*\[(.*)\]$", name)
            found.append((inner.group(1) if inner else os.path.basename(name), []))
        elif line.count("|") == 6 and found and not line.startswith("Name"):
            fields = [field.strip() for field in line.split("|")]
            found[-1][1].append((fields[0], fields[2], fields[6]))
    return found


def judge(archive):
    problems = []
    objects = objects_of(archive)
    for name, symbols in objects:
        if os.path.basename(name) == HOOK:
            continue
        for symbol, kind, section in symbols:
            if kind in ("U", "w") and not ALLOWED.match(symbol):
                problems.append(f"{name}: calls {symbol}")
            writable = kind in "bBdDCsSgG" and not section.startswith((".data.rel.ro", ".rodata"))
            if writable:
                problems.append(f"{name}: {symbol} is changeable data ({section})")
    return problems if objects else [f"{archive}: no objects to judge"]


def compiled(tree):
    """The sources of a trial's tree as a library."""
    for path in tree.files(".c"):
        made = tree.full(path) + ".o"
        subprocess.run(["gcc", "-O1", "-c", "-o", made, tree.full(path)], check=True)
        subprocess.run(["ar", "rcs", tree.full("x.a"), made], check=True)
    return tree.full("x.a")


def purity(tree):
    """No system call, clock, random source, heap call or changeable global in L0-L3."""
    return judge(tree.build("libtern_core.a") if tree.real else compiled(tree))


def exported(library):
    text, status = output(["nm", "-D", "--defined-only", library])
    if status != 0:
        return None
    return sorted({line.split()[2].split("@")[0] for line in text.splitlines()
                   if len(line.split()) == 3 and line.split()[1] in "TDBRV"})


def exports(tree):
    """The shared library exports what tools/dev/exports.txt lists, no more and no less."""
    library = tree.build("libtern.so.0")
    listed = {line.strip() for _, line in tree.lines("tools/dev/exports.txt")
              if line.strip() and not line.startswith("#")}
    found = exported(library)
    if found is None:
        return [f"{library}: not built"]
    return [f"{name}: exported, but not listed in tools/dev/exports.txt"
            for name in found if name not in listed] + \
        [f"{name}: listed in tools/dev/exports.txt, but not exported"
         for name in sorted(listed) if name not in found]


def declared(tree):
    """Each function that a public header exports is also defined in the library."""
    found = set(exported(tree.build("libtern.so.0")) or ())
    problems = []
    for path in tree.files(".h", under=("include/",)):
        text = re.sub(r"/\*.*?\*/", " ", tree.read(path), flags=re.DOTALL)
        for match in re.finditer(r"TERN_EXPORT[^;{]*?\b(tern_\w+)\s*(?:\(|;|\[)", text):
            if match.group(1) not in found:
                problems.append(f"{path}: {match.group(1)} is declared, but the library lacks it")
    return problems


def installed(tree):
    """Somebody else's program builds against an installed libtern, and runs."""
    problems = []
    with tempfile.TemporaryDirectory(prefix="tern-install-") as root:
        text, status = output(["meson", "install", "-C", tree.build(""), "--no-rebuild",
                               "--destdir", root])
        if status != 0:
            return [f"meson install: {text.strip()[-300:]}"]
        found = [folder for folder, _, files in os.walk(root) if "tern.pc" in files]
        if not found:
            return ["no tern.pc was installed"]
        env = {**os.environ, "PKG_CONFIG_PATH": found[0], "PKG_CONFIG_SYSROOT_DIR": root,
               "LD_LIBRARY_PATH": os.path.dirname(found[0])}
        flags, _ = output(["pkg-config", "--cflags", "--libs", "tern"], env=env)
        for way in (["gcc", "-std=c11"], ["g++", "-std=c++11", "-x", "c++"]):
            made = os.path.join(root, "program")
            text, status = output(way + ["-o", made, tree.full("tests/install/program.c"), "-x",
                                         "none"] + flags.split(), env=env)
            if status == 0:
                text, status = output([made], env=env)
            if status != 0:
                problems.append(f"tests/install/program.c as {way[1]}: {text.strip()[-300:]}")
    return problems


CHECKS = [
    Check("purity", "the core calls nothing outside and keeps no globals", purity,
          {"src/base/a.c": "#include <stdlib.h>\nvoid *a(void) { return malloc(1); }\n"},
          "calls malloc", ("nm", "gcc")),
    Check("globals", "the core has no changeable data", purity,
          {"src/base/a.c": "static int n;\nint a(void) { return n++; }\n"},
          "changeable data", ("nm", "gcc")),
    Check("exports", "libtern.so exports what is listed", exports,
          {"tools/dev/exports.txt": "tern_nobody_has_this\n"}, "tern_nobody_has_this", ("nm",)),
    Check("declared", "what public headers declare exists", declared,
          {"include/tern/a.h": "TERN_EXPORT int tern_nobody_has_this(void);\n"},
          "tern_nobody_has_this", ("nm",)),
    Check("installed", "a stranger's program builds with pkg-config, in C and C++", installed,
          {"tests/install/program.c": "int tern_nobody_has_this(void);\n"
           "int main(void) { return tern_nobody_has_this(); }\n"},
          "tern_nobody_has_this", ("gcc", "g++", "pkg-config", "meson")),
]
