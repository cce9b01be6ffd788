#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The pictures of docs/learn-tcp.md are made anew, in virtual time, and must be those that stand
there, byte for byte: the drawings in docs/pictures, the ladders in the page itself, behind a line
<!-- ladder NAME -->.   lesson.py LESSON DOCS [--write]"""
import os
import re
import subprocess
import sys
import tempfile

LADDER = re.compile(r"(<!-- ladder ([a-z-]+) -->\n```text\n)(.*?)(```\n)", re.S)


def read(path):
    try:
        with open(path, encoding="utf-8") as text:
            return text.read()
    except FileNotFoundError:
        return ""


def main(lesson, docs, write):
    page_path, bad = os.path.join(docs, "learn-tcp.md"), []
    with tempfile.TemporaryDirectory(prefix="tern-lesson-") as folder:
        subprocess.run([lesson, folder], check=True, timeout=60)
        made = {name: read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}
    page = read(page_path)
    fresh = LADDER.sub(lambda m: m[1] + made.get(m[2] + ".txt", "no such story\n") + m[4], page)
    told = {m[2] for m in LADDER.finditer(page)}
    for name, text in made.items():
        story, ending = name.rsplit(".", 1)
        path = os.path.join(docs, "pictures", name)
        if ending == "txt":
            bad += [] if story in told else [f"{page_path} has no ladder of {story}"]
            continue
        bad += [] if f"(pictures/{name})" in page else [f"{page_path} does not show {name}"]
        if write:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        elif read(path) != text:
            bad.append(f"{path} is not what the stories give now")
    kept = {name for name in os.listdir(os.path.join(docs, "pictures")) if name.endswith(".svg")}
    bad += [f"docs/pictures/{name} belongs to no story" for name in sorted(kept - set(made))]
    if write and fresh != page:
        with open(page_path, "w", encoding="utf-8") as out:
            out.write(fresh)
    elif fresh != page:
        bad.append(f"{page_path}: a ladder is not what its story gives now")
    for words in bad:
        print("FAIL", words)
    if bad and not write:
        print("After a look at them: lesson.py LESSON DOCS --write")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2], "--write" in sys.argv))
