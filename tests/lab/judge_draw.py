# SPDX-License-Identifier: BSD-2-Clause
"""tern draw's counts against tshark's expert fields and tcptrace's. What tern should have counted
is derived from tshark's verdict on each packet, and from the rules by which tern departs from it:

    seen    tshark "out of order", but all its bytes went by before: a retransmission (rule 2)
    newer   tshark "out of order", but its timestamp is newer than that of the segment with the
            highest bytes: it was sent later, so again (rule 3a)
    missed  tshark "out of order", which looks at the time since the highest segment; but its bytes
            had been missed for 7/8 of a round trip: who sent them had heard of it (rule 3c)
    older   tshark "retransmission", but its bytes were not seen before, and its timestamp is older
            than that of the highest: it was late on its way (rule 3a)
    probe   tshark "keep-alive" while the receiver's window is closed: a window probe (rule 1)
    passed  tshark "keep-alive" behind a FIN: an ACK from before the FIN, which overtook it; and
            tshark "ACK to a keep-alive" for the answer to such a one: a duplicate ACK
"""
import os
import re
import subprocess

import world
from wire import tshark

FIELDS = ("frame.time_epoch", "tcp.stream", "tcp.srcport", "tcp.seq_raw", "tcp.len", "tcp.flags",
          "tcp.options.timestamp.tsval", "tcp.analysis.retransmission",
          "tcp.analysis.out_of_order", "tcp.analysis.spurious_retransmission",
          "tcp.analysis.duplicate_ack", "tcp.analysis.zero_window", "tcp.analysis.keep_alive",
          "tcp.analysis.keep_alive_ack",
          "tcp.analysis.ack_rtt", "tcp.analysis.initial_rtt", "tcp.window_size_value")
SYN, FIN, RST = 2, 1, 4


class Side:
    """What one side of a stream has sent, as far as the rules need it."""

    def __init__(self):
        self.zero = None
        self.seen = []          # disjoint [start, end)
        self.top, self.top_ts = None, None
        self.holes = []         # (start, end, when)
        self.trip = 0.003       # seconds
        self.window_closed = self.finished = self.passed = False

    def offset(self, seq):
        if self.zero is None:
            self.zero = seq
        return (seq - self.zero + (1 << 31)) % (1 << 32) - (1 << 31)

    def has(self, start, end):
        return any(a <= start and end <= b for a, b in self.seen)

    def missed(self, start, now):
        return max([now - at for a, b, at in self.holes if a <= start < b] or [0])

    def add(self, start, end, ts, now):
        if self.top is not None and start > self.top:
            self.holes.append((self.top, start, now))
        joined = [r for r in self.seen if r[0] <= end and start <= r[1]]
        rest = [r for r in self.seen if r not in joined]
        low = min([start] + [r[0] for r in joined])
        high = max([end] + [r[1] for r in joined])
        self.seen = rest + [(low, high)]
        if self.top is None or end > self.top:
            self.top, self.top_ts = end, ts


def rows(path):
    arguments = ["-Y", "tcp", "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    for name in FIELDS:
        arguments += ["-e", name]
    for line in tshark(path, *arguments).splitlines():
        yield dict(zip((name.split(".")[-1] for name in FIELDS), line.split("|")))


def newer(ts, than):
    return (ts - than + (1 << 31)) % (1 << 32) - (1 << 31)


class Expected:
    def __init__(self):
        self.counts = {name: 0 for name in ("retransmissions", "out_of_order", "duplicate_acks",
                                            "zero_windows", "keep_alives")}
        self.theirs = dict(self.counts, spurious=0)
        self.rules = {}
        self.rtt = {}           # (stream, port of who was acknowledged) -> samples
        self.initial = {}

    def rule(self, name):
        self.rules[name] = self.rules.get(name, 0) + 1


def verdict(e, row, side, start, end, ts):
    """tern's word for a segment that tshark calls sent again, or out of order."""
    theirs = "retransmissions" if row["retransmission"] else "out_of_order"
    both = ts is not None and side.top_ts is not None
    e.theirs[theirs] += 1
    if end > start and not side.has(start, end):
        age = newer(ts, side.top_ts) if both else 0
        if theirs == "out_of_order" and age > 0:
            e.rule("newer")
            return "retransmissions"
        if theirs == "out_of_order" and age == 0 and \
                side.missed(start, float(row["time_epoch"])) >= side.trip * 7 / 8:
            e.rule("missed")
            return "retransmissions"
        if theirs == "retransmissions" and age < 0:
            e.rule("older")
            return "out_of_order"
    elif theirs == "out_of_order":
        e.rule("seen")
        return "retransmissions"
    return theirs


def judge(path, stream):
    e, sides = Expected(), {}
    for row in rows(path):
        port, flags = row["srcport"], int(row["flags"], 16)
        if row["stream"] != stream:
            continue
        side = sides.setdefault((stream, port), Side())
        others = [s for key, s in sides.items() if key[0] == stream and key[1] != port]
        other = others[0] if others else Side()
        start = side.offset(int(row["seq_raw"])) + (1 if flags & SYN else 0)
        end = start + int(row["len"])
        ts = int(row["tsval"]) if row["tsval"] else None
        if row["retransmission"] or row["out_of_order"]:
            e.counts[verdict(e, row, side, start, end, ts)] += 1
        side.passed = bool(row["keep_alive"]) and side.finished
        if row["keep_alive"]:
            e.theirs["keep_alives"] += 1
            if side.passed or other.window_closed:
                e.rule("passed" if side.passed else "probe")
            else:
                e.counts["keep_alives"] += 1
        if row["keep_alive_ack"] and other.passed:
            e.rule("passed")
            e.counts["duplicate_acks"] += 1
        side.finished = side.finished or bool(flags & FIN)
        for name, field in (("duplicate_acks", "duplicate_ack"), ("zero_windows", "zero_window")):
            e.counts[name] += bool(row[field])
            e.theirs[name] += bool(row[field])
        e.theirs["spurious"] += bool(row["spurious_retransmission"])
        if row["ack_rtt"]:
            e.rtt.setdefault((stream, port), []).append(float(row["ack_rtt"]) * 1000)
        if row["initial_rtt"]:
            e.initial[stream] = float(row["initial_rtt"]) * 1000
            for known in [side] + others:
                known.trip = float(row["initial_rtt"])
        if not flags & RST:
            side.window_closed = int(row["window_size_value"]) == 0
        if end > start or flags & FIN:
            side.add(start, end, ts, float(row["time_epoch"]))
    return e


def near(what, ours, theirs):
    """Within a tenth; below a millisecond the capture's own scatter is larger than that."""
    world.hold(what, abs(ours - theirs) <= max(0.1 * theirs, 0.3), f"{ours} ms, not {theirs}")


def round_trips(name, ours, e):
    for c in ours:
        stream = str(c["stream"])
        if c["handshake_ms"] is not None and stream in e.initial:
            near(f"{name}: handshake", c["handshake_ms"], e.initial[stream])
        for side, acker in (("client_side", c["server"]), ("server_side", c["client"])):
            theirs = e.rtt.get((stream, acker.rsplit(":", 1)[1]), [])
            if theirs and c[side]["rtt_ms"]["min"] is not None:
                near(f"{name}: least round trip, {side}", c[side]["rtt_ms"]["min"], min(theirs))


def tcptrace(path):
    """What tcptrace says; None where it is not there."""
    plain = path + ".pcap"
    tshark(path, "-F", "pcap", "-w", plain)
    try:
        done = subprocess.run(["tcptrace", "-l", "-n", plain], stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.DEVNULL, text=True, errors="replace", timeout=60)
    except FileNotFoundError:
        return None
    again = re.findall(r"rexmt data pkts:\s+(\d+)", done.stdout)
    zero = re.findall(r"zero win adv:\s+(\d+)", done.stdout)
    os.unlink(plain)
    return f"{sum(map(int, again))} sent again, {sum(map(int, zero))} zero windows"


def compare(name, path, figures, held=None):
    """Holds tern's figures of the call, the longest connection, against the judges'; a row of the
    table, in words. held: these counts alone, where ACKs that overtake a FIN are taken in two ways.
    What else stands in the capture are the last words of the call before."""
    ours = [max(figures["connections"], key=lambda c: c["segments"])]
    e = judge(path, str(ours[0]["stream"]))
    held = held or list(e.counts)
    total = {field: ours[0][field] for field in e.counts}
    row = " ".join(f"{field} {total[field]}/{e.theirs[field]}" for field in e.counts)
    why = " ".join(f"{rule}:{n}" for rule, n in sorted(e.rules.items()))
    traced = tcptrace(path)
    world.equal(f"{name}: counts [{row}] by rules [{why}]", {f: total[f] for f in held},
                {f: e.counts[f] for f in held})
    round_trips(name, ours, e)
    return f"{name}: {row}; spurious {sum(c['spurious_retransmissions'] for c in ours)}/" \
           f"{e.theirs['spurious']}; by rule: {why or 'none'}; " \
           f"tcptrace: {traced or 'not here'}"
