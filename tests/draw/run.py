#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tern draw on small captures: figures by a table, ladders by goldens, and what it says of files
that are none.   run.py TERN GOLDEN-FOLDER [--write]"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

sys.dont_write_bytecode = True
import captures  # noqa: E402

BOTH = ("retransmissions", "spurious_retransmissions", "out_of_order", "duplicate_acks",
        "zero_windows", "keep_alives", "resets")
# Story -> what it counts (nothing else may be counted), how it closed, words of slow_because.
TABLE = {
    "fast": ({"retransmissions": 1, "duplicate_acks": 6}, "fin", "the path: 23 ms"),
    "again_in_vain": ({"retransmissions": 2, "duplicate_acks": 3}, "fin", "timer ran out (1 seg"),
    "again_told": ({"retransmissions": 2, "duplicate_acks": 4}, "fin", "made good 2 segments"),
    "timeout": ({"retransmissions": 1}, "open", "the server: for 790 ms"),
    "probe": ({"retransmissions": 1}, "open", "timer ran out"),
    "needless_dsack": ({"retransmissions": 1, "spurious_retransmissions": 1,
                        "duplicate_acks": 1},
                       "open", "timer ran out"),
    "needless_once": ({"retransmissions": 1, "spurious_retransmissions": 1,
                       "duplicate_acks": 1}, "open", "timer ran out"),
    "needless_stamps": ({"retransmissions": 1, "spurious_retransmissions": 1}, "open",
                        "timer ran out"),
    "late": ({"out_of_order": 1}, "open", "opening: 20 ms until"),
    "missing": ({"retransmissions": 1}, "open", "the path: 32 ms"),
    "early_fin": ({"retransmissions": 1, "duplicate_acks": 1}, "open", "timer ran out"),
    "older_stamp": ({"out_of_order": 1}, "open", "the server: for 100 ms"),
    "window": ({"zero_windows": 3}, "fin", "the client's receive window"),
    "full_hole": ({"retransmissions": 1, "duplicate_acks": 3}, "fin",
                  "made good 1 segment"),
    "slow_acks": ({"retransmissions": 2, "spurious_retransmissions": 2}, "fin",
                  "the client's slow ACKs: for 860 ms"),
    "slow_link": ({}, "open", "the path: 234 ms"),
    "refused_probe": ({"zero_windows": 3}, "open", "the client's receive window"),
    "taken_probe": ({"zero_windows": 1}, "open", "the client's receive window"),
    "keep_alive": ({"keep_alives": 2}, "open", "the client: for"),
    "reset": ({"resets": 1}, "reset", "the path: 21 ms"),
    "given_up": ({"resets": 1}, "reset", "opening: 20 ms until"),
    "refused": ({"resets": 1}, "reset", "refused"),
    "nobody": ({"retransmissions": 2}, "open", "nobody answered: 3 SYNs"),
    "fast_open": ({}, "fin", "opening: 20 ms"),
    "fast_open_refused": ({"retransmissions": 1}, "open", "opening: 20 ms"),
    "halves": ({}, "open", "was complete; then the path: 20 ms"),
    "talk": ({}, "open", "the path: 18.0 s"),
}
BY = {"fast": {"fast": 1}, "timeout": {"timeout": 1}, "probe": {"tail_probe": 1},
      "missing": {"unknown": 1}, "fast_open_refused": {"fast": 1},
      "again_in_vain": {"fast": 1, "timeout": 1},
      "again_told": {"fast": 2}}
BY_CLIENT = ("fast_open_refused",)
NEEDLESS_BY = {"needless_dsack": "dsack", "needless_stamps": "timestamps"}
GOLDENS = ("fast", "early_fin", "timeout", "late", "missing", "window", "refused_probe",
           "taken_probe", "keep_alive", "reset", "refused", "nobody", "needless_dsack", "talk")


class Test:
    def __init__(self, tern, golden, write, folder):
        self.tern, self.golden, self.write, self.folder = tern, golden, write, folder
        self.failed = 0

    def hold(self, what, truth, detail=""):
        if not truth:
            self.failed += 1
            print(f"FAIL {what}: {detail}")

    def equal(self, what, got, wanted):
        self.hold(what, got == wanted, f"{got!r}, not {wanted!r}")

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def draw(self, *words, stdin=None):
        env = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        return subprocess.run([self.tern, "draw", *words], input=stdin, capture_output=True,
                              check=False, timeout=60, env=env)

    def figures(self, path, *words):
        done = self.draw(path, "--json", "-", *words)
        self.equal(f"exit code of {path}", done.returncode, 0)
        return json.loads(done.stdout)


def counts(t, name):
    wanted, closed, slow = TABLE[name]
    path = t.file(name + ".pcap", captures.pcap(getattr(captures, name)().packets))
    c = t.figures(path)["connections"][0]
    for field in BOTH:
        t.equal(f"{name}: {field}", c[field], wanted.get(field, 0))
    t.equal(f"{name}: closed", c["closed"], closed)
    t.hold(f"{name}: one opening", c["slow_because"].count("opening:") < 2, c["slow_because"])
    t.hold(f"{name}: slow because", slow in c["slow_because"], c["slow_because"])
    if name in BY:
        by = c["client_side" if name in BY_CLIENT else "server_side"]["retransmitted_by"]
        t.equal(f"{name}: by", {word: n for word, n in by.items() if n > 0}, BY[name])
    if name in NEEDLESS_BY:
        t.equal(f"{name}: shown by", c["server_side"]["spurious_by"][NEEDLESS_BY[name]], 1)
    return path


def golden(t, name, path):
    text = t.draw(path).stdout.decode()
    where = os.path.join(t.golden, name + ".txt")
    if t.write:
        with open(where, "w") as out:
            out.write(text)
    with open(where) as known:
        t.hold(f"{name}: ladder", text == known.read(), "it is now:\n" + text)
    t.hold(f"{name}: 80 columns", all(len(line) <= 80 for line in text.splitlines()))
    ascii_text = t.draw(path, "--ascii", "--width", "60").stdout.decode()
    t.hold(f"{name}: ASCII, 60 columns", ascii_text.isascii() and
           all(len(line) <= 60 for line in ascii_text.splitlines()), ascii_text)
    t.hold(f"{name}: no control characters", "\x1b" not in text)


def drawing(t, name, path):
    """The SVG is XML, and says what the ladder says."""
    svg = path + ".svg"
    t.equal(f"{name}: --svg", t.draw(path, "--svg", svg).returncode, 0)
    root = ElementTree.parse(svg).getroot()
    text = " ".join(root.itertext())
    t.hold(f"{name}: title, description", root.find("{*}title") is not None and
           root.find("{*}desc") is not None)
    t.hold(f"{name}: SYN in the drawing", "SYN · my numbers start at 0" in text)
    tags = {element.tag.split("}")[1] for element in root.iter()}
    t.equal(f"{name}: elements", tags - {"svg", "title", "desc", "style", "g", "text", "path"},
            set())
    if shutil.which("xmllint"):
        done = subprocess.run(["xmllint", "--noout", "--nonet", svg], check=False,
                              capture_output=True)
        t.equal(f"{name}: xmllint", (done.returncode, done.stderr), (0, b""))


def demo(t):
    """Files of tern demo that cannot be written: told before the story, or at its end (a full
    disk), and never with exit code 0; and one that can."""
    full = os.path.join(t.folder, "full.svg")
    os.symlink("/dev/full", full)
    kept = t.file("kept.svg", b"before")
    fine = os.path.join(t.folder, "fine.svg")
    pcap = os.path.join(t.folder, "fine.pcapng")
    for words, code, plays in ((["--draw", "/nonexist/a.svg"], 23, False),
                               (["--pcap", "/nonexist/x", "--draw", kept], 23, False),
                               (["--draw", fine, "--pcap", "/nonexist/x"], 23, False),
                               (["--draw", fine, "--pcap", fine], 2, False),
                               (["--draw", full], 23, True), (["--pcap", "/dev/full"], 23, True),
                               (["--draw", kept, "--pcap", pcap], 0, True)):
        done = subprocess.run([t.tern, "demo", "--link", "mem", *words], cwd=t.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=60)
        t.equal(f"demo {' '.join(words)}: exit code", done.returncode, code)
        t.equal(f"demo {' '.join(words)}: plays", b"ESTABLISHED" in done.stdout, plays)
        t.equal(f"demo {' '.join(words)}: says why", done.stderr != b"", code != 0)
        with open(kept, "rb") as picture:
            t.equal("what was there", picture.read() == b"before", code != 0)
        t.hold("no file is left of a picture that was not made", not os.path.exists(fine))
    pipe = os.path.join(t.folder, "pipe")
    os.mkfifo(pipe)
    with subprocess.Popen([t.tern, "demo", "--link", "mem", "--pcap", pipe],
                          stdout=subprocess.DEVNULL) as playing:
        try:
            with open(pipe, "rb") as heard:
                t.hold("a capture into a named pipe", len(heard.read()) > 1000)
            t.equal("its exit code", playing.wait(60), 0)
        finally:
            playing.kill()
    with open(kept, "rb") as picture:
        t.hold("a picture takes the place of what was there", b"</svg>" in picture.read())


def links(t):
    """The same story on every link gives the same figures."""
    packets = captures.fast().packets
    plain = t.figures(t.file("plain.pcap", captures.pcap(packets)))["connections"][0]
    for name, how in captures.LINKS.items():
        c = t.figures(t.file(name + ".pcap", captures.pcap(packets, **how)))["connections"][0]
        for field in BOTH + ("segments", "bytes", "closed", "rtt_ms", "slow_because"):
            t.equal(f"{name}: {field}", c[field], plain[field])
    t.equal("IPv6 addresses", t.figures(os.path.join(t.folder, "ipv6.pcap"))
            ["connections"][0]["client"], "[fd00::1]:40000")
    t.hold("cut packets are said", "cut when captured" in
           t.draw(os.path.join(t.folder, "cut.pcap")).stdout.decode())


def parts(t):
    packets = captures.fast().packets
    c = t.figures(t.file("middle.pcap", captures.pcap(packets[6:])))["connections"][0]
    t.equal("mid-stream: who is the client", c["client"], "10.0.0.1:40000")
    t.hold("mid-stream is said", "beginning" in c["capture_lacks"][0], c["capture_lacks"])
    alone = [p for p in packets if p[1].src == captures.SERVER]
    c = t.figures(t.file("alone.pcap", captures.pcap(alone)))["connections"][0]
    t.equal("one-sided: sent again all the same", c["retransmissions"], 1)
    t.hold("one-sided is said", "one direction" in str(c["capture_lacks"]), c["capture_lacks"])
    c = t.figures(t.file("holed.pcap", captures.pcap(packets[:8] + packets[10:])))["connections"][0]
    t.equal("bytes that the capture missed", c["server_side"]["not_captured_bytes"], 2 * 1460)
    f = t.figures(t.file("others.pcap", captures.pcap(captures.others())))
    t.equal("no connections", f["connections"], [])
    t.hold("fragments are counted", f["capture"]["fragments"] >= 3 and f["capture"]["udp"] == 1 and
           f["capture"]["arp"] == 1 and f["capture"]["icmp"] == 1, str(f["capture"]))


def fast_open(t):
    """What rides on a SYN is counted, and not missed."""
    c = t.figures(os.path.join(t.folder, "fast_open.pcap"))["connections"][0]
    t.equal("fast open: bytes", c["bytes"], {"client": 400, "server": 1460})
    t.equal("fast open: nothing is missed", c["capture_lacks"], [])
    text = t.draw(os.path.join(t.folder, "fast_open.pcap")).stdout.decode()
    t.hold("fast open: in the ladder", "bytes 0-299" in text, text)


def reused(t):
    """What was said of the connection before is no word of this one."""
    path = t.file("reused.pcap", captures.pcap(captures.reused().packets))
    first, c = t.figures(path)["connections"]
    t.equal("port reused: the first", (first["bytes"], first["closed"]),
            ({"client": 5, "server": 0}, "open"))
    t.equal("port reused: the second", {field: c[field] for field in BOTH + ("bytes", "closed")}, {
        **dict.fromkeys(BOTH, 0), "retransmissions": 1, "resets": 1,
        "bytes": {"client": 300, "server": 200}, "closed": "open"})
    t.equal("port reused: nothing is missed", c["capture_lacks"], [])
    text = t.draw(path, "--stream", "1").stdout.decode()
    t.hold("port reused: in words", "of a connection before this one" in text, text)


def told(t):
    """What a picture has no room for, it says."""
    path = t.file("crowd.pcap", captures.pcap(captures.crowd(210), wrap=bytes))
    svg = t.draw(path, "--svg", "-").stdout.decode()
    t.hold("the table of a drawing says how many more there are", "… and 10 more" in svg)
    t.hold("and of few connections it does not", "… and" not in
           t.draw(t.file("few.pcap", captures.pcap(captures.crowd(20), wrap=bytes)), "--svg",
                  "-").stdout.decode())
    path = t.file("five_lost.pcap", captures.pcap(captures.five_lost().packets))
    for words in ((), ("--svg", "-"), ("--html", "-")):
        t.hold(f"five lost: draw {' '.join(words)}", "… and 2 more of these lost" in
               t.draw(path, *words).stdout.decode())


def reasons(t):
    """tern's own capture: its reasons are the picture's."""
    packets = captures.reasons().packets
    text = t.draw(t.file("own.pcapng", captures.pcapng(packets))).stdout.decode()
    t.hold("its own reason", "no ACK in time" in text and "tern 10.0.0.1" in text, text)
    text = t.draw(t.file("not.pcapng", captures.pcapng(packets, b"dumpcap"))).stdout.decode()
    t.hold("somebody else's capture", "client 10.0.0.1" in text, text)
    path = t.file("causes.pcapng", captures.pcapng(captures.known_causes().packets))
    c = t.figures(path)["connections"][0]
    t.equal("a known cause decides", (c["client_side"]["retransmitted_by"]["timeout"],
                                      c["retransmissions"], c["keep_alives"]), (2, 2, 0))


def merged(t):
    """Whoever tells of segments that were put together, they are counted as the same."""
    packets = captures.merged().packets
    for name, data in (("pcap", captures.pcap(packets)), ("pcapng", captures.pcapng(packets)),
                       ("sqlog", captures.log(packets))):
        c = t.figures(t.file("merged." + name, data))["connections"][0]
        side = c["server_side"]
        t.equal(f"{name}: segments, merged, client's", (
            side["data_segments"], side["merged_packets"], c["client_side"]["data_segments"]),
                (7, 2, 1))
        t.hold(f"{name}: merged is said", "put together" in str(c["capture_lacks"]),
               str(c["capture_lacks"]))


def blame(t):
    """At the receiver's own place, the ACKs are to blame from the first on; a pause is one."""
    c = t.figures(t.file("acks.pcapng", captures.pcapng(captures.slow_acks().packets)))
    c = c["connections"][0]
    t.hold("slow ACKs", "the client's slow ACKs: for 1.2 s" in c["slow_because"] and
           "(2 segments sent again needlessly)" in c["slow_because"], c["slow_because"])
    t.hold("no loss", "loss" not in str(c["stalls"]) and len(c["stalls"]) == 5, str(c["stalls"]))
    c = t.figures(os.path.join(t.folder, "slow_link.pcap"))["connections"][0]
    t.hold("the server's rest", "; then the server: for 113 ms nothing was under way, and it was "
           "its turn to speak" in c["slow_because"], c["slow_because"])


def mistakes(t):
    whole = captures.pcap(captures.fast().packets)
    path = t.file("whole.pcap", whole)
    link = os.path.join(t.folder, "link.pcap")
    os.symlink(path, link)
    for what, words, code, says in (
            ("no such file", [os.path.join(t.folder, "none")], 1, "No such file"),
            ("no capture", [t.file("gif", b"GIF89a" + b"\0" * 60)], 1, "unknown file format"),
            ("an empty file", [t.file("nothing", b"")], 1, "tern: draw"),
            ("a bad filter", [path, "no", "such", "words"], 2, "the filter"),
            ("a filter that fits nothing", [path, "port", "81"], 0, "none of"),
            ("no such stream", [path, "--stream", "7"], 2, "no connection 7"),
            ("no such flag", [path, "--draw"], 2, "no flag"),
            ("no file", [], 2, "which capture"),
            ("no file but flags", ["--json"], 2, "which capture"),
            ("an empty name to write to", [path, "--json="], 2, "takes a value"),
            ("a page over the capture", [path, "--html", link], 2, "is the capture"),
            ("figures over the capture", [path, f"--json={path}"], 2, "is the capture"),
            ("a drawing over the capture", [path, "--svg", path], 2, "is the capture"),
            ("cut off", [t.file("short", whole[:-9])], 3, "came before")):
        done = t.draw(*words)
        t.equal(f"{what}: exit code", done.returncode, code)
        t.hold(f"{what}: words", says in done.stderr.decode(), done.stderr.decode())
    with open(path, "rb") as kept:
        t.hold("the capture is as it was", kept.read() == whole)
    quiet = t.draw(t.file("quiet.sqlog", b'\x1e{"trace":{}}\n\x1e{"time":1,"name":"x"}\n'))
    t.equal("a log without packets: no filter is to blame", (quiet.returncode, quiet.stderr),
            (0, b""))
    t.hold("cut off: a partial picture", "ESTABLISHED" in
           t.draw(os.path.join(t.folder, "short")).stdout.decode())
    t.equal("standard input", t.draw("-", stdin=whole).stdout, t.draw(path).stdout)
    json_flag(t, path, whole)
    t.equal("a filter", len(t.figures(path, "port", "81")["connections"]), 0)


def json_flag(t, path, whole):
    """Wherever --json stands, the capture is the first name, and what follows it is a filter."""
    figures = t.draw(path, "--json").stdout
    none = t.draw(path, "port", "81", "--json").stdout
    t.hold("figures", b"retransmissions" in figures and b"retransmissions" not in none)
    to = os.path.join(t.folder, "figures.json")
    for words, wanted in ((["--json", path], figures), ([path, "--json", "-"], figures),
                          ([path, "--json", "port", "80"], figures),
                          ([path, "--json", "port", "81"], none),
                          (["--json", path, "port", "81"], none),
                          ([path, "port", "81", "--json", "-"], none),
                          (["--json=-", path], figures)):
        t.equal(f"draw {' '.join(words)}", t.draw(*words).stdout, wanted)
    t.equal("draw --json -", t.draw("--json", "-", stdin=whole).stdout, figures)
    for words in ([path, "--json", to], ["--json", to, path], [f"--json={to}", path]):
        t.equal(f"draw {' '.join(words)}", t.draw(*words).stdout, b"")
        with open(to, "rb") as written:
            t.equal(f"what draw {' '.join(words)} wrote", written.read(), figures)
        os.unlink(to)


def main(tern, folder, write):
    with tempfile.TemporaryDirectory(prefix="tern-draw-") as work:
        t = Test(os.path.abspath(tern), folder, write, work)
        paths = {name: counts(t, name) for name in TABLE}
        for name in GOLDENS:
            golden(t, name, paths[name])
            drawing(t, name, paths[name])
        for part in (links, parts, fast_open, reused, told, reasons, merged, blame, mistakes, demo):
            part(t)
        return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], "--write" in sys.argv))
