#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Memory of tern draw, reading captures from a pipe: it must not grow with a capture's length, nor
without end with the number of its connections.

    stream.py TERN                    judge: each kind at two lengths
    stream.py TERN --gigabytes 10     so much of a capture, with whole frames: memory and time, told
"""
import os
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import big  # noqa: E402

CHUNK = 2000
PAYLOAD = bytes(big.MSS)


def capture(out, packets, connections, whole=False):
    """A pcap file into a pipe; whole: each frame with its payload. Its bytes."""
    talks = [big.Conversation(i) for i in range(connections)]
    written = out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for first in range(0, packets, CHUNK):
        chunk = []
        for i in range(first, min(first + CHUNK, packets)):
            head, wire = talks[i % connections].next(i * 12)
            kept = head + PAYLOAD[:wire - len(head)] if whole else head
            chunk.append(struct.pack("<IIII", 1700000000 + i * 12 // 1000000, i * 12 % 1000000,
                                     len(kept), wire))
            chunk.append(kept)
        written += out.write(b"".join(chunk))
    return written


def drawn(tern, packets, connections, whole=False, page=True):
    """A capture drawn, to a page as well: (memory in kB, seconds, bytes read,
    the page's bytes, words)."""
    with tempfile.TemporaryDirectory(prefix="tern-stream-") as folder:
        html = os.path.join(folder, "page.html")
        flags = ["--html", html, "--ladder"] if page else []
        words = os.path.join(folder, "words")
        with open(words, "wb") as said:
            child = subprocess.Popen([tern, "draw", "-", *flags],
                                     stdin=subprocess.PIPE, stdout=said, stderr=said)
        begun = time.monotonic()
        with child.stdin as out:
            read = capture(out, packets, connections, whole)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"FAIL tern draw: exit code {child.returncode}")
        with open(words, encoding="utf-8") as said:
            return usage.ru_maxrss, time.monotonic() - begun, read, \
                os.path.getsize(html) if page else 0, " ".join(said.read().split())


def hold(what, truth, detail=""):
    if not truth:
        print(f"FAIL {what}: {detail}")
    return truth


def judge(tern):
    fine = True
    for what, connections, page in (("one connection", 1, True), ("100 connections", 100, False)):
        short = drawn(tern, 100000, connections, page=page)
        long = drawn(tern, 400000, connections, page=page)
        fine &= hold(f"{what}, four times as long: memory", long[0] < short[0] * 1.1,
                     f"{short[0]} kB, then {long[0]} kB")
    # Each connection one packet; 100,000 are told apart.
    short, long = drawn(tern, 110000, 110000), drawn(tern, 220000, 220000)
    fine &= hold("more connections than are told apart: memory", long[0] < short[0] * 1.1,
                 f"{short[0]} kB, then {long[0]} kB")
    fine &= hold("what is not told apart is counted", "120,000 packets with 0 bytes are of further "
                 "connections (120,000 SYNs opened them): counted together, since 100,000 are told "
                 "apart" in long[4], long[4][-300:])
    return 0 if fine else 1


def tell(tern, gigabytes):
    packets = int(gigabytes * 1e9 / (82 + big.MSS * 2 / 3))
    memory, seconds, read, page, _ = drawn(tern, packets, 100, whole=True)
    print(f"{read / 1e9:.1f} GB, {packets:,} packets of 100 connections: {memory / 1000:.0f} MB, "
          f"{seconds:.0f} s with the making of it, a page of {page / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    TERN = os.path.abspath(sys.argv[1])
    sys.exit(tell(TERN, float(sys.argv[3])) if "--gigabytes" in sys.argv else judge(TERN))
