# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the documents: the RFC index is fresh, manual pages and --help agree, links lead
somewhere."""
import os
import re

from .tree import Check, output

TAG = re.compile(r"RFC (\d{3,5}) §([0-9A-Z]+(?:\.[0-9]+)*)")


def rfc_tags(tree):
    """{(rfc, section): ({source files}, {test files})}."""
    tags = {}
    paths = tree.c() + tree.files(".py", ".script", under=("tests/",))
    for path in paths:
        for match in TAG.finditer(tree.read(path)):
            key = (int(match.group(1)), match.group(2))
            kind = 0 if path.startswith(("src/", "include/")) else 1
            tags.setdefault(key, (set(), set()))[kind].add(path)
    return tags


def section_key(section):
    return [(0, int(part)) if part.isdigit() else (1, ord(part[0])) for part in section.split(".")]


def rfc_index(tree):
    """The text of docs/rfc/index.md."""
    tags = rfc_tags(tree)
    lines = ["# Where each RFC is answered", "",
             "Made by `tools/dev/rfc-index` from the tags `RFC N §section` in code and tests.", ""]
    for number in sorted({rfc for rfc, _ in tags}):
        lines += [f"## [RFC {number}](https://www.rfc-editor.org/rfc/rfc{number})", "",
                  "| section | code | tests |", "|---|---|---|"]
        sections = sorted((s for rfc, s in tags if rfc == number), key=section_key)
        for section in sections:
            code, tests = tags[(number, section)]
            lines.append(f"| §{section} | {listed(code)} | {listed(tests)} |")
        lines.append("")
    return "\n".join(lines)


def listed(paths):
    return ", ".join(f"[{p}](../../{p})" for p in sorted(paths)) or "–"


def rfc_fresh(tree):
    if tree.read("docs/rfc/index.md").rstrip() == rfc_index(tree).rstrip():
        return []
    return ["docs/rfc/index.md: out of date; run tools/dev/rfc-index"]


FLAG = re.compile(r"(?<![\w-])(--[a-z][a-z0-9.-]*[a-z0-9]|-[A-Za-z0-9#])(?![\w-])")
PAGES = {"tern-get": ["get"], "tern-demo": ["demo"], "tern-nc": ["nc"], "tern-ping": ["ping"],
         "tern-bench": ["bench"]}


def flags_of(text):
    return {found.group(1) for found in FLAG.finditer(text)}


def page_flags(source):
    """The flags that a page documents: those that begin a paragraph in its bold."""
    found = set()
    for line in source.splitlines():
        if line.startswith("*-"):
            found |= flags_of(line.replace("\\", "").replace("*", " ").replace(",", " "))
    return found


def help_flags(text):
    """The flags that --help explains: all that it names after its examples."""
    return flags_of(text[text.find("Usage:"):])


def man(tree):
    """Flags of --help and of the manual pages, both ways."""
    problems = []
    shared = page_flags(tree.read("docs/man/tern.1.scd"))
    for page, verb in PAGES.items():
        path = f"docs/man/{page}.1.scd"
        own = page_flags(tree.read(path))
        text, status = output([tree.build("tern")] + verb + ["--help"])
        said = help_flags(text)
        if status != 0 or not said:
            problems.append(f"tern {verb[0]} --help: status {status}, {len(said)} flags")
            continue
        problems += [f"{path}: {f} is in --help, but on no page" for f in
                     sorted(said - own - shared)]
        problems += [f"{path}: {f} is not in tern {verb[0]} --help" for f in sorted(own - said)]
    return problems


def man_valid(tree):
    """scdoc takes each page."""
    problems = []
    for path in tree.files(".scd"):
        with open(tree.full(path)) as source:
            text, status = output(["scdoc"], stdin=source)
        if status != 0:
            problems.append(f"{path}: {text.strip()}")
    return problems


LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def links(tree):
    """Files that a document links to exist, and so do the paths that it names in backquotes."""
    problems = []
    for path in tree.files(".md"):
        for number, line in tree.lines(path):
            for target in LINK.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                if not os.path.exists(tree.full(os.path.join(os.path.dirname(path), target))):
                    problems.append(f"{path}:{number}: {target} does not exist")
            for name in re.findall(r"`((?:src|include|tests|tools|docs|fuzz)/[\w./-]*)`", line):
                if not os.path.exists(tree.full(name)):
                    problems.append(f"{path}:{number}: {name} does not exist")
    return problems


def decisions(tree):
    """Each decision has a number of its own and a line in the list."""
    problems, owner = [], {}
    listed_ones = tree.read("docs/decisions/README.md")
    for path in tree.files(".md", under=("docs/decisions/",)):
        name = os.path.basename(path)
        if name == "README.md":
            continue
        number = name[:4]
        if number in owner:
            problems.append(f"{path}: {number} is {owner[number]} already")
        owner[number] = name
        if f"({name})" not in listed_ones:
            problems.append(f"{path}: not in docs/decisions/README.md")
        if not tree.read(path).startswith(f"# {number}: "):
            problems.append(f"{path}:1: the title does not begin with '# {number}: '")
    return problems


CHECKS = [
    Check("rfc-index", "docs/rfc/index.md is what the tags say", rfc_fresh,
          {"src/base/a.c": "/* RFC 9293 §3.4 */\n", "docs/rfc/index.md": "# old\n"},
          "out of date"),
    Check("man-flags", "--help and the manual pages name the same flags", man,
          {"docs/man/tern.1.scd": "*--nobody-has-this*\n",
           "docs/man/tern-get.1.scd": "*--nobody-has-this*\n"}, "--nobody-has-this is not in"),
    Check("man-valid", "scdoc takes the manual pages", man_valid,
          {"docs/man/a.1.scd": "no title\n"}, "docs/man/a.1.scd", ("scdoc",)),
    Check("links", "documents link to what exists", links,
          {"README.md": "[a](b.md)\n"}, "README.md:1: b.md"),
    Check("decisions", "decisions are numbered and listed", decisions,
          {"docs/decisions/0001-a.md": "# 0001: a\n"}, "not in docs/decisions/README.md"),
]
