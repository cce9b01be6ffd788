# SPDX-License-Identifier: BSD-2-Clause
"""tern bench: does each workload end well, and count what there was? Speed is not judged here."""
import json
import os
import signal

import world
from case import case
from world import SERVER, TERN_IP, equal, hold

TAP_KERNEL, TAP_OWN = "10.78.0.2", "10.78.0.5"
LAN = ("--link", "lan:vA", "--address", f"{TERN_IP}/24")
TAP = ("--link", "tap:tap0", "--address", f"{TAP_OWN}/24")
KERNEL = ("--link", "kernel")
SMALL = {
    "recv": ("--bytes", "20000000", "--streams", "3"),
    "send": ("--bytes", "20000001", "--streams", "3"),
    "rr": ("--count", "60", "--streams", "2", "--message", "3000"),
    "conn": ("--count", "60", "--streams", "2"),
}


def peer(lab, node, *words):
    """A peer that listens."""
    child = node.start(world.TERN, "bench", "peer", *words, stderr=open(lab.path("peer.err"), "wb"))

    def listens():
        with open(lab.path("peer.err")) as text:
            return "listening on port 5201" in text.read()

    world.wait_for("the peer to listen", listens)
    return child


def figures(node, workload, host, *words):
    """A run's JSON, judged as far as it goes without a clock."""
    run = node.run(world.TERN, "bench", workload, "--json", *SMALL[workload], *words, host)
    hold(f"{workload} {' '.join(words)}", run.code == 0, run.text())
    told = json.loads(run.out)
    wanted = {"recv": 20000000, "send": 20000001, "rr": 60 * 2 * 3000, "conn": 120}[workload]
    equal(f"{workload}: bytes", told["bytes"], wanted)
    hold("bits_per_second", abs(told["bits_per_second"] * told["seconds"] / 8 - wanted) < 1,
         run.out.decode())
    if workload == "rr":
        equal("transactions", told["transactions"], 60)
    if workload == "conn":
        equal("connections", told["connections"], 60)
    if workload in ("rr", "conn"):
        times = told["latency_us"]
        hold("percentiles in order", 0 < times["min"] <= times["p50"] <= times["p90"] <=
             times["p99"] <= times["p99.9"] <= times["max"], str(times))
    hold("CPU was used", told["cpu_utilization_percent"]["host_total"] > 0, run.out.decode())
    return told


def all_four(lab, client, host, words, server, peer_words):
    child = peer(lab, server, *peer_words)
    for workload in SMALL:
        figures(client, workload, host, *words)
    equal("the peer's exit code after ^C", lab.stop(child, signal.SIGINT), 0)


@case("bench: every workload, tern on an interface against the kernel, and the other way round")
def interface(lab):
    client, server = lab.pair()
    all_four(lab, client, SERVER, LAN, server, KERNEL)
    all_four(lab, server, TERN_IP, KERNEL, client, LAN)


@case("bench: every workload, kernel against kernel, in each way to wait")
def kernel(lab):
    client, server = lab.pair()
    all_four(lab, client, SERVER, (*KERNEL, "--spin", "--congestion", "cubic"), server, KERNEL)
    all_four(lab, client, SERVER, (*KERNEL, "--block"), server, (*KERNEL, "--block"))


@case("bench: a TAP with and without offloads, spinning and blocking")
def tap(lab):
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise world.Skipped("/dev/net/tun is not to be opened by this user")
    node = lab.node("host")
    node.sh("ip", "tuntap", "add", "tap0", "mode", "tap")
    node.sh("ip", "link", "set", "tap0", "up")
    node.address("tap0", f"{TAP_KERNEL}/24")
    all_four(lab, node, TAP_KERNEL, (*TAP, "--spin"), node, KERNEL)
    child = peer(lab, node, *KERNEL)
    frames = {}
    for flag in ("--copy", "--no-offload"):
        for workload in ("recv", "send"):
            figures(node, workload, TAP_KERNEL, *TAP, flag, "--block", "--stats",
                    f"{workload}{flag}.json")
            with open(lab.path(f"{workload}{flag}.json")) as text:
                frames[workload + flag] = json.load(text)["frames"]
    lab.stop(child, signal.SIGINT)
    for workload, way in (("recv", "in"), ("send", "out")):
        hold(f"{workload} without offloads comes in single segments",
             frames[workload + "--no-offload"][way] > 20000000 / 1500,
             str(frames[workload + "--no-offload"]))
        hold(f"{workload} with offloads does not",
             frames[workload + "--copy"][way] < 20000000 / 1500 / 2,
             str(frames[workload + "--copy"]))


@case("bench: the lab by itself; ^C; nobody there; usage")
def ends(lab):
    alone = lab.node("alone")
    run = alone.run(world.TERN, "bench", "recv", "--link", "lab", "--bytes", "5M")
    hold("--link lab", run.code == 0 and b"recv" in run.out, run.text())
    client, server = lab.pair()
    nobody = client.run(world.TERN, "bench", "recv", *LAN, SERVER)
    equal("nobody there: exit code", nobody.code, 1)
    hold("what it says", "connection refused" in nobody.text(), nobody.text())
    child = peer(lab, server, *KERNEL)
    long = client.start(world.TERN, "bench", "send", *LAN, "--json", "--seconds", "100", SERVER,
                        stdout=open(lab.path("out"), "wb"))
    world.wait_for("bytes", lambda: "ESTAB" in server.sh("ss", "-Htan"))
    equal("^C: exit code", lab.stop(long, signal.SIGINT), 130)
    with open(lab.path("out")) as text:
        told = json.load(text)
    hold("it says that it was interrupted", told["interrupted"], str(told))
    world.wait_for("the peer's socket to go", lambda: not [
        line for line in server.states() if "ESTAB" in line])
    equal("usage: exit code", client.run(world.TERN, "bench", "fly", SERVER).code, 2)
    lab.stop(child, signal.SIGINT)
