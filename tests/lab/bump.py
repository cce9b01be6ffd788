# SPDX-License-Identifier: BSD-2-Clause
"""The bump in the wire (bump.c): client vA -- bA bump bB -- vB server. What it carries meets the
words of --impair, from one seed: `out` is from the client, `in` from the server."""
import json
import os
import subprocess

import world

BUMP = os.environ.get("BUMP", os.path.join(world.TOP, "build", "tests", "lab", "bump"))
MACHINE = ("unread", "refused")
LATE_MS = 20.0


class Bump:
    """A bump between two interfaces of a node, from now until stop()."""

    def __init__(self, node, a, b, words, seed):
        if not os.path.exists(BUMP):
            raise world.Skipped(f"{BUMP} was not built")
        self.node, self.ends, self.words = node, (a, b), words
        self.start(seed)

    def start(self, seed):
        self.child = self.node.start(BUMP, *self.ends, self.words, str(seed),
                                     stdout=subprocess.PIPE, text=True)
        world.equal("the bump", self.child.stdout.readline(), "ready\n")

    def stop(self):
        """End it: what it did, {"in": {...}, "out": {...}, "cpu_ms": n}."""
        self.child.terminate()
        text, _ = self.child.communicate(timeout=20)
        world.equal("the bump's end", self.child.returncode, 0)
        return json.loads(text)

    def again(self, seed, words=None):
        """A new one in its place, and what the old one did."""
        counts = self.stop()
        self.words = self.words if words is None else words
        self.start(seed)
        return counts


def busy_machine(counts):
    """What the machine did to the traffic, in words; empty: nothing, the network was the bump's."""
    return ", ".join(f"{way} {name} {counts[way][name]}" for way in ("in", "out")
                     for name in MACHINE + ("late_ms",)
                     if counts[way][name] > (LATE_MS if name == "late_ms" else 0))


def bumped_pair(lab, words, seed=1, offloads=True):
    """client, server and the bump between them. tern drives vA, where the kernel has an address as
    well; both sides' kernels use CUBIC."""
    client, server, middle = lab.node("client"), lab.node("server"), lab.node("bump")
    lab.cable(client, "vA", middle, "bA")
    lab.cable(server, "vB", middle, "bB")
    client.address("vA", f"{world.HOST_IP}/24")
    server.address("vB", f"{world.SERVER}/24")
    for node in (client, server):  # no transfer learns from the one before
        node.sysctl("net/ipv4/tcp_no_metrics_save", 1)
    for node, interface in ((client, "vA"), (server, "vB"), (middle, "bA"), (middle, "bB")):
        node.offloads(interface, offloads)
    return client, server, Bump(middle, "bA", "bB", words, seed)
