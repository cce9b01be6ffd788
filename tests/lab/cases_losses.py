# SPDX-License-Identifier: BSD-2-Clause
"""A bad network: every single frame lost in turn, and loss, delay and reordering together. The
body arrives intact each time, and what was missing is said again."""
import json

import world
from case import case
from judges import said_again, told_why
from peers import Tern, nginx, url
from wire import Capture, packets, segments
from world import equal, hold, sha256

FORTY = 40 * 1448


def frames_of(lab, client, server, move):
    """How many frames an undisturbed transfer takes each way, on the wire: of what tern counts
    one may be a super-segment."""
    capture = Capture(lab, server, "vB")
    move()
    senders = [row["eth.src"] for row in packets(capture.stop(), "eth", "eth.src")]
    server_sent = senders.count(server.mac("vB"))
    return {"in": server_sent,
            "out": len(senders) - server_sent - senders.count(client.mac("vA"))}


def drop_each(lab, way, upload, needed):
    """needed: how many of the frames cannot be missed, so that they have to come again."""
    client, server = lab.pair(offloads=False)
    whole = lab.noise("www/forty.bin", FORTY)
    wanted = sha256(whole)
    nginx(lab, server)
    tern = Tern(client, flags=["--stats", "stats.json"])

    def move():
        if upload:
            result = tern.get("-sS", "-T", whole, url("/up/forty.bin"))
        else:
            result = tern.get("-sS", "-o", "f", url("/forty.bin"))
        hold(f"tern get {' '.join(tern.flags[6:])}", result.code == 0, result.text())
        equal(f"sha256, {' '.join(tern.flags[6:])}",
              sha256(lab.path("up/forty.bin" if upload else "f")), wanted)
        return result.seconds

    total = frames_of(lab, client, server, move)[way]
    hold("a transfer of some frames", total >= 5, str(total))
    slowest, again, before = 0.0, 0, server.counter("TcpRetransSegs")
    for n in range(1, total + 1):
        tern.flags = tern.flags[:6] + ["--impair", f"{way} drop {n}"]
        slowest = max(slowest, move())
        with open(lab.path("stats.json")) as text:
            again += sum(c["retrans"] for c in json.load(text)["connections"])
    if way == "in":
        again = server.counter("TcpRetransSegs") - before
    hold("what was lost was said again", again >= needed, f"{again} of {needed}")
    lab.note(f"each of {total} frames lost once, {again} segments said again; the slowest run "
             f"took {slowest:.2f} s")


@case("missing packets: download, every frame to us lost in turn", seconds=240)
def download_in(lab):
    drop_each(lab, "in", False, needed=40)


@case("missing packets: download, every frame from us lost in turn", seconds=240)
def download_out(lab):
    drop_each(lab, "out", False, needed=2)  # SYN, request


@case("missing packets: upload, every frame to us lost in turn", seconds=240)
def upload_in(lab):
    drop_each(lab, "in", True, needed=1)  # the response


@case("missing packets: upload, every frame from us lost in turn", seconds=240)
def upload_out(lab):
    drop_each(lab, "out", True, needed=40)


@case("missing packets: what was lost is said again, and the log names what noticed",
      programs=["tshark"])
def noticed(lab):
    client, server = lab.pair(offloads=False)
    whole = lab.noise("www/forty.bin", FORTY)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    # The tenth frame in is a data segment from the middle of the server's first flight.
    Tern(client, flags=["--impair", "in drop 10", "--pcap", "in.pcapng"]).fetch(
        url("/forty.bin"), "f")
    hold("the server sent the same bytes again",
         said_again(segments(capture.stop(), more="tcp.payload"), world.SERVER) > 0)
    sacks = packets(lab.path("in.pcapng"), f"tcp.options.sack_le and ip.src == {world.TERN_IP}",
                    "tcp.options.sack.count")
    hold("our ACKs told of the hole (SACK)", sacks)
    hold("and were duplicates", packets(lab.path("in.pcapng"), "tcp.analysis.duplicate_ack and "
                                        f"ip.src == {world.TERN_IP}", "frame.number"))
    result = Tern(client, flags=["--impair", "out drop 12", "--stats", "s.json", "--pcap",
                                 "out.pcapng"]).get("-sS", "-T", whole, url("/up/forty.bin"))
    equal("exit", result.code, 0)
    seen = segments(lab.path("out.pcapng"), more="tcp.payload frame.comment")
    hold("we sent the same bytes again", said_again(seen, world.TERN_IP) > 0)
    hold("the capture says which packet was a repeat, and why", told_why(seen))
    with open(lab.path("s.json")) as text:
        connections = json.load(text)["connections"]
    hold("--stats counts it", any(c.get("retrans", 0) > 0 for c in connections),
         json.dumps(connections)[:300])


def bad_network(lab, words, size, upload=False):
    client, server = lab.pair(offloads=False)
    whole = lab.noise("www/big.bin", size)
    nginx(lab, server)
    flags = ["--impair", words, "--seed", "7", "--pcap", "bad.pcapng"]
    tern = Tern(client, flags=flags)
    if upload:
        result = tern.get("-sS", "-T", whole, url("/up/big.bin"), seconds=900)
    else:
        result = tern.get("-sS", "-o", "f", url("/big.bin"), seconds=900)
    hold("tern get", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("up/big.bin" if upload else "f")), sha256(whole))
    times = [float(p["frame.time_epoch"]) for p in
             packets(lab.path("bad.pcapng"), "tcp.len > 0", "frame.time_epoch")]
    stall = max(b - a for a, b in zip(times, times[1:]))
    lab.note(f"{size / 1e6:.0f} MB, '{words}': {result.seconds:.1f} s, longest stall {stall:.2f} s")
    hold("no stall of over 2 s", stall < 2, f"{stall:.2f} s")


@case("bad network: 2 % loss, 20 ms, reordering both ways, download", seconds=300)
def loss_download(lab):
    size = 100 if lab.long_runs else 5
    bad_network(lab, "loss 2% delay 20ms reorder 1%", size * 1000000)


@case("bad network: 2 % loss, 20 ms, reordering both ways, upload", seconds=300)
def loss_upload(lab):
    size = 100 if lab.long_runs else 5
    bad_network(lab, "loss 2% delay 20ms reorder 1%", size * 1000000, upload=True)


@case("bad network: duplicates and corruption", seconds=300)
def corrupt(lab):
    bad_network(lab, "duplicate 2% corrupt 1%", 3000000)


@case("control: the impaired link does impair")
def control(lab):
    client, server = lab.pair(offloads=False)
    lab.noise("www/forty.bin", FORTY)
    nginx(lab, server)
    result = Tern(client, flags=["--impair", "loss 100%"]).get(
        "-sS", "--connect-timeout", "2", "-o", "f", url("/forty.bin"))
    hold("nothing comes through", result.code in (7, 28), result.text())
