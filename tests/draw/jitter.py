#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Captures of both ends of transfers whose packets overtook each other (a delay of 8 ms, jitter of
6 ms, nothing lost; made by the lab, whose seeds they are named after, and cut after 94 bytes).
Three judges: what both ends know together (the truth), tshark by the rules of judge_draw.py, and
tcptrace.   jitter.py TERN FOLDER [--table]"""
import glob
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import judge_draw  # noqa: E402
import world  # noqa: E402

# What tern counts, and by which rules tshark counts otherwise (tests/lab/judge_draw.py: RULES).
# Sent again, needless, out of order, duplicate ACKs; rules.
TABLE = {
    "seed10-client": (2, 2, 28, 18, "ahead older"),
    "seed10-server": (2, 2, 0, 4, "karn least seen"),
    "seed16-client": (9, 9, 32, 28, "older"),
    "seed16-server": (9, 9, 0, 9, "fin greatest karn least passed seen"),
    "seed17-client": (11, 4, 28, 35, "karn older seen"),
    "seed17-server": (11, 4, 0, 15, "karn least passed seen"),
    "seed22-client": (7, 7, 29, 24, "ahead older"),
    "seed22-server": (7, 7, 0, 8, "karn least passed seen"),
}
FIELDS = ("retransmissions", "spurious_retransmissions", "out_of_order", "duplicate_acks")
PORT = "9000"


def figures_of(tern, path):
    done = subprocess.run([tern, "draw", path, "--json"], check=True, capture_output=True,
                          timeout=60)
    return json.loads(done.stdout)


def judge(tern, path, table):
    """A capture's figures against the table, tshark and tcptrace; complaints."""
    name = os.path.basename(path)[:-len(".pcap")]
    figures = figures_of(tern, path)
    ours = figures["connections"][0]
    row = tuple(ours[field] for field in FIELDS)
    rules = " ".join(sorted(judge_draw.judge(path, "0").rules))
    if table:
        print(judge_draw.compare(name, path, figures))
    try:
        world.equal(f"{name}: {', '.join(FIELDS)}; rules", row + (rules,), TABLE.get(name))
        judge_draw.compare(name, path, figures)
        traced = judge_draw.tcptrace(path)
        if traced is not None:
            world.equal(f"{name}: tcptrace", traced.split()[0], str(row[0]))
        if name.endswith("client"):
            judge_draw.hold_truth(name, path, path.replace("client", "server"), PORT, figures)
    except world.Failed as error:
        return [str(error)]
    return []


def main(tern, folder, table):
    if shutil.which("tshark") is None:
        print("skipped: tshark is not installed")
        return 77
    paths = sorted(glob.glob(os.path.join(folder, "*.pcap")))
    bad = [] if len(paths) == len(TABLE) else [f"{len(paths)} captures, not {len(TABLE)}"]
    for path in paths:
        bad += judge(os.path.abspath(tern), path, table)
    for words in bad:
        print("FAIL", words)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], "--table" in sys.argv))
