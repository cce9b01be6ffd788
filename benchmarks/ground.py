# SPDX-License-Identifier: BSD-2-Clause
"""Where it is measured: two network namespaces joined by a veth pair, and a TAP in the second.

    client vA 10.77.0.9 (tern: .5) ── vB 10.77.0.2 server, tap0 10.78.0.2 (tern: .5)

The kernel's side uses CUBIC by its routes on all of them: with another default, such as BBR, it is
three times slower over veth, and would flatter tern. All of it is the lab's (tests/lab/world.py).
"""
import json
import os
import resource
import signal
import statistics
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build-bench")))
sys.path.insert(0, os.path.join(TOP, "tests", "lab"))
import world  # noqa: E402

TERN = os.path.abspath(os.environ.get("TERN", os.path.join(BUILD, "tern")))
KERNEL_VETH, OWN_VETH = world.SERVER, world.TERN_IP
KERNEL_TAP, OWN_TAP = "10.78.0.2", "10.78.0.5"
LAN = ("--link", "lan:vA", "--address", f"{OWN_VETH}/24")
TAP = ("--link", "tap:tap0", "--address", f"{OWN_TAP}/24")
KERNEL = ("--link", "kernel", "--congestion", "cubic")


class Run:
    """One run: its value in the workload's unit, and the CPU seconds that both ends used."""

    def __init__(self, value, cpu_seconds=None, gigabytes=None):
        self.value, self.cpu_seconds, self.gigabytes = value, cpu_seconds, gigabytes

    def cpu_per_gb(self):
        return self.cpu_seconds / self.gigabytes if self.gigabytes else None


class Ground:
    """The namespaces, and what every workload asks of them."""

    def __init__(self, lab, options):
        self.lab, self.options = lab, options
        self.client, self.server = lab.pair()
        # A minute of connections stays in TIME-WAIT. Where there are too many of them the kernel
        # keeps none, and answers the last words of those that close by a reset.
        self.server.sysctl("net/ipv4/tcp_max_tw_buckets", 4000000)
        self.last = 20  # of the addresses that were used once
        self.has_tap = os.access("/dev/net/tun", os.R_OK | os.W_OK)
        if self.has_tap:
            self.server.sh("ip", "tuntap", "add", "tap0", "mode", "tap")
            self.server.sh("ip", "link", "set", "tap0", "up")
            self.server.address("tap0", f"{KERNEL_TAP}/24")

    def fresh(self, link):
        """A node, the kernel's address there, and flags with an own address never used before."""
        self.last += 1
        if self.last > 250:
            raise world.Failed("no more addresses")
        node, kernel = (self.server, KERNEL_TAP) if link is TAP else (self.client, KERNEL_VETH)
        own = kernel.rsplit(".", 1)[0] + f".{self.last}"
        return node, kernel, (*link[:2], "--address", f"{own}/24")

    def offloads(self, on):
        self.client.offloads("vA", on)
        self.server.offloads("vB", on)

    def pinned(self, processor, command):
        """The command on one of the first two processors: spinning ends must not share one."""
        return ["taskset", "-c", str(processor)] + list(command)

    def peer(self, *words, node=None, pin=False):
        """A kernel peer in the server's namespace that listens; stop() ends it."""
        errors = self.lab.path("peer.err")
        command = [TERN, "bench", "peer", *KERNEL, *words]
        child = (node or self.server).start(*(self.pinned(1, command) if pin else command),
                                            stderr=open(errors, "wb"))

        def listens():
            with open(errors) as text:
                return "listening" in text.read()

        world.wait_for("the peer to listen", listens)
        return child

    def against(self, command, node, peer_words=(), pin=False):
        """A command against a peer of its own: its JSON, and with it the CPU seconds of both."""
        before = self.used()
        child = self.peer(*peer_words, pin=pin)
        try:
            told = json.loads(self.command(node, self.pinned(0, command) if pin else command))
        finally:
            self.stop(child)
        told["cpu_of_both"] = self.used() - before
        return told

    def stop(self, child):
        self.lab.stop(child, signal.SIGINT)

    def used(self):
        """CPU seconds of all children that have ended so far."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def command(self, node, command, seconds=120):
        """A command to its end; its standard output."""
        done = node.run(*command, seconds=seconds)
        if done.code != 0:
            raise world.Failed(f"{' '.join(command)}: {done.text()}")
        return done.out

    def bench(self, node, words, peer_words=(), pin=False):
        """One run of `tern bench`."""
        return self.against([TERN, "bench", *words, "--json"], node, peer_words, pin)


def spread(values):
    """(largest - smallest) / median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0.0
