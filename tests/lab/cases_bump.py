# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's TCP (CUBIC) and tern's over the same bad network, in turns (bump.py).

Each transfer meets a bump begun anew with the seed of its round, so that both of a pair find the
same network; rates are compared within a pair and judged by the median of the pairs. A rate limit
or losses decide how fast they are, and not this machine. `up` is tern's sender against the
kernel's, `down` the kernel's sender with tern's receiver or its own.
"""
import hashlib
import os
import statistics
import subprocess

import world
from bump import bumped_pair, busy_machine
from case import case
from peers import PYTHON, Tern, curl, http_server, nginx, url
from wire import Capture, segments
from world import equal, hold, sha256, wait_for

ENDS = "tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0"
FLAGS = ["-sS", "-w", "%{time_total}"]


def down(client, who, name):
    arguments = ["-o", "f-" + who, url("/" + name)]
    result = Tern(client).get(*FLAGS, *arguments) if who == "tern" \
        else curl(client, *FLAGS, *arguments)
    return result, "f-" + who


def up(client, who, name):
    arguments = ["-T", "www/" + name, url("/up/" + who)]
    result = Tern(client).get(*FLAGS, *arguments) if who == "tern" \
        else curl(client, *FLAGS, *arguments)
    return result, "up/" + who


def transfer(lab, client, move, who, name="big.bin"):
    """Move a file; the rate in Mbit/s. The bytes are right."""
    result, path = move(client, who, name)
    equal(f"{who} {move.__name__}: exit ({result.text()})", result.code, 0)
    hold(f"{who} {move.__name__}: a file", os.path.exists(lab.path(path)), result.text())
    equal(f"{who} {move.__name__}: sha256", sha256(lab.path(path)), sha256(lab.path("www/" + name)))
    os.unlink(lab.path(path))
    return os.path.getsize(lab.path("www/" + name)) * 8 / float(result.out) / 1e6


class Rivals:
    """The two at the ends of a bump, and what they reach on it."""

    def __init__(self, lab, words, size):
        self.lab, self.rounds = lab, 15 if lab.long_runs else 0
        self.client, self.server, self.bump = bumped_pair(lab, words)
        lab.noise("www/big.bin", size * (3 if lab.long_runs else 1))
        nginx(lab, self.server)
        self.resets = Capture(lab, self.server, "vB", only=ENDS)

    def race(self, words, move, rounds=3, seed=1):
        """The median ratio of tern's rate to the kernel's, and the median rates of both."""
        pairs, machine = [], []
        for i in range(max(rounds, self.rounds)):
            pair = {}
            for who in ("kernel", "tern") if i % 2 == 0 else ("tern", "kernel"):
                self.bump.again(seed + i, words)
                pair[who] = transfer(self.lab, self.client, move, who)
                machine.append(busy_machine(self.bump.again(0)))
            pairs.append((pair["kernel"], pair["tern"]))
        ratio = statistics.median(tern / kernel for kernel, tern in pairs)
        self.lab.note(f"{words}: {move.__name__}, kernel/tern Mbit/s "
                      + ", ".join(f"{k:.1f}/{t:.1f}" for k, t in pairs) + f"; median {ratio:.2f}")
        if any(machine):
            self.lab.note(f"the machine was busy in {sum(map(bool, machine))} of {len(machine)}, "
                          f"for example: {max(machine, key=len)}")
        return ratio, *(statistics.median(pair[i] for pair in pairs) for i in (0, 1))

    def end(self):
        """Nobody reset a connection that was not closed. Of one that was, the kernel resets a late
        duplicate, and the next tern on the address the resent FIN of the one before."""
        self.bump.stop()
        no_early_reset(self.resets.stop())


def no_early_reset(path):
    closed = set()
    for s in segments(path):
        ports = frozenset(((s["src"], s["srcport"]), (s["dst"], s["dstport"])))
        if "F" in s["flags"]:
            closed.add(ports)
        hold(f"no RST from {s['src']}", "R" not in s["flags"] or ports in closed, str(s))


@case("bump: 1 % of all frames lost at 20 ms, sending: 90 % of the kernel's CUBIC and more")
def lossy_up(lab):
    words = "delay 10ms loss 1%"
    rivals = Rivals(lab, words, 2 << 20)
    ratio, *_ = rivals.race(words, up, rounds=5)
    rivals.end()
    hold("90 % of the kernel's", ratio >= 0.9, f"{ratio:.2f}")


@case("bump: 1 % of all frames lost at 20 ms, receiving")
def lossy_down(lab):
    words = "delay 10ms loss 1%"
    rivals = Rivals(lab, words, 2 << 20)
    ratio, *_ = rivals.race(words, down)
    rivals.end()
    least = 0.85 if lab.long_runs else 0.5  # three short transfers say little
    hold(f"{least} of the kernel's", ratio >= least, f"{ratio:.2f}")


@case("bump: 5 % of the frames overtake others")
def order(lab):
    rivals = Rivals(lab, "delay 10ms", 6 << 20)
    for move in (up, down):
        _, *plain = rivals.race("delay 10ms rate 50mbit", move, rounds=2)
        ratio, *crooked = rivals.race("delay 10ms rate 50mbit reorder 5%", move)
        own, tern = (a / b for a, b in zip(crooked, plain))
        lab.note(f"{move.__name__}: {tern:.2f} of what it is in order; the kernel alone {own:.2f}")
        if move == up:  # both have good and bad runs: three short transfers say little
            least = 0.9 if lab.long_runs else 0.5
            hold(f"{least} of the kernel's", ratio >= least, f"{ratio:.2f}")
        if move == up and lab.long_runs:
            hold("95 % of what it is in order", tern >= 0.95, f"{tern:.2f}")
    rivals.end()


@case("bump: a bottleneck of 100 Mbit/s at 40 ms with a queue of one round trip")
def bottleneck(lab):
    words = "delay 20ms rate 100mbit limit 520"
    rivals = Rivals(lab, words, 8 << 20)
    for move in (up, down):
        ratio, *_ = rivals.race(words, move)
        hold("two thirds of the kernel's", ratio >= 0.67, f"{ratio:.2f}")
    rivals.end()


@case("bump: bursts of losses, duplicates, corruption, and everything together")
def mixed(lab):
    rivals = Rivals(lab, "delay 10ms", 2 << 20)
    for words in ("delay 10ms rate 100mbit burst 0.1% 10", "delay 10ms rate 100mbit duplicate 2%",
                  "delay 10ms corrupt 0.5%",
                  "delay 10ms jitter 1ms rate 50mbit loss 0.3% burst 0.05% 4 duplicate 1% "
                  "corrupt 0.3% reorder 1%"):
        for move in (up, down):
            rivals.race(words, move, rounds=1)
    rivals.end()


def jain(rates):
    return sum(rates) ** 2 / (len(rates) * sum(rate * rate for rate in rates))


# Sends zeroes for so many seconds, with CUBIC by the route; or takes them on a port and tells when
# it had how many.
PUSH = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
until = time.monotonic() + float(sys.argv[3])
while time.monotonic() < until:
    s.sendall(bytes(20000))
"""
SINKS = """
import socket, sys, threading, time
got = {}
def sink(port):
    peer, _ = socket.create_server(("10.77.0.2", port)).accept()
    while data := peer.recv(1 << 16):
        got[port] = got.get(port, 0) + len(data)
ports = [int(p) for p in sys.argv[2:]]
for port in ports:
    threading.Thread(target=sink, args=(port,), daemon=True).start()
while len(got) < len(ports):
    time.sleep(0.01)
time.sleep(1)
before = dict(got)
time.sleep(float(sys.argv[1]))
print(*[got[port] - before[port] for port in ports])
"""


@case("bump: beside a flow of the kernel's CUBIC tern takes its share, and no more")
def fair(lab):
    seconds = 30 if lab.long_runs else 10
    client, server, bump = bumped_pair(lab, "delay 10ms rate 50mbit limit 170")
    path = lab.path("rates")
    with open(path, "wb") as out:
        sinks = server.start(PYTHON, "-c", SINKS, str(seconds), "9001", "9002", stdout=out)
    wait_for("the sinks", lambda: ":9002 " in server.sh("ss", "-Htln"))
    kernel = client.start(PYTHON, "-c", PUSH, world.SERVER, "9001", str(seconds + 30),
                          stderr=subprocess.DEVNULL)
    tern = Tern(client).start("nc", world.SERVER, "9002", stdin=open("/dev/zero", "rb"),
                              stderr=subprocess.DEVNULL)
    equal("the sinks", sinks.wait(timeout=seconds + 60), 0)
    kernel.kill()
    tern.kill()
    with open(path) as text:
        rates = [int(n) * 8 / seconds / 1e6 for n in text.read().split()]
    lab.note(f"kernel {rates[0]:.1f}, tern {rates[1]:.1f} Mbit/s of 50, Jain {jain(rates):.3f}")
    what = busy_machine(bump.stop())
    if what:
        lab.note(f"the machine was busy: {what}")
    hold("Jain's index", jain(rates) >= (0.9 if lab.long_runs else 0.7), f"{jain(rates):.3f}")
    hold("the bottleneck is used", sum(rates) >= 35, f"{sum(rates):.1f}")


@case("bump: tern listens, the kernel sends and is answered, over everything together")
def listening(lab):
    client, server, bump = bumped_pair(
        lab, "delay 5ms jitter 1ms loss 0.3% duplicate 1% corrupt 0.3% reorder 1%")
    sent, answer = lab.noise("sent", 1 << 20), lab.noise("answer", 1 << 20)
    with open(answer, "rb") as source, open(lab.path("got"), "wb") as got:
        tern = Tern(client).start("nc", "-l", "-N", "9000", stdin=source, stdout=got)
        done = server.run("socat", "-t30", "STDIO",
                          f"TCP:{world.TERN_IP}:9000,retry=50,interval=0.1",
                          stdin=open(sent, "rb").read(), seconds=60)
        equal("socat", done.code, 0)
        equal("tern nc -l", tern.wait(timeout=30), 0)
    equal("what tern got", sha256(lab.path("got")), sha256(sent))
    equal("what the kernel got", hashlib.sha256(done.out).hexdigest(), sha256(answer))
    bump.stop()


@case("bump: from python's http.server, over everything together")
def python(lab):
    client, server, bump = bumped_pair(
        lab, "delay 5ms jitter 1ms loss 0.3% duplicate 1% corrupt 0.3% reorder 1%")
    lab.noise("www/f.bin", 2 << 20)
    http_server(lab, server, lab.path("www"))
    Tern(client).fetch(f"http://{world.SERVER}:8000/f.bin", "f")
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/f.bin")))
    bump.stop()
