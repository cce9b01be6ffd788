# SPDX-License-Identifier: BSD-2-Clause
"""Floods from addresses that do not answer, at a server of tern's own: what was established lives
on, newcomers are served, memory stays what it is.

The short form floods for a moment, at a rate that a machine with other work reaches too, and judges
what no load can excuse. The long form is the issue's: 100,000 a second for 5 s, and goodput against
that under the same flood at an address that tern's filter leaves out, so that what the link and the
machine lose is not held against the stack.
"""
import json
import os
import statistics
import subprocess
import time

import world
from case import case
from peers import PYTHON
from world import SERVER, TERN_IP, equal, hold

HERE = os.path.dirname(world.TERN)
FLOOD = os.path.join(HERE, "tests", "lab", "lab-flood")
SINK = os.path.join(HERE, "tests", "lab", "lab-sink")
NOBODY = "10.77.0.77"

# Sends to the sink until it is killed.
SENDER = """
import socket, sys
s = socket.create_connection((sys.argv[1], 80), 10)
block = bytes(1 << 16)
while True:
    s.sendall(block)
"""

# Connects so many times, one after the other; prints how many were greeted.
CALLER = """
import socket, sys, time
greeted = 0
for _ in range(int(sys.argv[2])):
    try:
        with socket.create_connection((sys.argv[1], 80), 4) as s:
            s.settimeout(4)
            greeted += s.recv(6) == b"hello\\n"
    except OSError:
        pass
print(greeted)
"""


class Sink:
    """The server, and what it says of itself."""

    def __init__(self, lab, node, *words):
        for program in (FLOOD, SINK):
            if not os.path.exists(program):
                raise world.Skipped(f"{program} is not built")
        self.path = lab.path("sink")
        self.err = lab.path("sink-err")
        with open(self.path, "wb") as out, open(self.err, "wb") as err:
            self.child = node.start(SINK, "vA", f"{TERN_IP}/24", SERVER, *words,
                                    stdout=out, stderr=err)
        world.wait_for("the sink to claim its address", lambda: self.said() and self.alive())
        time.sleep(0.5)  # its probes; callers would try again anyway

    def alive(self):
        with open(self.err, errors="replace") as err:
            hold("the sink lives", self.child.poll() is None, err.read())
        return True

    def said(self):
        with open(self.path) as text:
            lines = text.read().split("\n")[:-1]
        return json.loads(lines[-1]) if lines else None

    def rss_kb(self):
        """Of the sink itself: nsenter has become it."""
        with open(f"/proc/{self.child.pid}/status") as status:
            return int([line for line in status if line.startswith("VmRSS")][0].split()[1])

    def during(self, seconds):
        """Bytes a second over some seconds, by the sink's own clock, and frames."""
        before = self.said()
        time.sleep(seconds)
        self.alive()
        after = self.said()
        took = (after["at_ns"] - before["at_ns"]) / 1e9
        hold("the sink tells of itself", took > 0)
        return {key: (after[key] - before[key]) / took for key in after}


def mac_of(server):
    """The sink's MAC, once the kernel has asked for it."""
    server.run(PYTHON, "-c", "import socket; socket.socket(type=socket.SOCK_DGRAM)"
                             f".sendto(b'?', ('{TERN_IP}', 9))")
    return world.wait_for("the sink's MAC", lambda: server.neighbours().get(TERN_IP))


def flood(server, kind, mac, address, rate, seconds):
    return server.start(FLOOD, kind, "vB", mac, address, "80", str(rate), str(seconds),
                        stdout=subprocess.PIPE, text=True)


def reached(lab, child):
    """Frames a second that the flood came to."""
    words = child.communicate(timeout=30)[0].split()
    equal("the flood's end", child.returncode, 0)
    return int(words[0]) / float(words[3])


def greeted(server, count):
    return server.start(PYTHON, "-c", CALLER, TERN_IP, str(count), stdout=subprocess.PIPE,
                        text=True)


def answer(child):
    return int(child.communicate(timeout=60)[0])


def one_round(lab, server, sink, mac, kind, rate, seconds):
    """Goodput under the flood over that under the same at an address that is not tern's."""
    ignored = flood(server, kind, mac, NOBODY, rate, seconds + 1)
    time.sleep(0.5)
    without = sink.during(seconds)
    missed = reached(lab, ignored)
    hostile = flood(server, kind, mac, TERN_IP, rate, seconds + 1)
    time.sleep(0.5)
    callers = greeted(server, 5)
    under = sink.during(seconds)
    met = reached(lab, hostile)
    equal("callers greeted during the flood", answer(callers), 5)
    ratio = under["bytes"] / max(without["bytes"], 1)
    lab.note(f"{kind} flood: {met:,.0f} a second at tern ({missed:,.0f} at nobody), goodput "
             f"{without['bytes'] * 8 / 1e6:,.0f} and {under['bytes'] * 8 / 1e6:,.0f} Mbit/s, "
             f"{ratio:.2f} of it, {under['cookies_sent']:,.0f} cookies a second")
    return ratio, under


def judge(lab, kind):
    rate, seconds, rounds = (100000, 5, 9) if lab.long_runs else (20000, 1, 1)
    client, server = lab.pair()
    server.sysctl("net/ipv4/ip_forward", 0)
    sink = Sink(lab, client)
    mac = mac_of(server)
    equal("callers greeted before", answer(greeted(server, 3)), 3)
    server.start(PYTHON, "-c", SENDER, TERN_IP)
    sink.during(0.5)
    ratios, memory = [], []
    for _ in range(rounds):
        ratio, under = one_round(lab, server, sink, mac, kind, rate, seconds)
        ratios.append(ratio)
        memory.append(sink.rss_kb())
        hold("the transfer goes on", under["bytes"] > 0)
        if kind == "syn":
            hold("cookies were needed", under["cookies_sent"] > 0)
        hold("resets are limited", under["resets_out"] <= 400, str(under["resets_out"]))
    if lab.long_runs:
        middle = statistics.median(ratios)
        hold("goodput lost beyond the link's own loss is under 20 %", middle >= 0.8,
             f"{middle:.2f}")
    calm_kb = sink.rss_kb()
    reached(lab, flood(server, kind, mac, TERN_IP, rate, seconds))
    lab.note(f"{kind} flood: resident memory {memory + [sink.rss_kb()]} kB")
    hold("memory is flat", sink.rss_kb() - calm_kb < 4096, f"{calm_kb} to {sink.rss_kb()} kB")
    equal("callers greeted afterwards", answer(greeted(server, 3)), 3)


@case("hostile: a SYN flood; transfers go on, callers are served, memory is flat", alone=True)
def syn_flood(lab):
    judge(lab, "syn")


@case("hostile: an ACK flood; the same holds", alone=True)
def ack_flood(lab):
    judge(lab, "ack")


@case("hostile: a RST flood; the same holds", alone=True)
def rst_flood(lab):
    judge(lab, "rst")


@case("control: a server that accepts nobody greets no caller", alone=True)
def deaf(lab):
    client, server = lab.pair()
    sink = Sink(lab, client, "deaf")
    mac = mac_of(server)
    reached(lab, flood(server, "syn", mac, TERN_IP, 20000, 1))
    equal("callers greeted", answer(greeted(server, 1)), 0)
    sink.alive()
