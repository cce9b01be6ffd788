# SPDX-License-Identifier: BSD-2-Clause
"""What the checks look at: the files of a tree, and the programs that judge them."""
import os
import re
import shutil
import subprocess

SKIP = re.compile(r"^(build.*|\.git|__pycache__)$")


class Check:
    """A named rule: run(tree) -> problems; fault: {path: content} of a tree that breaks it, for
    which one problem must contain `says`; programs: what must be installed to judge it."""

    def __init__(self, name, holds, run, fault, says, programs=()):
        self.name, self.holds, self.run = name, holds, run
        self.fault, self.says, self.programs = fault, says, programs

    def missing(self):
        return ", ".join(p for p in self.programs if not shutil.which(p))


class Tree:
    """A directory of sources. `house` is the true tree, where a trial's tree is another."""

    def __init__(self, root, house):
        self.root, self.house = root, house
        self.real = os.path.samefile(root, house)
        self.paths = sorted(self._walk())

    def _walk(self):
        for folder, names, files in os.walk(self.root):
            names[:] = [n for n in names if not SKIP.match(n)]
            for name in files:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def files(self, *endings, under=("",)):
        """Paths with one of these endings, below one of these folders."""
        return [p for p in self.paths if p.endswith(endings) and p.startswith(tuple(under))]

    def c(self, *folders):
        return self.files(".c", ".h", under=folders or ("src/", "include/", "tests/", "fuzz/"))

    def full(self, path):
        return os.path.join(self.root, path)

    def read(self, path):
        try:
            with open(self.full(path), errors="replace") as text:
                return text.read()
        except OSError:
            return ""

    def lines(self, path):
        return enumerate(self.read(path).splitlines(), 1)

    def build(self, name):
        """A file of the build directory of the true tree."""
        return os.path.join(self.house, "build", name)

    def exceptions(self, path):
        """A list of exceptions: lines of `key... reason`, as {key: reason}; # begins a comment.
        The key is what stands before the first tab or run of two spaces."""
        found = {}
        for _, line in self.lines(path):
            if line.strip() and not line.startswith("#"):
                key, _, reason = re.sub(r"\t+|  +", "\t", line.strip()).partition("\t")
                found[key] = reason
        return found


def output(command, **options):
    """Standard output and error of a program that may fail, and its status."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=240, check=False, **options)
    except FileNotFoundError as error:
        return str(error), 127
    return done.stdout, done.returncode


def bare(source):
    """C without comments, and with empty strings and characters; the lines stay where they are."""
    def blank(found):
        text = found.group(0)
        if text.startswith("/"):
            return " " + "\n" * text.count("\n")
        return text[0] + text[0]
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, source, flags=re.DOTALL)
