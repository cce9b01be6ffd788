# SPDX-License-Identifier: BSD-2-Clause
"""What befalls an interface while a transfer runs over it: it goes down and comes up, its cable is
pulled, its MTU, its MAC and its addresses change, the peer gets another MAC, or it is gone. What a
kernel's TCP survives tern survives; a link that is gone is an error in words, and no hang."""
import subprocess
import time

import world
from bump import bumped_pair
from case import case
from peers import Tern, nginx, url
from world import equal, hold, sha256, wait_for

SIZE = 4 << 20
WORDS = "delay 5ms rate 20mbit limit 200"  # so that SIZE takes nearly two seconds
BACK = 60


def carried(node, interface):
    """Bytes that an interface has moved, both ways."""
    for line in node.sh("cat", "/proc/self/net/dev").splitlines():
        if line.strip().startswith(interface + ":"):
            figures = line.split(":")[1].split()
            return int(figures[0]) + int(figures[8])
    raise world.Failed(f"no {interface}")


class Transfer:
    """tern fetching or bringing SIZE bytes, seen when a fifth of them has moved."""

    def __init__(self, lab, way, words=WORDS, flags=()):
        self.lab, self.way = lab, way
        self.client, self.server, self.bump = bumped_pair(lab, words)
        lab.noise("www/f.bin", SIZE)
        nginx(lab, self.server)
        self.start(flags)

    def start(self, flags=()):
        before = carried(self.server, "vB")
        verb = ["-T", "www/f.bin", url("/up/f")] if self.way == "up" else ["-o", "f", url("/f.bin")]
        self.child = Tern(self.client, flags=["--stats", "stats"] + list(flags)).start(
            "get", "-sS", *verb, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for("a fifth of the bytes", lambda: carried(self.server, "vB") > before + SIZE // 5)
        equal("it runs", self.child.poll(), None)

    def finished(self, what):
        _, words = self.child.communicate(timeout=BACK)
        equal(f"{self.way}, {what}: exit ({words.decode().strip()})", self.child.returncode, 0)
        path = self.lab.path("up/f" if self.way == "up" else "f")
        equal(f"{self.way}, {what}: sha256", sha256(path), sha256(self.lab.path("www/f.bin")))

    def failed(self):
        _, words = self.child.communicate(timeout=BACK)
        return self.child.returncode, words.decode()


def each_way(lab, what, fault):
    for way in ("down", "up"):
        begun = time.monotonic()
        transfer = Transfer(lab, way) if way == "down" else again(transfer, way)
        fault(transfer)
        transfer.finished(what)
        lab.note(f"{way}: {time.monotonic() - begun:.1f} s")


def again(transfer, way):
    transfer.way = way
    transfer.start()
    return transfer


@case("faults: the interface goes down for a second and comes up, the transfer goes on")
def down_up(lab):
    def fault(t):
        t.client.sh("ip", "link", "set", "vA", "down")
        time.sleep(1)
        equal("it waits", t.child.poll(), None)
        t.client.sh("ip", "link", "set", "vA", "up")
    each_way(lab, "down and up", fault)


@case("faults: the cable is pulled for five seconds, the transfer goes on")
def carrier(lab):
    def fault(t):
        middle = t.bump.node
        middle.sh("ip", "link", "set", "bA", "down")
        time.sleep(5 if t.way == "up" else 1)
        middle.sh("ip", "link", "set", "bA", "up")
    each_way(lab, "carrier", fault)


@case("faults: the MTU shrinks and grows under a transfer")
def mtu(lab):
    def fault(t):
        t.client.sh("ip", "link", "set", "vA", "mtu", "1000")
        if t.way == "up":
            at = carried(t.server, "vB")
            wait_for("bytes at an MTU of 1000",
                     lambda: carried(t.server, "vB") > at + SIZE // 4, 30)
        else:  # what the server sends is too long for the interface: nothing arrives for a while
            time.sleep(0.5)
        t.client.sh("ip", "link", "set", "vA", "mtu", "1500")
    each_way(lab, "MTU", fault)


@case("faults: the interface's MAC and the kernel's own address change under a transfer")
def own(lab):
    def fault(t):
        t.client.sh("ip", "link", "set", "vA", "address", "02:00:00:00:00:77")
        t.client.sh("ip", "address", "del", f"{world.HOST_IP}/24", "dev", "vA")
        time.sleep(0.2)
        t.client.sh("ip", "address", "add", "10.77.0.10/24", "dev", "vA")
        t.client.sh("ip", "address", "flush", "dev", "vA")
        t.client.address("vA", f"{world.HOST_IP}/24")
    each_way(lab, "MAC and address", fault)


@case("faults: the peer gets another MAC under a transfer")
def peer(lab):
    macs = iter(("02:00:00:00:00:88", "02:00:00:00:00:89"))

    def fault(t):
        t.server.sh("ip", "link", "set", "vB", "address", next(macs))
    each_way(lab, "the peer's MAC", fault)


@case("faults: the interface is deleted, and made again: an error in words, and the next run works")
def deleted(lab):
    t = Transfer(lab, "down")
    for way in ("down", "up"):
        t.client.sh("ip", "link", "del", "vA")
        code, words = t.failed()
        equal(f"{way}: exit ({words.strip()})", code, 45)
        hold("the words name it", "lan:vA went away" in words, words)
        t.bump.stop()
        lab.cable(t.client, "vA", t.bump.node, "bA")
        t.client.address("vA", f"{world.HOST_IP}/24")
        t.bump.start(1)
        if way == "down":
            again(t, "up")
    again(t, "up").finished("made again")


@case("faults: the interface goes down for good: an error in words, and no hang")
def down_for_good(lab):
    t = Transfer(lab, "down")
    t.client.sh("ip", "link", "set", "vA", "down")
    code, words = t.failed()
    equal(f"exit ({words.strip()})", code, 45)
    hold("the words name it", "lan:vA went away" in words, words)
