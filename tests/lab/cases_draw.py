# SPDX-License-Identifier: BSD-2-Clause
"""tern draw on captures of others: two kernels talk over a bump in the wire, dumpcap listens at
either end, and the model's counts are held against those of tshark's experts, packet by packet,
and of tcptrace. Where they differ, a rule of docs/man/tern-draw.1 says why (judge_draw.py)."""
import json
import os
import subprocess

import judge_draw
import world
from bump import bumped_pair
from case import case
from peers import PYTHON, HERE, wait_listening
from wire import Capture, tshark
from world import SERVER, equal, hold

PORT = 9000
STORIES = os.path.join(HERE, "peer_stories.py")


def serve(lab, node, address=SERVER):
    log = lab.path("stories.log")
    with open(log, "wb") as words:
        child = node.start(PYTHON, STORIES, "serve", address, str(PORT), stdout=words, stderr=words)
    wait_listening(node, PORT, child, log)


def call(client, *words, address=SERVER):
    return client.run(PYTHON, STORIES, "call", address, str(PORT), *words, seconds=60)


def draw_json(path, *words, codes=(0,)):
    done = subprocess.run([world.TERN, "draw", path, "--json", "-", *words], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    hold(f"tern draw {os.path.basename(path)}", done.returncode in codes, done.stderr.decode())
    return json.loads(done.stdout)


def ladder(path, *words):
    done = subprocess.run([world.TERN, "draw", path, *words], check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    hold(f"the ladder of {os.path.basename(path)}", done.returncode == 0, done.stderr.decode())
    return done.stdout.decode()


def told(lab, client, server, words, name, ends=("client", "server"), address=SERVER, snap=0):
    """A conversation, captured at both ends: {end: path}."""
    nodes = {"client": (client, "vA"), "server": (server, "vB")}
    running = {end: Capture(lab, *nodes[end], name=f"{name}-{end}.pcapng", only="tcp", snap=snap)
               for end in ends}
    result = call(client, *words, address=address)
    hold(f"{name}: the call", result.code == 0 or words[0] == "abort", result.text())
    return {end: capture.stop() for end, capture in running.items()}


def judged(lab, paths, name):
    """Every capture's figures, against the judges'; a row of the table each."""
    figures = {}
    for end, path in paths.items():
        ours = draw_json(path)
        lab.note(judge_draw.compare(f"{name}, at the {end}", path, ours))
        figures[end] = ours["connections"]
    return figures


def one(figures, end):
    """The call's connection. The last words of the call before it may come when the capture has
    begun: they are a connection as well, a short one that did not open there."""
    longest = max(figures[end], key=lambda c: c["segments"])
    opened = [c for c in figures[end] if c["client_side"]["mss"] or c["server_side"]["mss"]]
    equal(f"connections that opened, at the {end}", opened, [longest])
    hold(f"connections at the {end}",
         all(c is longest or 4 * c["segments"] < longest["segments"] for c in figures[end]),
         str([c["segments"] for c in figures[end]]))
    return longest


@case("draw: losses, seen from either end", programs=("dumpcap", "tshark"))
def losses(lab):
    client, server, bump = bumped_pair(lab, "delay 10ms in drop 30 drop 50 drop 51",
                                       offloads=False)
    serve(lab, server)
    paths = told(lab, client, server, ["get", "200000"], "lost")
    figures = judged(lab, paths, "three lost")
    for end in ("client", "server"):
        c = one(figures, end)
        equal(f"bytes at the {end}", c["bytes"]["server"], 200000)
        hold(f"sent again at the {end}", c["server_side"]["retransmissions"] >= 3)
        equal(f"closed at the {end}", c["closed"], "fin")
    hold("by fast retransmission",
         one(figures, "server")["server_side"]["retransmitted_by"]["fast"] >= 3)
    hold("lost segments end midway", "✗" in ladder(paths["server"]))
    hold("a hole at the client", "missing" in ladder(paths["client"]))
    parts(lab, paths)
    bump.again(1, "delay 10ms loss 3%")
    judged(lab, told(lab, client, server, ["put", "400000"], "put"), "an upload with losses")


def parts(lab, paths):
    """A capture without its beginning, and one of one direction."""
    middle = lab.path("middle.pcapng")
    tshark(paths["client"], "-Y", "frame.number > 25", "-w", middle)
    c = draw_json(middle)["connections"][0]
    hold("mid-stream is said", any("beginning" in words for words in c["capture_lacks"]), str(c))
    lab.note(judge_draw.compare("mid-stream", middle, draw_json(middle)))
    alone = lab.path("one-sided.pcapng")
    tshark(paths["server"], "-Y", f"ip.src == {SERVER}", "-w", alone)
    c = draw_json(alone)["connections"][0]
    hold("one-sided is said", any("direction" in words for words in c["capture_lacks"]), str(c))
    lab.note(judge_draw.compare("one-sided", alone, draw_json(alone)))
    holed = lab.path("holed.pcapng")
    tshark(paths["client"], "-Y", "!(frame.number >= 40 && frame.number <= 44)", "-w", holed)
    c = draw_json(holed)["connections"][0]
    hold("what the capture missed is said", any("missed" in words for words in c["capture_lacks"]),
         str(c["capture_lacks"]))


@case("draw: timeouts, needless retransmissions, late segments", programs=("dumpcap", "tshark"))
def timers(lab):
    client, server, bump = bumped_pair(lab, "delay 5ms in drop 22 drop 23 drop 24", offloads=False)
    serve(lab, server)
    figures = judged(lab, told(lab, client, server, ["get", "28960"], "tail"), "a lost tail")
    by = one(figures, "server")["server_side"]["retransmitted_by"]
    hold("a timer noticed", by["timeout"] + by["tail_probe"] >= 1, str(by))
    bump.again(2, "delay 5ms " + "out " + " ".join(f"drop {n}" for n in range(4, 25)))
    figures = judged(lab, told(lab, client, server, ["get", "14480"], "acks"), "lost ACKs")
    needless = one(figures, "client")["server_side"]["spurious_by"]
    hold("needless, as the client's ACKs show", needless["acknowledged_before"] >= 1, str(needless))
    bump.again(3, "delay 8ms jitter 6ms")
    paths = told(lab, client, server, ["get", "300000"], "jitter")
    figures = judged(lab, paths, "jitter")
    hold("late segments", one(figures, "client")["out_of_order"] >= 10)
    lab.note(judge_draw.hold_truth("jitter", paths["client"], paths["server"], str(PORT),
                                   draw_json(paths["client"])))


@case("draw: windows, keep-alives, resets, silence", programs=("dumpcap", "tshark"))
def windows(lab):
    client, server, _ = bumped_pair(lab, "delay 2ms", offloads=False)
    serve(lab, server)
    figures = judged(lab, told(lab, client, server, ["lazy", "300000", "1200"], "lazy"),
                     "a lazy reader")
    for end in ("client", "server"):
        c = one(figures, end)
        hold(f"zero windows at the {end}", c["zero_windows"] >= 1, str(c))
        hold(f"the window is to blame at the {end}", "receive window" in c["slow_because"],
             c["slow_because"])
    figures = judged(lab, told(lab, client, server, ["keep", "3"], "keep"), "keep-alives")
    hold("keep-alives", one(figures, "client")["keep_alives"] >= 1)
    figures = judged(lab, told(lab, client, server, ["abort", "2000000"], "abort"), "a reset")
    for end in ("client", "server"):
        equal(f"closed at the {end}", one(figures, end)["closed"], "reset")
        equal(f"reset by, at the {end}", one(figures, end)["reset_by"], "client")
    figures = judged(lab, told(lab, client, server, ["think", "400", "5000"], "think"),
                     "a server that thinks")
    hold("the server is to blame", "the server: for" in one(figures, "client")["slow_because"])
    figures = judged(lab, told(lab, client, server, ["talk", "40"], "talk"), "questions")
    trip = one(figures, "client")["rtt_ms"]
    hold("the round trip", 3.9 <= trip["min"] <= 6, str(trip))


@case("draw: IPv6, super-segments, cut packets", programs=("dumpcap", "tshark"))
def shapes(lab):
    client, server = lab.pair(offloads=True)
    for node, interface, address in ((client, "vA", "fd77::9"), (server, "vB", "fd77::2")):
        node.sysctl(f"net/ipv6/conf/{interface}/disable_ipv6", 0)
        node.sh("ip", "-6", "address", "add", f"{address}/64", "dev", interface, "nodad")
    serve(lab, server)
    figures = judged(lab, told(lab, client, server, ["get", "3000000"], "merged"), "merged")
    c = one(figures, "client")
    hold("merged packets", c["server_side"]["merged_packets"] > 10, str(c["server_side"]))
    hold("merged is said", any("put together" in words for words in c["capture_lacks"]))
    snapped = told(lab, client, server, ["get", "500000"], "cut", snap=60)
    c = one(judged(lab, snapped, "cut after 60 bytes"), "client")
    equal("bytes of cut packets", c["bytes"]["server"], 500000)
    hold("cut is said", any("cut when captured" in words for words in c["capture_lacks"]))
    lab.stop(lab.children[0])
    serve(lab, server, "fd77::2")
    six = told(lab, client, server, ["get", "50000"], "six", address="fd77::2")
    c = one(judged(lab, six, "IPv6"), "server")
    equal("the server's address", c["server"], f"[fd77::2]:{PORT}")
