# SPDX-License-Identifier: BSD-2-Clause
"""The failure that tern was born from: a server that says a hundred segments at once, and a reader
that cannot keep up. ACKs belong to the stack, so the server never has to say anything twice."""
import subprocess

import world
from case import case
from judges import longest_flight, longest_silence, only_tails_again, window_breathed
from peers import PYTHON, Tern, curl, nginx, url
from wire import Capture, no_reset, segments
from world import equal, hold, one_processor, sha256, unmoved

BURST = 144800  # 100 segments of 1448 bytes
AGAIN = ("TcpRetransSegs", "TcpExtTCPLossProbes", "TcpExtTCPTimeouts")

# Reads standard input 1 kB each 10 ms for some seconds, then as fast as it comes, into a file.
READER = """
import sys, time
data, until = sys.stdin.buffer, time.monotonic() + float(sys.argv[2])
with open(sys.argv[1], "wb") as out:
    while time.monotonic() < until:
        piece = data.read(1000)
        if not piece:
            break
        out.write(piece)
        time.sleep(0.01)
    while piece := data.read(1 << 16):
        out.write(piece)
"""


def counters(server):
    return [server.counter(name) for name in AGAIN]


@case("the burst: initcwnd 100, the server says nothing twice", alone=True, programs=["tshark"])
def burst(lab):
    one_processor()
    client, server = lab.pair(offloads=False, route="initcwnd 100")
    lab.noise("www/burst.bin", BURST)
    nginx(lab, server)
    capture = Capture(lab, server, "vB", snap=128)

    def ten():
        for _ in range(10):
            Tern(client).fetch(url("/burst.bin"), "f")
            equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/burst.bin")))

    unmoved(lab, server, AGAIN, ten)
    no_reset(capture.stop())
    flight = longest_flight(segments(capture.path))
    lab.note(f"most bytes in flight at once: {flight}")
    hold("bursts beyond ten segments were seen", flight > 14480, str(flight))


@case("the burst: a reader of 1 kB each 10 ms; the window closes and opens", alone=True,
      programs=["tshark"])
def slow_reader(lab):
    # Where tern waits for a processor for longer than two round trips, the server sends a tail loss
    # probe: something new, or, once the window is full, the last segment again. How often that is
    # the scheduler decides, so such are told by the capture; nothing else may go again.
    one_processor()
    client, server = lab.pair(offloads=False, route="initcwnd 100")
    size = 30 * 1000 * 1000
    lab.noise("www/big.bin", size)
    nginx(lab, server)

    def slowly():
        capture = Capture(lab, server, "vB", name="slow.pcapng", snap=128)
        fetch = Tern(client).start("get", "-sS", "-o", "-", url("/big.bin"),
                                   stdout=subprocess.PIPE)
        reader = client.start(PYTHON, "-c", READER, "f", "3", stdin=fetch.stdout)
        fetch.stdout.close()
        equal("tern get", fetch.wait(timeout=60), 0)
        reader.wait(timeout=30)
        equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/big.bin")))
        judge_window(lab, capture.stop())

    unmoved(lab, server, ["TcpExtTCPTimeouts"], slowly)


def judge_window(lab, path):
    """The window closed and opened, and no ACK was late."""
    no_reset(path)
    seen = segments(path)
    lab.note("window: {} at most, {} at least, {} after that (unscaled)".format(
        *window_breathed(seen)))
    lab.note(f"{only_tails_again(seen)} probes of the tail")
    # Whatever the reader did, what arrived in order was acknowledged at once.
    hold("no ACK was late", longest_silence(seen) < 0.2)


@case("the burst: both cores busy, no more resends than to the kernel's own client", alone=True)
def busy(lab):
    client, server = lab.pair(offloads=False, route="initcwnd 100")
    lab.noise("www/burst.bin", BURST)
    nginx(lab, server)
    for _ in range(2):
        lab.start([PYTHON, "-c", "while True: pass"])

    def fifteen_each():
        sums = {"tern": 0, "curl": 0}
        for _ in range(15):
            for who, fetch in (("tern", lambda: Tern(client).fetch(url("/burst.bin"), "f")),
                               ("curl", lambda: curl(client, "-o", "f", url("/burst.bin")))):
                before = server.counter("TcpRetransSegs")
                fetch()
                sums[who] += server.counter("TcpRetransSegs") - before
                equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/burst.bin")))
        lab.note(f"15 bursts each with both cores busy: resent to tern {sums['tern']}, "
                 f"to the kernel {sums['curl']}")
        return sums["tern"] <= sums["curl"]

    # One or two by chance, to either; a stack that is late by itself is so each time.
    hold("no more than to the kernel, once of three times", any(fifteen_each() for _ in range(3)))


@case("control: a client that never acknowledges makes each of the burst's counters move")
def control(lab):
    client, server = lab.pair(route="initcwnd 100")
    before = counters(server)
    children = [server.start(PYTHON, "-c", WHEN_TOLD), client.start(PYTHON, "-c", SILENT)]
    world.wait_for("resends, probes and timeouts", lambda: all(
        now > was for now, was in zip(counters(server), before)), 20)
    for child in children:
        child.kill()


# Says a burst once somebody called and the file `go` is there.
WHEN_TOLD = f"""
import os, socket, time
s = socket.create_server(("10.77.0.2", 80))
peer, _ = s.accept()
while not os.path.exists("go"):
    time.sleep(0.01)
peer.sendall(bytes({BURST}))
time.sleep(30)
"""

# Calls, sees to it that no ACK finds its way any more, and asks for the burst.
SILENT = """
import socket, subprocess, time
while True:
    try:
        s = socket.create_connection(("10.77.0.2", 80))
        break
    except ConnectionRefusedError:
        time.sleep(0.01)
subprocess.run(["ip", "route", "add", "blackhole", "10.77.0.2/32"], check=True)
open("go", "w").close()
while s.recv(65536):
    pass
"""
