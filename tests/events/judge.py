# SPDX-License-Identifier: BSD-2-Clause
"""What a log and a capture of the same run must have in common, and each by itself."""
import calendar
import json
import os
import re
import subprocess
import time
from decimal import Decimal

try:
    import jsonschema
except ImportError:
    jsonschema = None

FIN, SYN, RST, ACK = 1, 2, 4, 16
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
FIELDS = ("frame.number", "frame.time_epoch", "frame.packet_flags_direction", "ip.src",
          "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.seq_raw", "tcp.len", "tcp.flags",
          "tcp.checksum.status", "ip.checksum.status", "frame.comment",
          "tcp.analysis.retransmission", "tcp.analysis.fast_retransmission",
          "tcp.analysis.spurious_retransmission", "tcp.analysis.out_of_order")


class Wrong(Exception):
    """Why a run is not as it must be."""


# ---- reading ----

def read_schema(top):
    with open(os.path.join(top, "docs", "sqlog.schema.json")) as text:
        return json.load(text)


def read_causes(top):
    """Words of the causes, by name."""
    with open(os.path.join(top, "include", "tern", "cause.h")) as text:
        return dict(re.findall(r'^\s*X\((\w+), "(.*)"\)', text.read(), re.M))


def read_log(path):
    """The records, in order: RFC 7464's separators must be where they belong."""
    with open(path, "rb") as data:
        whole = data.read()
    if not whole.startswith(b"\x1e") or not whole.endswith(b"\n"):
        raise Wrong(f"{path} neither begins nor ends with a record")
    records = []
    for number, line in enumerate(whole[1:-1].split(b"\n\x1e")):
        try:
            records.append(json.loads(line.decode(), parse_float=Decimal))
        except ValueError as why:
            raise Wrong(f"record {number} is no JSON: {why}: {line[:200]}") from why
    return records


def epoch_of(header):
    """UNIX time of the log's zero, in seconds."""
    text = header["trace"]["common_fields"]["reference_time"]["wall_clock_time"]
    seconds, fraction = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) + Decimal("0." + fraction)


class Frame:
    """A TCP frame of the capture, as tshark sees it; or another, without a sequence number."""

    def __init__(self, row):
        values = dict(zip(FIELDS, row))
        self.number = int(values["frame.number"])
        self.time = Decimal(values["frame.time_epoch"])
        self.out = int(values["frame.packet_flags_direction"], 16) & 3 == 2
        self.comment = values["frame.comment"]
        self.tcp = values["tcp.seq_raw"] != ""
        self.told = any(values[f] for f in FIELDS if "analysis" in f)
        if not self.tcp:
            return
        self.ends = (f"{values['ip.src']}:{values['tcp.srcport']}",
                     f"{values['ip.dst']}:{values['tcp.dstport']}")
        self.seq, self.bytes = int(values["tcp.seq_raw"]), int(values["tcp.len"])
        self.flags = int(values["tcp.flags"], 16)
        self.broken = "0" in (values["tcp.checksum.status"], values["ip.checksum.status"])


def read_capture(path):
    command = ["tshark", "-n", "-r", path, "-o", "tcp.relative_sequence_numbers:FALSE",
               "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields",
               "-E", "occurrence=f"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise Wrong(f"tshark cannot read {path}: {done.stderr.strip()}")
    return [Frame(line.split("\t")) for line in done.stdout.splitlines()]


# ---- the log by itself ----

def validators(schema):
    def of(part):
        whole = dict(part, definitions=schema["definitions"])
        return jsonschema.Draft7Validator(whole)
    return of(schema["header"]), {name: of(part) for name, part in schema["events"].items()}


def plain(record):
    """Decimals as numbers that jsonschema knows."""
    if isinstance(record, Decimal):
        return float(record)
    if isinstance(record, dict):
        return {key: plain(value) for key, value in record.items()}
    return [plain(v) for v in record] if isinstance(record, list) else record


def hold_schema(schema, records):
    """Every record against the schema; then the header goes out of the list."""
    header, events = validators(schema)
    for number, record in enumerate(records):
        name = record.get("name")
        if number > 0 and name not in events:
            raise Wrong(f"record {number}: no event is called {name}")
        judge = header if number == 0 else events[name]
        error = jsonschema.exceptions.best_match(judge.iter_errors(plain(record)))
        if error is not None:
            raise Wrong(f"record {number} ({name}): {error.message}")
    for record in records[1:]:
        record["epoch"] = epoch_of(records[0])
    del records[0]


def hold_page(schema, top):
    """docs/sqlog.md has a row for each event, with the names of its data."""
    with open(os.path.join(top, "docs", "sqlog.md")) as text:
        rows = dict(re.findall(r"^\| `(\w+:\w+)` \|.*\| ([^|]*) \|$", text.read(), re.M))
    for name, part in schema["events"].items():
        data = part["properties"]["data"]
        wanted = [n if n in data["required"] else n + "?" for n in data["properties"]]
        if re.findall(r"`([^`]*)`", rows.pop(name, "")) != wanted:
            raise Wrong(f"docs/sqlog.md does not tell of {name} as the schema does")
    if rows:
        raise Wrong(f"docs/sqlog.md has {', '.join(rows)}, which the schema has not")


# ---- the log and the capture ----

def when(record):
    return record["epoch"] + record["time"] / 1000


def flags_of(text):
    return sum(1 << FLAGS.index(word) for word in text.split())


def told(records, name, own):
    """The segments of the log: (time, our end, their end, seq, bytes, flags) and the record."""
    rows = []
    for record in records:
        if record["name"] == name:
            d = record["data"]
            ends = (d["local"], d["remote"]) if own else (d["remote"], d["local"])
            rows.append(((when(record), *ends, d["seq"], d["text_bytes"], flags_of(d["flags"])),
                         record))
    return rows


def seen(frames, out):
    return [((f.time, *f.ends, f.seq, f.bytes, f.flags), f) for f in frames
            if f.tcp and f.out == out and not (f.broken and not out)]


def pair_up(left, right, what):
    """Both lists hold the same segments, each as often; those of one moment may change places."""
    left, right = sorted(left, key=lambda r: r[0]), sorted(right, key=lambda r: r[0])
    for a, b in zip(left, right):
        if a[0] != b[0]:
            raise Wrong(f"{what}: the log has {a[0]}, the capture {b[0]}")
    if len(left) != len(right):
        longer = left if len(left) > len(right) else right
        raise Wrong(f"{what}: {len(left)} in the log, {len(right)} in the capture; the first "
                    f"beyond: {longer[min(len(left), len(right))][0]}")
    return [(a[1], b[1]) for a, b in zip(left, right)]


def beyond(seq, highest):
    """Is seq above, on the circle of numbers?"""
    return 0 < (seq - highest) % (1 << 32) < 1 << 31


def found_again(frames):
    """Frames of ours that hold numbers which an earlier one had held: retransmissions, by the
    bytes alone. A SYN begins the numbers of a new connection, unless it is the same again."""
    highest, again = {}, set()
    for f in frames:
        length = 0 if not f.tcp else f.bytes + bool(f.flags & SYN) + bool(f.flags & FIN)
        if not f.tcp or not f.out or length == 0 or f.flags & RST:
            continue
        end = (f.seq + length) % (1 << 32)
        if f.ends not in highest or (f.flags & SYN and highest[f.ends][0] != f.seq):
            highest[f.ends] = (f.seq, end)
            continue
        first, top = highest[f.ends]
        if beyond(top, f.seq):
            again.add(f.number)
        highest[f.ends] = (first, end if beyond(end, top) else top)
    return again


def compare_sent(records, frames, causes):
    """Each segment sent stands in both, with the same cause; and so does each that was sent
    again. Returns how many there are of each."""
    pairs = pair_up(told(records, "tcp:segment_sent", True), seen(frames, True), "sent")
    again = found_again(frames)
    for record, frame in pairs:
        words = causes.get(record["data"]["cause"])
        if words != frame.comment:
            raise Wrong(f"frame {frame.number}: the log says {record['data']['cause']}, the "
                        f"capture {frame.comment!r}")
        if record["data"].get("retransmission", False) != (frame.number in again):
            raise Wrong(f"frame {frame.number} ({frame.comment}): by its bytes it was "
                        f"{'' if frame.number in again else 'not '}sent before, and the log "
                        "says otherwise")
    left = {f.number for f in frames if f.tcp and f.out and f.told} - again
    if left:
        raise Wrong(f"tshark calls frames {sorted(left)[:5]} retransmitted")
    return len(pairs), len(again)


BY = {"RTO": "timeout", "TAIL_PROBE": "tail_probe", "PATH_MTU": "unknown",
      **{word + "_RETRANSMIT": "fast" for word in ("FAST", "SACK", "RACK")}}


def reasons_of(records):
    """Of each of our ends, as the picture has it: how often it sent again for which reason."""
    by = {}
    for record in records:
        data = record["data"]
        if record["name"] != "tcp:segment_sent":
            continue
        mine = by.setdefault((data["local"], data["remote"]),
                             {word: 0 for word in ("fast", "timeout", "tail_probe", "unknown")})
        if data.get("retransmission", False) and data["cause"] in BY:
            mine[BY[data["cause"]]] += 1
    return by


def hold_reasons(records, connections):
    """The picture counts what was sent again by the reasons that the log gives."""
    left = reasons_of(records)
    for c in connections:
        for side, other in (("client", "server"), ("server", "client")):
            wanted = left.pop((c[side], c[other]), None)
            got = c[side + "_side"]["retransmitted_by"]
            if wanted is not None and got != wanted:
                raise Wrong(f"{c[side]} sent again, drawn: {got}; by the log's causes: {wanted}")
    if left:
        raise Wrong(f"no picture of {sorted(left)}")


def compare_received(records, frames):
    """Each segment that arrived whole stands in both, and its comment agrees with the effect."""
    pairs = pair_up(told(records, "tcp:segment_received", False), seen(frames, False), "received")
    for record, frame in pairs:
        data = record["data"]
        wanted = []
        if "acked_bytes" in data:
            wanted.append(f"acknowledges {data['acked_bytes']} bytes")
        if "joined_bytes" in data:
            wanted.append("fills the hole")
        if "beyond_bytes" in data:
            wanted.append("beyond a hole")
        if "duplicate_ack" in data:
            wanted.append("duplicate ACK")
        if "dsack_due" in data:
            wanted.append("D-SACK follows")
        if "dropped" in data:
            wanted.append("dropped: ")
        missing = [w for w in wanted if w not in frame.comment]
        if missing:
            raise Wrong(f"frame {frame.number}: its comment {frame.comment!r} lacks {missing}")
    return len(pairs)


def hold_comments(frames, causes):
    """Every frame has one; those sent name the RFC's section, those broken say so."""
    for f in frames:
        if f.comment == "":
            raise Wrong(f"frame {f.number} has no comment")
        if f.out and (f.comment not in causes.values() or " §" not in f.comment
                      and "(RFC " not in f.comment):
            raise Wrong(f"frame {f.number}: {f.comment!r} is no cause, or names no RFC")
        if f.tcp and not f.out and f.broken and "dropped: " not in f.comment:
            raise Wrong(f"frame {f.number} is broken, and its comment says {f.comment!r}")


# ---- the judges themselves ----

def wrong(judge, *arguments):
    try:
        judge(*arguments)
    except Wrong:
        return
    raise Wrong(f"{judge.__name__} finds nothing wrong where there is")


def frame_of(number, seq, size, comment, out=True):
    return Frame([str(number), f"1.{number:09}", "0x2" if out else "0x1", "10.0.0.1", "5",
                  "10.0.0.2", "80", str(seq), str(size), "0x10", "1", "1", comment] + [""] * 4)


def record_of(number, seq, size, cause, again):
    data = {"local": "10.0.0.1:5", "remote": "10.0.0.2:80", "seq": seq, "ack": 0, "flags": "ACK",
            "window_bytes": 1, "text_bytes": size, "offset_bytes": 0, "cause": cause}
    if again:
        data["retransmission"] = True
    return {"time": Decimal(number) / 1000000, "epoch": Decimal(1), "group_id": "1",
            "name": "tcp:segment_sent", "data": data}


def can_fail(schema, causes):
    """Faults made by hand: each must be found."""
    cause = {"A": causes["APP_WRITE"], "B": causes["RTO"]}
    good = [record_of(1, 4294967290, 10, "A", False), record_of(2, 4, 10, "A", False),
            record_of(3, 4294967290, 10, "B", True)]
    frames = [frame_of(1, 4294967290, 10, cause["A"]), frame_of(2, 4, 10, cause["A"]),
              frame_of(3, 4294967290, 10, cause["B"])]
    if compare_sent(good, frames, cause) != (3, 1):
        raise Wrong("compare_sent cannot count")
    wrong(compare_sent, good[:2] + [record_of(3, 4294967290, 10, "A", True)], frames, cause)
    wrong(compare_sent, good[:2] + [record_of(3, 4294967290, 10, "B", False)], frames, cause)
    wrong(compare_sent, good[:2], frames, cause)
    wrong(compare_sent, good, frames[:2], cause)
    wrong(hold_comments, [frame_of(1, 4, 10, "")], cause)
    good[2]["data"]["cause"] = "RTO"
    drawn = {"client": "10.0.0.1:5", "server": "10.0.0.2:80", "server_side": {},
             "client_side": {"retransmitted_by": {"fast": 0, "timeout": 1, "tail_probe": 0,
                                                  "unknown": 0}}}
    drawn["server_side"] = drawn["client_side"]
    hold_reasons(good, [drawn])
    good[2]["data"]["cause"] = "SACK_RETRANSMIT"
    wrong(hold_reasons, good, [drawn])
    wrong(hold_reasons, good, [])
    bad = {"time": 1, "name": "tcp:state_updated", "data": {"from": "CLOSED", "to": "OPEN"}}
    wrong(hold_schema, {**schema, "header": {}}, [{}, dict(bad, group_id="1")])
    wrong(hold_schema, {**schema, "header": {}}, [{}, dict(bad, name="tcp:nonsense")])
