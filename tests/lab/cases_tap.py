# SPDX-License-Identifier: BSD-2-Clause
"""A TAP: tern at its descriptor, the kernel's TCP at its interface."""
import json
import os

import world
from case import case
from peers import PYTHON, nginx
from world import equal, hold, sha256

KERNEL, OWN = "10.78.0.2", "10.78.0.5"


def tap(lab, node, *words):
    """A TAP that is there already, its kernel's end up and with an address."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise world.Skipped("/dev/net/tun is not to be opened by this user")
    node.sh("ip", "tuntap", "add", "tap0", "mode", "tap", *words)
    node.sh("ip", "link", "set", "tap0", "up")
    node.address("tap0", f"{KERNEL}/24")


def tern(node, verb, *words, link="tap:tap0", **options):
    return node.run(world.TERN, verb, "--link", link, "--address", f"{OWN}/24", *words, **options)


@case("tap: a page both ways, in super-segments")
def pages(lab):
    node = lab.node("host")
    tap(lab, node)
    whole = lab.noise("www/20m.bin", 20_000_000)
    nginx(lab, node, address=KERNEL)
    down = tern(node, "get", "-sS", "-o", "f", "--stats", "down.json",
                f"http://{KERNEL}/20m.bin")
    hold("tern get", down.code == 0, down.text())
    equal("sha256 down", sha256(lab.path("f")), sha256(whole))
    up = tern(node, "get", "-sS", "-T", whole, "--pcap", "up.pcapng",
              f"http://{KERNEL}/up/20m.bin")
    hold("tern get -T", up.code == 0, up.text())
    equal("sha256 up", sha256(lab.path("up/20m.bin")), sha256(whole))
    with open(lab.path("down.json")) as text:
        stats = json.load(text)
    hold("fewer frames than segments", stats["frames"]["in"] < stats["tcp"]["segments_in"] / 4,
         f"{stats['frames']['in']} frames, {stats['tcp']['segments_in']} segments")
    equal("frames that did not fit", stats["frames"]["dropped_in"], 0)
    hold("the device is still there", "tap0" in node.sh("ip", "link", "show", "tap0"))


@case("tap: one that is not there is made, and goes away again")
def made(lab):
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise world.Skipped("/dev/net/tun is not to be opened by this user")
    node = lab.node("host")
    run = tern(node, "get", "-sS", "--connect-timeout", "1", f"http://{KERNEL}/", link="tap:tern9")
    equal("exit code with nobody there", run.code, 28 if "timed out" in run.text() else 7)
    hold("no device is left", "tern9" not in node.sh("ip", "link"), node.sh("ip", "link"))


@case("tap: mistakes are told in words")
def mistakes(lab):
    node = lab.node("host")
    tap(lab, node)
    other = tern(node, "get", "-sS", f"http://{KERNEL}/", link="tap:lo")
    equal("an interface that is no tap: exit code", other.code, 45)
    hold("what it says", "no tap" in other.text(), other.text())
    missing = tern(node, "get", "-sS", f"http://{KERNEL}/", link="tap:/dev/tap4711")
    equal("a macvtap that is not there: exit code", missing.code, 45)
    taken = node.run(world.TERN, "get", "-sS", "--link", "tap:tap0", "--address", f"{KERNEL}/24",
                     f"http://{KERNEL}/")
    equal("the kernel's own address: exit code", taken.code, 45)
    hold("what it says", "in use" in taken.text(), taken.text())


@case("tap: a second tern on it is refused, a device deleted under it is an error")
def lost(lab):
    node = lab.node("host")
    tap(lab, node)
    listener = node.start(PYTHON, "-c", "import socket,time\n"
                          f"s = socket.create_server(('{KERNEL}', 80))\n"
                          "c, _ = s.accept()\nc.recv(9999)\ntime.sleep(60)")
    world.wait_for("a listener", lambda: ":80 " in node.sh("ss", "-Htln"))
    first = node.start(world.TERN, "get", "-sS", "--link", "tap:tap0", "--address", f"{OWN}/24",
                       f"http://{KERNEL}/", stderr=open(lab.path("first.err"), "wb"))
    world.wait_for("a connection", lambda: "ESTAB" in node.sh("ss", "-Htan"))
    second = tern(node, "get", "-sS", f"http://{KERNEL}/")
    equal("a second tern: exit code", second.code, 45)
    hold("what it says", "somebody else has it open" in second.text(), second.text())
    node.sh("ip", "link", "delete", "tap0")
    equal("exit code without the device", first.wait(timeout=20), 45)
    with open(lab.path("first.err")) as text:
        said = text.read()
    hold("it says why", "tap0" in said or "link" in said, said)
    lab.stop(listener)
