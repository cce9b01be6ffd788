#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The event log and the capture of the same runs (world.c), judged by readers that know nothing of
tern: jsonschema for the log, tshark for the capture. Every record is held against the written
schema; every segment must stand in both, with the same cause; every retransmission is found anew
from the bytes of the capture alone.

    run.py WORLD TOP TERN     WORLD, TERN: the programs; TOP: the source tree

Exit code 77: skipped, for want of tshark or python3-jsonschema.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import judge  # noqa: E402

# seed, impairment, controller, what else
RUNS = [
    (1, "loss 2% delay 20ms jitter 2ms", "cubic", []),
    (2, "loss 2% delay 20ms jitter 2ms", "reno", ["no-sack"]),
    (11, "delay 20ms jitter 15ms", "cubic", []),
    (12, "delay 20ms jitter 15ms", "cubic", []),
    (4, "loss 20% delay 20ms", "bbr", ["keep-alive"]),
    (5, "delay 10ms reorder 20% duplicate 5% corrupt 1%", "cubic", ["no-timestamps"]),
    (6, "loss 5% burst 2% 4 delay 30ms reorder 5%", "bbr", []),
    (7, "loss 1% delay 30ms jitter 30ms duplicate 2%", "reno", ["no-sack", "no-timestamps"]),
    (8, "", "cubic", []),
]
ABOVE = ("dns:", "tls:", "http:", "log:")  # no protocol above TCP here: the lab's cases have those


def run(world, folder, number, row):
    """The records of the log and the rows of the capture of one run."""
    seed, words, controller, more = row
    log, capture = (os.path.join(folder, f"{number}.{e}") for e in ("sqlog", "pcapng"))
    done = subprocess.run([world, log, capture, str(seed), words or "delay 1ms", controller, *more],
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120,
                          check=False)
    if done.returncode != 0:
        raise judge.Wrong(done.stderr.strip())
    return log, capture


DRAWN = ("client", "server", "segments", "bytes", "retransmissions", "zero_windows", "closed")


def draw(tern, *words):
    return subprocess.run([tern, "draw", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False)


def hold_others(tern, log, capture, records):
    """Pings and datagrams are in both pictures, with the same words; a packet in fragments is
    whole in the log, and an ARP packet that is malformed is not a packet there."""
    counts = [json.loads(draw(tern, path, "--json").stdout)["capture"] for path in (log, capture)]
    whole = sum(r["name"].startswith("link:packet_") and r["data"].get("length_bytes", 0) > 1480
                for r in records)
    bad = sum(r["name"] == "arp:packet_dropped" for r in records)
    for name, more in (("udp", 0), ("icmp", whole), ("arp", -bad)):
        if counts[0][name] != counts[1][name] + more:
            raise judge.Wrong(f"{name}: {counts[0][name]} drawn of the log, and "
                              f"{counts[1][name]} and {more} of the capture")
    words = [sorted(re.findall("UDP ·.*bytes|ICMP: .*[a-z]|ping.* 8 bytes",
                               draw(tern, path, "--width", "200").stdout.decode()))
             for path in (log, capture)]
    if words[0] != words[1] or not words[0]:
        raise judge.Wrong(f"the log says {words[0]}, the capture {words[1]}")


def hold_pictures(tern, log, capture, records):
    """Both make the same picture: the figures of each connection, and a ladder; and what was sent
    again was so for the reasons that the log has."""
    figures = []
    for path in (log, capture):
        done = draw(tern, path, "--json")
        if done.returncode != 0:
            raise judge.Wrong(f"tern draw {path}: {done.stderr.decode()}")
        connections = json.loads(done.stdout)["connections"]
        judge.hold_reasons(records, connections)
        figures.append([[c[field] for field in DRAWN] for c in connections])
    if figures[0] != figures[1] or not figures[0]:
        raise judge.Wrong(f"drawn from the log: {figures[0]}; from the capture: {figures[1]}")
    if "SYN-SENT" not in draw(tern, log).stdout.decode():
        raise judge.Wrong("the ladder of the log lacks SYN-SENT")


def hold_mistakes(tern, folder):
    """Logs that are damaged, hostile or none: clear words and codes, and a partial picture."""
    with open(os.path.join(folder, "0.sqlog"), "rb") as text:
        whole = text.read()
    header = whole[:whole.index(b"\n") + 1]
    for name, data, code, says, words in (
            ("cut", whole[:-30], 3, "damaged", []),
            ("long", header + b"\x1e" + b" " * 70000 + b"{}\n", 3, "too long", []),
            ("other", b"\x1e{}\n", 1, "no event log", []),
            ("deep", header + b"\x1e" + b"[" * 60000 + b"\n", 3, "damaged", []),
            ("filter", whole, 2, "filter is for captures", ["port", "80"])):
        path = os.path.join(folder, name + ".sqlog")
        with open(path, "wb") as out:
            out.write(data)
        done = draw(tern, path, *words)
        if done.returncode != code or says not in done.stderr.decode():
            raise judge.Wrong(f"tern draw of a log that is {name}: {done.returncode}, "
                              f"{done.stderr.decode()!r}")
        if name == "cut" and b"ESTABLISHED" not in done.stdout:
            raise judge.Wrong("no partial picture of a log that was cut off")


def one(tern, world, folder, number, row, schema, causes):
    log, capture = run(world, folder, number, row)
    records = judge.read_log(log)
    judge.hold_schema(schema, records)
    frames = judge.read_capture(capture)
    sent, again = judge.compare_sent(records, frames, causes)
    received = judge.compare_received(records, frames)
    judge.hold_comments(frames, causes)
    if "corrupt" not in row[1]:  # what is broken the log does not have
        hold_pictures(tern, log, capture, records)
        hold_others(tern, log, capture, records)
    print(f"ok   seed {row[0]}, {row[2]}, {' '.join([row[1], *row[3]]).strip() or 'nothing'}: "
          f"{len(records)} records; {sent} segments sent, {again} of them again, and {received} "
          "received agree in both")
    return records


def hold_coverage(schema, seen):
    missing = [n for n in schema["events"] if not n.startswith(ABOVE) and n not in seen["names"]]
    if missing:
        raise judge.Wrong(f"no run has {', '.join(missing)}")
    for kind, wanted in (("tcp:loss_detected", {"rack", "duplicate-acks", "partial-ack",
                                                "timeout"}),
                         ("tcp:recovery_undone", {"eifel", "dsack", "arrived"})):
        left = wanted - {r["data"]["by"] for r in seen["records"] if r["name"] == kind}
        if left:
            raise judge.Wrong(f"no {kind} by {', '.join(sorted(left))}")


def main(world, top, tern):
    if not shutil.which("tshark") or judge.jsonschema is None:
        print("skip events: needs tshark and python3-jsonschema")
        return 77
    schema = judge.read_schema(top)
    causes = judge.read_causes(top)
    failed = 0
    records = []
    with tempfile.TemporaryDirectory(prefix="tern-events-") as folder:
        for number, row in enumerate(RUNS):
            try:
                records += one(tern, world, folder, number, row, schema, causes)
            except judge.Wrong as why:
                print(f"FAIL seed {row[0]}, {row[1]}, {row[2]} {' '.join(row[3])}: {why}")
                failed += 1
        try:
            hold_mistakes(tern, folder)
        except judge.Wrong as why:
            print(f"FAIL {why}")
            failed += 1
    try:
        hold_coverage(schema, {"names": {r["name"] for r in records}, "records": records})
        judge.hold_page(schema, top)
        judge.can_fail(schema, causes)
        print("ok   all kinds of events occur, the page lists them, and the judges can fail")
    except judge.Wrong as why:
        print(f"FAIL {why}")
        failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
