# SPDX-License-Identifier: BSD-2-Clause
"""The failure that tern was born from: a server that says a hundred segments at once, and a reader
that cannot keep up. ACKs belong to the stack, so the server never has to say anything twice."""
import subprocess

import world
from case import case
from peers import PYTHON, Tern, curl, nginx, url
from wire import Capture, no_reset, segments
from world import TERN_IP, equal, hold, one_processor, sha256, unmoved

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


def longest_flight(seen):
    """The most bytes that the server had sent and we had not yet acknowledged."""
    first, sent, acked, most = {}, {}, {}, 0
    for s in seen:
        if s["src"] == world.SERVER:
            port, at = s["dstport"], s["seq_raw"] + s["len"]
            first.setdefault(port, s["seq_raw"])
            sent[port] = max(sent.get(port, 0), (at - first[port]) % 2**32)
            most = max(most, sent[port] - acked.get(port, 0))
        elif s["srcport"] in first and "A" in s["flags"]:
            acked[s["srcport"]] = (s["ack_raw"] - first[s["srcport"]]) % 2**32
    return most


@case("the burst: a reader of 1 kB each 10 ms; the window closes and opens", alone=True,
      programs=["tshark"])
def slow_reader(lab):
    # Where tern waits for a processor for longer than two round trips, the server sends a tail loss
    # probe: something new, or, once the window is full, the last segment again. How often that is
    # the scheduler decides, so as many as there were probes are excused; a timeout is not, nor
    # what goes again because of ACKs that tern sent.
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

    unmoved(lab, server, ["TcpRetransSegs", "TcpExtTCPTimeouts"], slowly,
            excused={"TcpRetransSegs": "TcpExtTCPLossProbes"})


def judge_window(lab, path):
    """The window closed and opened, and no ACK was late."""
    no_reset(path)
    ours = [s for s in segments(path, f"ip.src == {TERN_IP} and tcp")
            if "S" not in s["flags"] and "F" not in s["flags"]]
    windows = [s["window_size_value"] for s in ours]
    least = windows.index(min(windows))
    lab.note(f"window: {max(windows[:least + 1])} at most, {windows[least]} at least, "
             f"{max(windows[least:])} after that (unscaled)")
    hold("the window closed", windows[least] * 20 < max(windows), str(windows[least]))
    hold("and opened", max(windows[least:]) > 2 * windows[least] + 10)
    # Whatever the reader did, what arrived in order was acknowledged at once.
    hold("no ACK was late", longest_silence(segments(path)) < 0.2)


def longest_silence(seen):
    """The longest that a data segment waited for an ACK that covers it, in seconds."""
    waiting, longest = [], 0.0
    for s in seen:
        if s["src"] == world.SERVER and s["len"]:
            waiting.append((s["seq_raw"] + s["len"], s["time"]))
        elif s["src"] == TERN_IP:
            while waiting and (s["ack_raw"] - waiting[0][0]) % 2**32 < 2**31:
                longest = max(longest, s["time"] - waiting.pop(0)[1])
    return longest


@case("the burst: both cores busy, no more resends than to the kernel's own client", alone=True)
def busy(lab):
    client, server = lab.pair(offloads=False, route="initcwnd 100")
    lab.noise("www/burst.bin", BURST)
    nginx(lab, server)
    for _ in range(2):
        lab.start([PYTHON, "-c", "while True: pass"])
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
    hold("no more than to the kernel", sums["tern"] <= sums["curl"], str(sums))


@case("control: a client that never acknowledges makes the counters move")
def control(lab):
    client, server = lab.pair(route="initcwnd 100")
    lab.noise("www/burst.bin", BURST)
    nginx(lab, server)
    before = counters(server)
    child = client.start(PYTHON, "-c", SILENT)
    world.wait_for("resends", lambda: counters(server) != before, 20)
    child.kill()


# Asks, and takes the cable out before the answer is whole.
SILENT = """
import socket, subprocess, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(("10.77.0.2", 80))
s.sendall(b"GET /limited/burst.bin HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
s.recv(100)
subprocess.run(["ip", "link", "set", "vA", "down"], check=True)
time.sleep(30)
"""
