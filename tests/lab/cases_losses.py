# SPDX-License-Identifier: BSD-2-Clause
"""A bad network: every single frame lost in turn, and loss, delay and reordering together. The
body arrives intact each time, and what was missing is said again."""
import json

import world
from case import case
from peers import Tern, nginx, url
from wire import packets
from world import equal, hold, sha256

FORTY = 40 * 1448


def frames_of(lab, tern, fetch):
    """How many frames an undisturbed transfer takes each way."""
    tern.flags += ["--stats", "stats.json"]
    fetch()
    tern.flags = tern.flags[:-2]
    with open(lab.path("stats.json")) as text:
        frames = json.load(text)["frames"]
    return frames["in"], frames["out"]


def drop_each(lab, way, upload):
    client, server = lab.pair(offloads=False)
    whole = lab.noise("www/forty.bin", FORTY)
    wanted = sha256(whole)
    nginx(lab, server)
    tern = Tern(client)

    def move():
        if upload:
            result = tern.get("-sS", "-T", whole, url("/up/forty.bin"))
        else:
            result = tern.get("-sS", "-o", "f", url("/forty.bin"))
        hold(f"tern get {' '.join(tern.flags[4:])}", result.code == 0, result.text())
        equal(f"sha256, {' '.join(tern.flags[4:])}",
              sha256(lab.path("up/forty.bin" if upload else "f")), wanted)
        return result.seconds

    total = frames_of(lab, tern, move)[0 if way == "in" else 1]
    hold("a transfer of some frames", total >= 5, str(total))
    slowest = 0.0
    for n in range(1, total + 1):
        tern.flags = tern.flags[:4] + ["--impair", f"{way} drop {n}"]
        slowest = max(slowest, move())
    lab.note(f"each of {total} frames lost once; the slowest run took {slowest:.2f} s")


@case("missing packets: download, every frame to us lost in turn", seconds=240)
def download_in(lab):
    drop_each(lab, "in", False)


@case("missing packets: download, every frame from us lost in turn", seconds=240)
def download_out(lab):
    drop_each(lab, "out", False)


@case("missing packets: upload, every frame to us lost in turn", seconds=240)
def upload_in(lab):
    drop_each(lab, "in", True)


@case("missing packets: upload, every frame from us lost in turn", seconds=240)
def upload_out(lab):
    drop_each(lab, "out", True)


@case("missing packets: what was lost is said again, and the log names what noticed",
      programs=["tshark"])
def noticed(lab):
    client, server = lab.pair(offloads=False)
    whole = lab.noise("www/forty.bin", FORTY)
    nginx(lab, server)
    before = server.counter("TcpRetransSegs")
    # The tenth frame in is a data segment from the middle of the server's first flight.
    Tern(client, flags=["--impair", "in drop 10", "--pcap", "in.pcapng"]).fetch(
        url("/forty.bin"), "f")
    hold("the server sent again", server.counter("TcpRetransSegs") > before)
    sacks = packets(lab.path("in.pcapng"), f"tcp.options.sack_le and ip.src == {world.TERN_IP}",
                    "tcp.options.sack.count")
    hold("our ACKs told of the hole (SACK)", sacks)
    hold("and were duplicates", packets(lab.path("in.pcapng"), "tcp.analysis.duplicate_ack and "
                                        f"ip.src == {world.TERN_IP}", "frame.number"))
    result = Tern(client, flags=["--impair", "out drop 12", "--stats", "s.json", "--pcap",
                                 "out.pcapng"]).get("-sS", "-T", whole, url("/up/forty.bin"))
    equal("exit", result.code, 0)
    again = packets(lab.path("out.pcapng"), "frame.comment contains \"again\" or "
                    "frame.comment contains \"etrans\" or frame.comment contains \"esen\" or "
                    "frame.comment contains \"lost\"", "frame.comment")
    hold("the capture says which packet was a repeat, and why", again)
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
