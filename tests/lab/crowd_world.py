# SPDX-License-Identifier: BSD-2-Clause
"""Very many connections of the kernel's to one stack of tern's: the programs of benchmarks/crowd,
and what is asked of them. Used by the lab (cases_crowd.py) and by benchmarks/crowd.py."""
import json
import resource
import subprocess

import world

PORTS = 16
SOURCES = 16         # addresses of the callers, of all processes: with the ports 16 million pairs
FIRST = "10.77.1.1"
OWN = "10.77.0.5"
OTHER_FDS = 64       # of a process, beside its connections


class Crowd:
    """tern in one node, callers in the other, joined by the lab's veth pair."""

    def __init__(self, lab, folder, connections, awake=0):
        self.lab = lab
        self.tern_node, self.callers_node = lab.pair()
        self.callers_node.sysctl("net/ipv4/ip_local_port_range", "1024 65535")
        self.callers_node.sysctl("net/ipv4/tcp_max_tw_buckets", 4000000)
        processes = -(-connections // (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - OTHER_FDS))
        self.most = -(-connections // processes)
        self.errors = lab.path("crowd.err")
        self.tern = self.begin(self.tern_node, f"{folder}/crowd", "vA", f"{OWN}/16", PORTS,
                               connections + 16, awake or connections // 64 + 64)
        self.said(self.tern)    # it has its address
        self.callers = []
        for k in range(SOURCES):
            self.callers_node.sh("ip", "address", "add", f"10.77.1.{1 + k}/16", "dev", "vB")
        for _ in range(processes):
            self.callers.append(self.begin(self.callers_node, f"{folder}/callers", OWN, PORTS,
                                           FIRST, SOURCES, self.most))
        self.open = [0] * processes

    def begin(self, node, *words):
        with open(self.errors, "ab") as err:
            return node.start(*map(str, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=err)

    def said(self, child):
        line = child.stdout.readline().decode().strip()
        if not line:
            with open(self.errors, errors="replace") as words:
                raise world.Failed(f"a program has ended: {words.read().strip()[-300:]}")
        return line

    def ask(self, child, line):
        child.stdin.write(line.encode() + b"\n")
        child.stdin.flush()

    def each(self, lines):
        """One line to each process of callers, all at once; the seconds that the slowest took."""
        for child, line in zip(self.callers, lines):
            if line:
                self.ask(child, line)
        told = [self.said(child) for child, line in zip(self.callers, lines) if line]
        for line in told:
            if not line.startswith("ok "):
                raise world.Failed(f"callers: {line}; tern: {self.figures()}")
        return max(float(line.split()[1]) for line in told)

    def figures(self):
        """What tern has seen, used and spent so far."""
        self.ask(self.tern, "figures")
        return json.loads(self.said(self.tern))

    def connect(self, total):
        """Until so many are there, one process after the other, since SYNs of dozens of them at
        once would only be lost; the seconds that it took."""
        seconds = 0
        for i, there in enumerate(self.open):
            wanted = min(self.most, max(total - i * self.most, 0))
            if wanted > there:
                seconds += self.each([""] * i + [f"open {wanted - there}"])
                self.open[i] = wanted
        world.wait_for("all to be accepted", lambda: self.figures()["accepted"] == total, 60)
        return seconds

    def chat(self, active, messages):
        """The active ones talk, few of them all from one process; what tern's figures moved by."""
        there = sum(1 for n in self.open if n) if active >= 100 else 1
        before = self.figures()
        self.each([f"chat {active // there} {messages // there}" for _ in range(there)])
        after = self.figures()
        return {key: after[key] - before[key] for key in after}

    def close(self):
        """All callers say goodbye; until tern has heard it of all."""
        total = sum(self.open)
        self.each(["close"] * len(self.callers))
        world.wait_for("all to end", lambda: self.figures()["ended"] == total, 120)
