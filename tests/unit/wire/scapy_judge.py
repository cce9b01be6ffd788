#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge the wire formats by scapy.

usage: scapy_judge.py FRAMES

FRAMES is the program built from frames.c. For each line that it prints, build the same packet with
scapy from the values, checksums and lengths left for scapy to fill in, and compare the bytes.
Exits 77 (skipped) where scapy is not installed.
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
        return ip(v) / ICMP(type=3, code=4, nexthopmtu=int(v["mtu"]))
    return ip(v) / ICMP(type=int(v["type"]), code=0, id=int(v["eid"]), seq=int(v["seq"]))


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


def main():
    done = subprocess.run([sys.argv[1]], stdout=subprocess.PIPE, check=True, text=True,
                          timeout=60)
    counts = dict.fromkeys(KINDS, 0)
    wrong = 0
    for line in done.stdout.splitlines():
        kind, *pairs = line.split(" ")
        v = dict(pair.split("=", 1) for pair in pairs)
        ours, theirs = bytes.fromhex(v["hex"]), frame(kind, v)
        counts[kind] += 1
        if ours != theirs:
            wrong += 1
            print(f"{line}\n  ours   {ours.hex()}\n  theirs {theirs.hex()}")
    print(", ".join(f"{counts[k]} {k}" for k in KINDS) + f": {wrong} differ")
    return 1 if wrong or any(counts[k] != EACH_COUNT for k in KINDS) else 0


sys.exit(main())
