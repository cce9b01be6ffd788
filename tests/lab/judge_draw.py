# SPDX-License-Identifier: BSD-2-Clause
"""tern draw's counts against tshark's expert fields and tcptrace's. What tern should have counted
is derived from tshark's verdict on each packet, and from the rules (RULES, below) by which tern
departs from it: each says where the two differ, and which of them is right by which RFC."""
import functools
import os
import re
import subprocess
import tempfile

import world
from wire import tshark

FIELDS = ("frame.time_epoch", "tcp.stream", "tcp.srcport", "tcp.seq_raw", "tcp.len", "tcp.flags",
          "tcp.options.timestamp.tsval", "tcp.analysis.retransmission",
          "tcp.analysis.out_of_order", "tcp.analysis.spurious_retransmission",
          "tcp.analysis.duplicate_ack", "tcp.analysis.zero_window", "tcp.analysis.keep_alive",
          "tcp.analysis.keep_alive_ack",
          "tcp.analysis.ack_rtt", "tcp.analysis.initial_rtt", "tcp.window_size_value",
          "tcp.ack_raw", "ip.id")
SYN, FIN, RST = 2, 1, 4
TICK = 0.010    # seconds: of the clocks that make timestamps

# Rule -> what tshark says; what tern says instead, and why that is right.
RULES = {
    "seen": ("out of order", "a retransmission: all its bytes went by before, and a packet goes by "
             "once, so that it was sent twice (RFC 9293 3.8.1); tshark remembers no bytes"),
    "newer": ("out of order", "a retransmission: its timestamp is newer than that of the segment "
              "that jumped over its bytes, before which it was sent if only once (RFC 7323 3.2)"),
    "missed": ("out of order", "a retransmission: its bytes had been missed for 7/8 of a round "
               "trip, and their sender had heard of it (RFC 8985 3.2); tshark takes the time since "
               "the highest segment, which stays short while others come"),
    "older": ("a retransmission", "out of order: its bytes were not seen before, and its timestamp "
              "is not newer than that of the segment that jumped over them: sent before it, it was "
              "late (RFC 7323 3.2). Equal ones tell only where a round trip has 10 ms and more"),
    "ahead": ("out of order, or a retransmission", "nothing: its bytes are above all that were "
              "seen. What overtook it was an ACK without data, which has the next number and takes "
              "none (RFC 9293 3.4)"),
    "fin": ("a retransmission", "nothing: a FIN seen for the first time, overtaken by an ACK with "
            "the number behind it (RFC 9293 3.4)"),
    "probe": ("a keep-alive", "a window probe: the receiver's window is closed (RFC 9293 3.8.6.1)"),
    "passed": ("a keep-alive, and an answer to one", "an ACK: its number is that of the FIN, which "
               "overtook it or which another ACK overtook. A keep-alive has that of a byte that "
               "was acknowledged (RFC 9293 3.8.4). So what follows it is no answer to one"),
    "karn": ("a round trip", "none: the ACK covers bytes that were sent again, for which it may "
             "have waited, so that it is not known what it answers (RFC 6298 3)"),
    "least": ("a duplicate ACK", "none: its number is below the greatest, so that it was late "
              "(RFC 5681 2 d); tshark compares with the last"),
    "greatest": ("no duplicate ACK", "a duplicate ACK: its number is the greatest, its window as "
                 "in the last, but one with a lower number came in between (RFC 5681 2 d, e)"),
}


class Side:
    """What one side of a stream has sent, as far as the rules need it."""

    def __init__(self):
        self.zero = None
        self.seen = []          # disjoint [start, end)
        self.top = None
        self.holes = []         # (start, end, when, timestamp of who jumped over it)
        self.trip = 0.003       # seconds
        self.window_closed = self.finished = self.passed = False
        self.stood = 0          # the highest number that it sent, or stood at
        self.greatest, self.last_ack, self.window = -1, -1, -1
        self.again = []         # [start, end) that were sent again

    def offset(self, seq):
        if self.zero is None:
            self.zero = seq
        return (seq - self.zero + (1 << 31)) % (1 << 32) - (1 << 31)

    def has(self, start, end):
        return any(a <= start and end <= b for a, b in self.seen)

    def hole(self, start):
        """When bytes were missed, and the timestamp of what jumped over them."""
        return next(((at, ts) for a, b, at, ts in self.holes if a <= start < b), (None, None))

    def add(self, start, end, ts, now):
        if self.top is not None and start > self.top:
            self.holes.append((self.top, start, now, ts))
        joined = [r for r in self.seen if r[0] <= end and start <= r[1]]
        rest = [r for r in self.seen if r not in joined]
        low = min([start] + [r[0] for r in joined])
        high = max([end] + [r[1] for r in joined])
        self.seen = rest + [(low, high)]
        if self.top is None or end > self.top:
            self.top = end


@functools.lru_cache(maxsize=8)
def rows(path):
    arguments = ["-Y", "tcp", "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    for name in FIELDS:
        arguments += ["-e", name]
    return [dict(zip((name.split(".")[-1] for name in FIELDS), line.split("|")))
            for line in tshark(path, *arguments).splitlines()]


def sequence(a, b):
    """a - b, of numbers that wrap."""
    return (a - b + (1 << 31)) % (1 << 32) - (1 << 31)


class Expected:
    def __init__(self):
        self.counts = {name: 0 for name in ("retransmissions", "out_of_order", "duplicate_acks",
                                            "zero_windows", "keep_alives")}
        self.theirs = dict(self.counts, spurious=0)
        self.rules = {}
        self.rtt = {}           # (stream, port of who was acknowledged) -> samples
        self.initial = {}

    def rule(self, name):
        assert name in RULES
        self.rules[name] = self.rules.get(name, 0) + 1


def verdict(e, row, side, start, end, ts):
    """tern's word for a segment that tshark calls sent again, or out of order; None: neither."""
    theirs = "retransmissions" if row["retransmission"] else "out_of_order"
    e.theirs[theirs] += 1
    if end > start and not side.has(start, end):
        if side.top is None or start >= side.top:
            e.rule("ahead")
            return None
        at, than = side.hole(start)
        age = sequence(ts, than) if None not in (ts, than) else 0
        older = age < 0 or (age == 0 and than is not None and side.trip >= TICK)
        missed = 0 if at is None else float(row["time_epoch"]) - at
        if theirs == "out_of_order" and age > 0:
            e.rule("newer")
            return "retransmissions"
        if theirs == "out_of_order" and not older and missed >= side.trip * 7 / 8:
            e.rule("missed")
            return "retransmissions"
        if theirs == "retransmissions" and older:
            e.rule("older")
            return "out_of_order"
    elif end > start and theirs == "out_of_order":
        e.rule("seen")
        return "retransmissions"
    elif end == start and int(row["flags"], 16) & FIN and not side.finished:
        e.rule("fin")
        return None
    return theirs


def duplicate(e, row, side, other, start):
    """Is this ACK a duplicate one? tshark's word, and the rules."""
    ack, window = other.offset(int(row["ack_raw"])), row["window_size_value"]
    theirs = bool(row["duplicate_ack"])
    e.theirs["duplicate_acks"] += theirs
    if row["keep_alive_ack"] and other.passed:
        e.rule("passed")
        return True
    if theirs and ack < side.greatest:
        e.rule("least")
        return False
    if not theirs and not row["keep_alive"] and not row["keep_alive_ack"] and \
            side.last_ack < ack == side.greatest and window == side.window != "0" and \
            start == side.stood:
        e.rule("greatest")
        return True
    return theirs


def keep_alive(e, row, side, other, start):
    """A keep-alive in tern's eyes as well?"""
    side.passed = bool(row["keep_alive"]) and not side.has(start, start + 1)
    if not row["keep_alive"]:
        return False
    e.theirs["keep_alives"] += 1
    if side.passed or other.window_closed:
        e.rule("passed" if side.passed else "probe")
        return False
    return True


def judge_row(e, row, side, others):
    other, flags = others[0] if others else Side(), int(row["flags"], 16)
    start = side.offset(int(row["seq_raw"])) + (1 if flags & SYN else 0)
    end = start + int(row["len"])
    ts = int(row["tsval"]) if row["tsval"] else None
    if row["retransmission"] or row["out_of_order"]:
        said = verdict(e, row, side, start, end, ts)
        if said is not None:
            e.counts[said] += 1
        if said == "retransmissions":
            side.again.append((start, end))
    e.counts["keep_alives"] += keep_alive(e, row, side, other, start)
    if not flags & (SYN | FIN | RST) and end == start:
        e.counts["duplicate_acks"] += duplicate(e, row, side, other, start)
    if not flags & (SYN | RST):
        side.last_ack = other.offset(int(row["ack_raw"]))
        side.greatest = max(side.greatest, side.last_ack)
        side.window = row["window_size_value"]
    side.stood = max(side.stood, end + bool(flags & FIN))
    side.finished = side.finished or bool(flags & FIN)
    e.counts["zero_windows"] += bool(row["zero_window"])
    e.theirs["zero_windows"] += bool(row["zero_window"])
    e.theirs["spurious"] += bool(row["spurious_retransmission"])
    if not flags & RST:
        side.window_closed = int(row["window_size_value"]) == 0
    if flags & SYN:
        side.top = start
    if end > start or flags & FIN:
        side.add(start, end, ts, float(row["time_epoch"]))


def judge(path, stream):
    e, sides = Expected(), {}
    for row in rows(path):
        if row["stream"] != stream:
            continue
        port = row["srcport"]
        side = sides.setdefault(port, Side())
        others = [s for key, s in sides.items() if key != port]
        before = side.greatest
        judge_row(e, row, side, others)
        covers = others and any(a < side.greatest and before < b for a, b in others[0].again)
        if row["ack_rtt"] and covers:
            e.rule("karn")
        elif row["ack_rtt"]:
            e.rtt.setdefault((stream, port), []).append(float(row["ack_rtt"]) * 1000)
        if row["initial_rtt"]:
            e.initial[stream] = float(row["initial_rtt"]) * 1000
            for known in [side] + others:
                known.trip = float(row["initial_rtt"])
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
    with tempfile.TemporaryDirectory(prefix="tern-tcptrace-") as folder:
        plain = os.path.join(folder, "plain.pcap")
        tshark(path, "-F", "pcap", "-w", plain)
        try:
            done = subprocess.run(["tcptrace", "-l", "-n", plain], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, errors="replace",
                                  check=False, timeout=60)
        except FileNotFoundError:
            return None
    again = re.findall(r"rexmt data pkts:\s+(\d+)", done.stdout)
    zero = re.findall(r"zero win adv:\s+(\d+)", done.stdout)
    return f"{sum(map(int, again))} sent again, {sum(map(int, zero))} zero windows"


def compare(name, path, figures):
    """Holds tern's figures of the call, the longest connection, against the judges'; a row of the
    table, in words. What else stands in the capture are the last words of the call before."""
    ours = max(figures["connections"], key=lambda c: c["segments"])
    e = judge(path, str(ours["stream"]))
    total = {field: ours[field] for field in e.counts}
    row = " ".join(f"{field} {total[field]}/{e.theirs[field]}" for field in e.counts)
    why = " ".join(f"{rule}:{n}" for rule, n in sorted(e.rules.items()))
    traced = tcptrace(path)
    world.equal(f"{name}: counts [{row}] by rules [{why}]", total, e.counts)
    round_trips(name, [ours], e)
    return f"{name}: {row}; spurious {ours['spurious_retransmissions']}/" \
           f"{e.theirs['spurious']}; by rule: {why or 'none'}; " \
           f"tcptrace: {traced or 'not here'}"


class Receiver:
    """What the client took of what came: PAWS throws away what is older than the last that was in
    order (RFC 7323 5.3 R1; Linux forgives one tick)."""

    def __init__(self):
        self.recent, self.acked, self.taken = None, 0, set()

    def hears(self, row):
        seq, ts = int(row["seq_raw"]), int(row["tsval"])
        if self.recent is not None and sequence(ts, self.recent) < -1:
            return
        self.taken.add(seq)
        if sequence(seq, self.acked) <= 0 <= sequence(seq + int(row["len"]), self.acked):
            self.recent = ts


def longest(found):
    """The rows of the connection that has most: last words of an earlier one may be there too."""
    streams = [row["stream"] for row in found]
    most = max(set(streams), key=streams.count, default=None)
    return [row for row in found if row["stream"] == most]


def truth(client, server, port):
    """What became of the server's segments, known from both ends, since each packet has an
    identification of its own: {"retransmissions", "spurious_retransmissions", "out_of_order"} as
    they are true of the client's capture."""
    firsts, again = set(), set()
    for row in longest(rows(server)):
        if row["srcport"] == port and int(row["len"]) > 0:
            if row["seq_raw"] in firsts:
                again.add(row["id"])
            firsts.add(row["seq_raw"])
    found = {"retransmissions": 0, "spurious_retransmissions": 0, "out_of_order": 0}
    receiver, top = Receiver(), None
    for row in longest(rows(client)):
        if row["srcport"] != port:
            receiver.acked = int(row["ack_raw"])
        elif int(row["len"]) > 0:
            seq, is_again = int(row["seq_raw"]), row["id"] in again
            late = top is not None and sequence(seq, top) < 0
            found["retransmissions"] += is_again
            found["spurious_retransmissions"] += is_again and seq in receiver.taken
            found["out_of_order"] += late and not is_again
            receiver.hears(row)
            top = top if late else seq
    return found


def hold_truth(name, client, server, port, figures):
    """tern's figures of a client's capture against what both ends know."""
    ours = max(figures["connections"], key=lambda c: c["segments"])["server_side"]
    known = truth(client, server, port)
    world.equal(f"{name}: the truth, by both ends", {field: ours[field] for field in known}, known)
    return f"{name}: by both ends, {known}"
