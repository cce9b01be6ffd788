# SPDX-License-Identifier: BSD-2-Clause
"""Two stacks in two threads share one address: answers and callers of the kernel find theirs."""
import json
import os
import subprocess

import world
from case import case
from cases_tap import KERNEL, OWN, tap
from peers import PYTHON
from wire import Capture, count
from world import SERVER, TERN_IP, equal, hold

PROGRAM = os.path.join(os.path.dirname(world.TERN), "tests", "lab", "lab-two-queues")
CALLERS, AT_ONCE, CALLS, PORT = 2000, 200, 300, 8080
SENDERS, EACH_SENDS = 8, 1 << 20

# Greets each caller with a byte, and waits for it to close.
GREETER = """
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=100)
print("ready", flush=True)
while True:
    with s.accept()[0] as c:
        c.sendall(b"!")
        c.recv(1)
"""

# Connects so many times, so many at once; the first few send much. Prints how many were greeted,
# and then saw an orderly end.
CALLER = """
import socket, sys
address, count, at_once, senders, each = sys.argv[1], *map(int, sys.argv[2:])
greeted = ended = 0
for first in range(0, count, at_once):
    calls = [socket.create_connection((address, 80), 30) for _ in range(at_once)]
    for i, s in enumerate(calls):
        greeted += s.recv(6, socket.MSG_WAITALL) == b"hello\\n"
        if first + i < senders:
            s.sendall(bytes(each))
        s.shutdown(socket.SHUT_WR)
    for s in calls:
        ended += s.recv(1) == b""
        s.close()
print(greeted, ended)
"""


def said(path):
    """The last that each of the two told of itself."""
    with open(path) as text:
        lines = text.read().split("\n")[:-1]
    last = {row["queue"]: row for row in map(json.loads, lines)}
    return [last[0], last[1]] if len(last) == 2 else None


class Place:
    """Where the kernel is and where the two stacks are, and the wire between them."""

    def __init__(self, kernel_node, kernel, node, own, link, wire):
        self.kernel_node, self.kernel, self.node, self.own = kernel_node, kernel, node, own
        self.link, self.wire = link, wire


def start_both(lab, place):
    """The program; and a function of what both tell, which fails where it has ended."""
    path, errors = lab.path("said"), lab.path("errors")
    with open(path, "wb") as out, open(errors, "wb") as err:
        both = place.node.start(PROGRAM, place.link, f"{place.own}/24", place.kernel, str(PORT),
                                str(CALLS), stdout=out, stderr=err)

    def told():
        with open(errors) as text:
            hold("it lives", both.poll() is None, text.read())
        return said(path)

    world.wait_for("both to serve", told, 30)
    return told


def judge_arp(lab, place):
    """Asked once, our address is told once: by one of the two."""
    capture = Capture(lab, place.kernel_node, place.wire, only="arp")
    asked = place.kernel_node.run(PYTHON, os.path.join(os.path.dirname(__file__), "peer_arp.py"),
                                  "ask", place.wire, place.own)
    hold("who-has is answered", asked.code == 0 and asked.out, asked.text())
    place.kernel_node.run("ping", "-c", "3", "-i", "0.2", place.own)  # time for a second answer
    path = capture.stop()
    ours, asks = f"arp.src.proto_ipv4 == {place.own}", f"arp.dst.proto_ipv4 == {place.own}"
    equal("answers, one to a question", count(path, f"arp.opcode == 2 and {ours}"),
          count(path, f"arp.opcode == 1 and {asks} and not {ours}"))


def serve_and_call(lab, place):
    """Callers of the kernel's, and calls to it, from both queues at once."""
    if not os.path.exists(PROGRAM):
        raise world.Skipped(f"{PROGRAM} is not built")
    greeter = place.kernel_node.start(PYTHON, "-c", GREETER, place.kernel, str(PORT),
                                      stdout=subprocess.PIPE)
    equal("the greeter", greeter.stdout.readline(), b"ready\n")
    told = start_both(lab, place)
    callers = place.kernel_node.run(PYTHON, "-c", CALLER, place.own, *map(str, (
        CALLERS, AT_ONCE, SENDERS, EACH_SENDS)), seconds=90)
    equal("callers greeted, and ended in order", callers.out.decode().split(),
          [str(CALLERS), str(CALLERS)])
    wanted = CALLERS, SENDERS * EACH_SENDS, 2 * CALLS

    def done():
        rows = told()
        sums = tuple(sum(row[key] for row in rows)
                     for key in ("accepted", "bytes", "calls_answered"))
        return rows if sums >= wanted and sums[2] >= wanted[2] else None

    judge(lab, world.wait_for("all callers and calls to be counted", done, 60), wanted)


def judge(lab, rows, wanted):
    for row in rows:
        equal(f"calls of queue {row['queue']} answered", row["calls_answered"], CALLS)
        equal("its calls that failed", row["calls_failed"], 0)
        equal("its resets", row["resets_out"], 0)
        hold("it served a fair part", row["accepted"] > CALLERS / 4, str(rows))
    equal("accepted", sum(row["accepted"] for row in rows), CALLERS)
    equal("bytes swallowed", sum(row["bytes"] for row in rows), wanted[1])
    lab.note(f"served {[row['accepted'] for row in rows]}, sent again "
             f"{[row['retransmits'] for row in rows]}")


@case("queues: two stacks share an address; callers and answers find theirs")
def two(lab):
    client, server = lab.pair()
    place = Place(server, SERVER, client, TERN_IP, "lan:vA", "vB")
    serve_and_call(lab, place)
    judge_arp(lab, place)


@case("queues: two stacks on two queues of a TAP; callers and answers find theirs")
def two_of_a_tap(lab):
    node = lab.node("host")
    tap(lab, node, "multi_queue")
    place = Place(node, KERNEL, node, OWN, "tap:tap0", "tap0")
    serve_and_call(lab, place)
    judge_arp(lab, place)


@case("queues: a TAP that was made for one is refused to several, in words")
def tap_for_one(lab):
    node = lab.node("host")
    tap(lab, node)
    done = node.run(PROGRAM, "tap:tap0", f"{OWN}/24", KERNEL, str(PORT), "0")
    hold("it is refused", done.code == 2 and "multi_queue" in done.text(), done.text())
