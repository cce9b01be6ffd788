# SPDX-License-Identifier: BSD-2-Clause
"""What was on the wire: captures by dumpcap, read by tshark."""
import os
import re
import signal
import subprocess
import time

import judges
import world

FLAGS = "tcp.flags.syn tcp.flags.ack tcp.flags.fin tcp.flags.reset"
CHECKED = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
           "-o", "udp.check_checksum:TRUE"]


class Capture:
    """dumpcap on an interface of a node, from now until stop()."""

    def __init__(self, lab, node, interface, name="wire.pcapng", snap=0, only=""):
        self.lab, self.path = lab, lab.path(name)
        log = lab.path(name + ".log")
        command = ["dumpcap", "-q", "-i", interface, "-w", self.path, "-s", str(snap), "-B", "64"]
        if only:
            command += ["-f", only]
        try:
            with open(log, "wb") as words:
                self.child = node.start(*command, stdout=words, stderr=words)
        except OSError as error:
            raise world.Skipped(f"dumpcap: {error}") from None

        def ready():
            with open(log, errors="replace") as words:
                text = words.read()
            if self.child.poll() is not None:
                if "Permission denied" in text or self.child.returncode in (126, 127):
                    raise world.Skipped(f"dumpcap may not be run: {text.strip()[-200:]}")
                raise world.Failed(f"dumpcap: {text.strip()[-300:]}")
            return "File:" in text
        world.wait_for("dumpcap", ready)

    def stop(self):
        """End it once what was sent before has reached the file; the file's path."""
        size, still = -1, 0
        until = time.monotonic() + 10
        while still < 4 and time.monotonic() < until:
            time.sleep(0.1)
            now = os.path.getsize(self.path)
            still = still + 1 if now == size else 0
            size = now
        self.lab.stop(self.child, signal.SIGINT)
        return self.path


def tshark(path, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", path] + list(arguments), check=False, timeout=600,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace",
                          env={**os.environ, "HOME": os.path.dirname(path)})
    if done.returncode != 0 and "cut short" not in done.stderr:
        raise world.Failed(f"tshark: {done.stderr.strip()[-300:]}")
    return done.stdout


def packets(path, keep, fields, extra=()):
    """The packets that a display filter keeps, each a dict of fields (strings)."""
    names = fields.split()
    arguments = list(extra) + ["-Y", keep, "-T", "fields", "-E", "separator=|", "-E",
                               "occurrence=f"]
    for name in names:
        arguments += ["-e", name]
    return [dict(zip(names, line.split("|"))) for line in tshark(path, *arguments).splitlines()]


def count(path, keep, extra=()):
    return len(packets(path, keep, "frame.number", extra))


def segments(path, keep="tcp", more=""):
    """TCP segments, with raw numbers as integers. more: fields to be had besides, by the last part
    of their names, as tcp.payload and frame.comment."""
    fields = "frame.time_epoch ip.src ip.dst tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw " \
             "tcp.len tcp.window_size_value tcp.flags"
    found = []
    for row in packets(path, keep, f"{fields} {more}"):
        segment = {key.split(".")[-1]: value for key, value in row.items()}
        segment["time"] = float(segment.pop("time_epoch"))
        for key in ("seq_raw", "ack_raw", "len", "window_size_value", "srcport", "dstport"):
            segment[key] = int(segment[key] or 0)
        bits = int(segment["flags"], 16)
        segment["flags"] = "".join(c for c, bit in
                                   (("F", 1), ("S", 2), ("R", 4), ("P", 8), ("A", 16))
                                   if bits & bit)
        found.append(segment)
    return found


# What is wrong with a packet whatever else is said of it: one that is sent again may use the window
# to its end as well.
FAULTS = " or ".join("tcp.analysis." + word for word in (
    "retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order",
    "lost_segment", "ack_lost_segment", "duplicate_ack", "zero_window", "keep_alive"))


def clean(path, analysis=True, keep="ip or arp"):
    """0 malformed, 0 bad checksums with checking on and, on a clean run, no analysis flags."""
    world.hold("the capture is not empty", count(path, keep) > 0)
    bad = packets(path, "_ws.malformed or _ws.expert.severity == \"Error\"",
                  "frame.number _ws.col.Info")
    world.hold("no malformed packets", not bad, str(bad[:3]))
    wrong = "ip.checksum.status == 0 or tcp.checksum.status == 0 or udp.checksum.status == 0 " \
            "or icmp.checksum.status == 0"
    bad = packets(path, wrong, "frame.number ip.src _ws.col.Info", CHECKED)
    world.hold("no bad checksums", not bad, str(bad[:3]))
    if analysis:
        # A window update is how a receiver speaks, not something that went wrong. Nor is a window
        # that was used to its end, as happens where the sender runs first.
        bad = packets(path, "(tcp.analysis.flags and not tcp.analysis.window_update and not "
                      f"tcp.analysis.window_full) or {FAULTS}", "frame.number ip.src _ws.col.Info")
        world.hold("no analysis flags", not bad, str(bad[:3]))


def no_reset(path):
    bad = packets(path, "tcp.flags.reset == 1", "frame.number ip.src _ws.col.Info")
    world.hold("no RST on the wire", not bad, str(bad[:3]))


def closed_both_ways(path, ours=world.TERN_IP, theirs=world.SERVER):
    """Each side's FIN was seen, and the other side's ACK of it."""
    judges.closed(segments(path, f"ip.addr == {ours} and ip.addr == {theirs}"), ours, theirs)


def comments(path):
    """The comments of a capture: why tern sent what it sent."""
    return [row["frame.comment"] for row in packets(path, "frame.comment", "frame.comment")]


def numbers(text, pattern):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else None
