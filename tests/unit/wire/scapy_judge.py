#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge the wire formats by scapy.

usage: scapy_judge.py FRAMES

FRAMES is the program built from frames.c. For each line that it prints, build the same packet with
scapy from the values, checksums and lengths left for scapy to fill in, and compare the bytes. Then
the control: with any value of a line changed, scapy's bytes must differ from ours, or that value
is not judged. Exits 77 (skipped) where scapy is not installed.
"""
import subprocess
import sys

try:
    from scapy.all import ARP, Ether, ICMP, IP, Raw, TCP, UDP
except ImportError:
    print("python3-scapy is not installed: skipped")
    sys.exit(77)

KINDS = ("arp", "ipv4", "icmp", "udp", "tcp")
EACH_COUNT = 60


def numbers(text):
    return tuple(int(n) for n in text.split(","))


def ip(v):
    flags = ("DF+" if v["df"] == "1" else "") + ("MF" if v.get("mf") == "1" else "")
    return IP(src=v["src"], dst=v["dst"], tos=int(v["tos"]), id=int(v["id"]), ttl=int(v["ttl"]),
              flags=flags.strip("+"), frag=int(v.get("offset", "0")) // 8)


def tcp_options(v):
    nop = ("NOP", None)
    out = []
    if "mss" in v:
        out.append(("MSS", int(v["mss"])))
    if ("sackok" in v) != ("ts" in v):
        out += [nop, nop]
    if "sackok" in v:
        out.append(("SAckOK", b""))
    if "ts" in v:
        out.append(("Timestamp", numbers(v["ts"])))
    if "wscale" in v:
        out += [nop, ("WScale", int(v["wscale"]))]
    if "sack" in v:
        out += [nop, nop, ("SAck", numbers(v["sack"]))]
    return out


def arp(v):
    return ARP(op=int(v["op"]), hwsrc=v["smac"], hwdst=v["tmac"], psrc=v["sender"],
               pdst=v["target"])


def ipv4(v):
    header = ip(v)
    header.proto = 253
    return header


def icmp(v):
    if v["type"] == "3":
        return ip(v) / ICMP(type=3, code=int(v["code"]), nexthopmtu=int(v["mtu"]))
    return ip(v) / ICMP(type=int(v["type"]), code=int(v["code"]), id=int(v["eid"]),
                        seq=int(v["seq"]))


def udp(v):
    return ip(v) / UDP(sport=int(v["sport"]), dport=int(v["dport"]))


def tcp(v):
    return ip(v) / TCP(sport=int(v["sport"]), dport=int(v["dport"]), seq=int(v["seq"]),
                       ack=int(v["ack"]), flags=int(v["flags"]), window=int(v["window"]),
                       urgptr=int(v["urgent"]), options=tcp_options(v))


def frame(kind, v):
    data = bytes.fromhex(v.get("data", ""))
    packet = Ether(dst=v["edst"], src=v["esrc"]) / globals()[kind](v)
    return bytes(packet / Raw(data) if data else packet)


def another(key, text):
    """Another value of the same kind, whatever that is."""
    if key == "data" or ":" in text:
        return text[:-1] + f"{int(text[-1], 16) ^ 1:x}"
    if key == "offset":
        return str(int(text) ^ 8)
    for mark in ".,":
        if mark in text:
            head, last = text.rsplit(mark, 1)
            return f"{head}{mark}{int(last) ^ 1}"
    return str(int(text) ^ 1)


def unjudged(lines):
    """The values that may change in each line of a kind without a difference."""
    keys, noticed = set(), set()
    for kind, v in lines:
        keys.update((kind, key) for key in v)
        for key in set(v) - {"hex", "sackok"}:
            if (kind, key) not in noticed and v[key] != "" and \
                    frame(kind, {**v, key: another(key, v[key])}) != bytes.fromhex(v["hex"]):
                noticed.add((kind, key))
        if "sackok" in v and frame(kind, {k: v[k] for k in v if k != "sackok"}).hex() != v["hex"]:
            noticed.add((kind, "sackok"))
    return sorted(keys - noticed - {(kind, "hex") for kind in KINDS})


def main():
    done = subprocess.run([sys.argv[1]], stdout=subprocess.PIPE, check=True, text=True,
                          timeout=60)
    counts = dict.fromkeys(KINDS, 0)
    wrong, lines = 0, []
    for line in done.stdout.splitlines():
        kind, *pairs = line.split(" ")
        v = dict(pair.split("=", 1) for pair in pairs)
        ours, theirs = bytes.fromhex(v["hex"]), frame(kind, v)
        counts[kind] += 1
        lines.append((kind, v))
        if ours != theirs:
            wrong += 1
            print(f"{line}\n  ours   {ours.hex()}\n  theirs {theirs.hex()}")
    print(", ".join(f"{counts[k]} {k}" for k in KINDS) + f": {wrong} differ")
    loose = unjudged(lines)
    if loose:
        print("not judged:", ", ".join(f"{key} of {kind}" for kind, key in loose))
    return 1 if wrong or loose or any(counts[k] != EACH_COUNT for k in KINDS) else 0


sys.exit(main())
