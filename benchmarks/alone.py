# SPDX-License-Identifier: BSD-2-Clause
"""A measurement in namespaces of its own: begun again in there, with the lab's world around it."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "lab"))
import run as lab_run  # noqa: E402
import world  # noqa: E402


def prepare():
    """What namespaces that are new lack."""
    for command in (["mount", "-t", "tmpfs", "tmpfs", "/run"], ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)


def _inside(measure, options):
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        lab = world.World(folder)
        try:
            done = measure(lab, options)
        finally:
            lab.close()
    if options.json:
        with open(options.json, "w") as out:
            json.dump(done, out, indent=1)


def main(program, words, parser, measure):
    """measure(lab, options) prints, and returns what --json FILE is to hold. The exit code."""
    parser.add_argument("--json", type=os.path.abspath)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.inside:
        _inside(measure, options)
        return 0
    command = ["/usr/bin/python3", os.path.abspath(program), *words, "--inside"]
    return subprocess.run(lab_run.own_namespaces(command), check=False).returncode
