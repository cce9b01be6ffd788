#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does a hostile packet cost more, the more of them came and the fuller the tables are?

    work.py WORK FRAMES     WORK: the program of work.c, which measures FRAMES frames a flood

Runs it under callgrind with small tables and with tables 16 times as large, each filled by 16 times
as many frames, and compares the instructions that the stack spends on each frame of the next
few hundred. Instructions, not time: they repeat. Exit 77 (skipped) where there is no valgrind.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

SCALES = (1, 16)
RATIO_MAX = 1.25    # of the large over the small
EACH_MAX = 30000    # instructions a step of the flood; one of "fins" is a whole connection
# Where work does grow with a table, by how much, and why that is bounded.
GROWS = {
    "sacks": 2.5,   # what is in flight is a sum over the SACKed ranges: 4,096 of them at the most
}


def instructions(work, scale):
    """Flood -> instructions of its measured frames."""
    with tempfile.TemporaryDirectory() as place:
        out = os.path.join(place, "out")
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
             "--toggle-collect=tern_stack_input", "--toggle-collect=tern_stack_output",
             "--toggle-collect=tern_stack_expire", "--toggle-collect=tern_stack_deadline",
             "--zero-before=measured", "--dump-after=measured", work, str(scale)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600, check=False)
        if done.returncode != 0:
            sys.exit(f"FAIL under valgrind: {done.stdout[-500:]}{done.stderr[-2000:]}")
        names = done.stdout.split()
        counts = []
        for nth in range(1, len(names) + 1):
            path = glob.glob(f"{glob.escape(out)}.{nth}")[0]
            with open(path, encoding="utf-8") as dump:
                counts.append(int(re.search(r"^(?:totals|summary): (\d+)", dump.read(),
                                            re.M).group(1)))
    return dict(zip(names, counts))


def main(work, frames):
    if shutil.which("valgrind") is None:
        print("no valgrind here, which counts instructions")
        return 77
    small, large = (instructions(work, scale) for scale in SCALES)
    bad = 0
    for name, count in small.items():
        each = count / frames, large[name] / frames
        ratio = each[1] / max(each[0], 1)
        fine = ratio <= GROWS.get(name, RATIO_MAX) and max(each) <= EACH_MAX
        verdict = "" if fine else "  FAIL"
        bad += verdict != ""
        print(f"{name:17} {each[0]:8.0f} {each[1]:8.0f}  x{ratio:.2f}{verdict}")
    if not small:
        sys.exit("FAIL nothing was measured")
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdigit():
        sys.exit("usage: work.py WORK FRAMES")
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
