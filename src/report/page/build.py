#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page of tern draw --html as C: build.py PAGE.html PAGE.css PAGE.js D3.js OUT.c. All but the
data is put together here, with the hashes by which the page's own policy knows its scripts and its
style; nothing else may run, and nothing may be fetched."""
import base64
import hashlib
import sys

LICENCE = """
    This page holds D3 (https://d3js.org), Copyright Michael Bostock, under the BSD 3-clause
    licence: Redistribution and use in source and binary forms, with or without modification,
    are permitted provided that the following conditions are met: Redistributions of source code
    must retain the above copyright notice, this list of conditions and the following
    disclaimer. Redistributions in binary form must reproduce the above copyright notice, this
    list of conditions and the following disclaimer in the documentation and/or other materials
    provided with the distribution. The name Michael Bostock may not be used to endorse or
    promote products derived from this software without specific prior written permission. THIS
    SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR
    IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY
    AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL MICHAEL BOSTOCK BE
    LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES
    (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
    DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
    WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING
    IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH
    DAMAGE."""


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def policy(*parts):
    """The words by which a Content-Security-Policy names inline text."""
    hashes = (base64.b64encode(hashlib.sha256(p.encode()).digest()).decode() for p in parts)
    return " ".join(f"'sha256-{h}'" for h in hashes)


def array(name, data):
    lines = [f"const unsigned char {name}[] = {{"]
    for at in range(0, len(data), 24):
        lines.append("".join(f"{byte}," for byte in data[at:at + 24]))
    return "\n".join(lines + ["};", f"const size_t {name}_bytes = sizeof {name};", ""])


def main(page, css, script, d3, out):
    style, code, library = read(css), read(script), read(d3)
    text = read(page)
    for word, value in (("@SCRIPTS@", policy(library, code)), ("@STYLES@", policy(style)),
                        ("@LICENCE@", LICENCE), ("@CSS@", style), ("@D3@", library),
                        ("@JS@", code)):
        text = text.replace(word, value, 1)
    head, tail = text.split("@DATA@")
    with open(out, "w", encoding="utf-8") as made:
        made.write('/* Made by src/report/page/build.py. */\n#include "report/page.h"\n\n')
        made.write(array("tern_page_head", head.encode()))
        made.write(array("tern_page_tail", tail.encode()))


if __name__ == "__main__":
    main(*sys.argv[1:])
