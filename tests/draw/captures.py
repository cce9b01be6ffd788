# SPDX-License-Identifier: BSD-2-Clause
"""Small captures, written by hand with scapy: the client 10.0.0.1:40000 and the server
10.0.0.2:80, one packet a line. Times are milliseconds, numbers are offsets of the streams."""
import json
import struct

from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, IPv6, Raw, fragment
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop

CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
ISN = {"c": 0xfffffff0, "s": 0x7ffffff0}    # every story wraps
MSS = 1460


class Talk:
    """A conversation as a list of (time, IP packet, comment, outbound)."""

    def __init__(self, stamps=False):
        self.packets, self.stamps = [], stamps

    def say(self, ms, who, flags, seq=0, ack=0, data=b"", window=65535, sack=(), comment=None,
            ts=None, echo=0):
        other = "s" if who == "c" else "c"
        syn = 1 if "S" in flags else 0
        options = [("MSS", MSS)] if syn else []
        if self.stamps:
            options += [("Timestamp", (int(ms) if ts is None else ts, echo))]
        if sack:
            edges = [(ISN[other] + 1 + edge) % 2**32 for edge in sack]
            options += [("NOP", None), ("NOP", None), ("SAck", tuple(edges))]
        ip = IP(src=CLIENT, dst=SERVER) if who == "c" else IP(src=SERVER, dst=CLIENT)
        tcp = TCP(sport=40000 if who == "c" else 80, dport=80 if who == "c" else 40000,
                  flags=flags, seq=(ISN[who] + 1 - syn + seq) % 2**32, window=window,
                  ack=(ISN[other] + 1 + ack) % 2**32 if "A" in flags else 0, options=options)
        payload = data if isinstance(data, bytes) else b"x" * data
        self.packets.append((ms, ip / tcp / Raw(payload) if payload else ip / tcp, comment,
                             who == "c"))

    def open(self, trip=20, request=b""):
        self.say(0, "c", "S")
        self.say(trip / 2, "s", "SA")
        self.say(trip, "c", "A")
        if request:
            self.say(trip + 1, "c", "PA", 0, 0, request)

    def close(self, ms, c=0, s=0):
        self.say(ms, "s", "FA", s, c)
        self.say(ms + 1, "c", "FA", c, s + 1)
        self.say(ms + 2, "s", "A", s + 1, c + 1)


def on_ethernet(packet):
    return bytes(Ether() / packet)


def pcap(packets, link=1, magic=0xa1b2c3d4, snap=65535, order="<", wrap=on_ethernet):
    scale = 1000000 if magic == 0xa1b23c4d else 1000
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for ms, packet, _, _ in packets:
        data = wrap(packet)
        out += struct.pack(order + "IIII", 1000 + int(ms // 1000), round(ms % 1000 * scale),
                           min(len(data), snap), len(data)) + data[:snap]
    return out


def crowd(count):
    """So many connections between the longest of addresses, of a SYN each; the packets are bytes
    already."""
    frame = on_ethernet(IPv6(src="2001:db8:1234:5678:9abc:def0:1234:5678",
                             dst="2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa") / TCP(flags="S"))
    return [(n, frame[:54] + struct.pack(">H", 1024 + n) + frame[56:], None, True)
            for n in range(count)]


def pcapng(packets, application=b"tern 0.1.0"):
    def block(kind, body):
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def option(code, value):
        return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1) + option(4, application) +
                option(0, b"")) + block(1, struct.pack("<HHI", 1, 0, 0) + option(9, b"\x09"))
    for ms, packet, comment, outbound in packets:
        data = bytes(Ether() / packet)
        at = 10**12 + round(ms * 10**6)
        body = struct.pack("<IIIII", 0, at >> 32, at & 0xffffffff, len(data), len(data)) + data + \
            b"\0" * (-len(data) % 4)
        if comment:
            body += option(1, comment.encode())
        out += block(6, body + option(2, struct.pack("<I", 2 if outbound else 1)) + option(0, b""))
    return out


def six(packet):
    """The same over IPv6, behind two extension headers."""
    ends = {CLIENT: "fd00::1", SERVER: "fd00::2"}
    tcp = packet[TCP].copy()
    return IPv6(src=ends[packet.src], dst=ends[packet.dst]) / IPv6ExtHdrHopByHop() / \
        IPv6ExtHdrDestOpt() / tcp


LINKS = {
    "vlan": {"wrap": lambda p: bytes(Ether() / Dot1Q(vlan=3) / Dot1Q(vlan=4) / p)},
    "raw": {"link": 101, "wrap": bytes},
    "loopback": {"link": 0, "wrap": lambda p: struct.pack("<I", 2) + bytes(p)},
    "cooked": {"link": 113,
               "wrap": lambda p: struct.pack(">HHH8sH", 0, 1, 6, b"", 0x0800) + bytes(p)},
    "cooked2": {"link": 276, "wrap": lambda p: struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6,
                                                           b"") + bytes(p)},
    "ipv6": {"wrap": lambda p: bytes(Ether() / six(p))},
    "nanoseconds": {"magic": 0xa1b23c4d},
    "big-endian": {"order": ">"},
    "cut": {"snap": 66},
}


def fast():
    """The fourth of ten segments is lost; duplicate ACKs tell of it. Seen at the server."""
    t = Talk()
    t.open(request=b"GET /index.html HTTP/1.0\r\n\r\n")
    for i in range(10):
        t.say(41 + i / 10, "s", "A", i * MSS, 28, MSS)
    t.say(61, "c", "A", 28, 3 * MSS)
    for i in range(6):
        t.say(61.1 + i / 10, "c", "A", 28, 3 * MSS, sack=(4 * MSS, (5 + i) * MSS))
    t.say(61.9, "s", "A", 3 * MSS, 28, MSS)
    t.say(82, "c", "A", 28, 10 * MSS)
    t.close(83, 28, 10 * MSS)
    return t


def again_in_vain():
    """A segment is lost, and so is the one that SACK asked for: only the timer is left, and what
    it sends twice is behind it. Seen at the server."""
    t = Talk()
    t.open(request=b"x")
    for i in range(6):
        t.say(41 + i / 10, "s", "A", i * MSS, 1, MSS)
    for i in range(4):
        t.say(61 + i / 10, "c", "A", 1, MSS, sack=(2 * MSS, (3 + i) * MSS))
    t.say(61.5, "s", "A", MSS, 1, MSS)
    t.say(280, "s", "A", MSS, 1, MSS)
    t.say(300, "c", "A", 1, 6 * MSS)
    t.close(301, 1, 6 * MSS)
    return t


def again_told():
    """The same, but what was sent after the second arrives, which tells of it without a timer."""
    t = Talk()
    t.open(request=b"x")
    for i in range(6):
        t.say(41 + i / 10, "s", "A", i * MSS, 1, MSS)
    for i in range(4):
        t.say(61 + i / 10, "c", "A", 1, MSS, sack=(2 * MSS, (3 + i) * MSS))
    t.say(61.5, "s", "A", MSS, 1, MSS)
    t.say(61.6, "s", "A", 6 * MSS, 1, MSS)
    t.say(100, "c", "A", 1, MSS, sack=(2 * MSS, 7 * MSS))
    t.say(100.1, "s", "A", MSS, 1, MSS)
    t.say(120, "c", "A", 1, 7 * MSS)
    t.close(121, 1, 7 * MSS)
    return t


def timeout():
    """The last segment is lost, and a timer notices; before that, a silence of the server's."""
    t = Talk()
    t.open(request=b"GET / HTTP/1.0\r\n\r\n")
    t.say(41, "s", "A", 0, 18)
    t.say(841, "s", "PA", 0, 18, MSS)
    t.say(1241, "s", "PA", 0, 18, MSS)
    t.say(1261, "c", "A", 18, MSS)
    return t


def probe():
    t = Talk()
    t.open(request=b"x")
    t.say(41, "s", "PA", 0, 1, 100)
    t.say(82, "s", "PA", 0, 1, 100)
    t.say(102, "c", "A", 1, 100)
    return t


def needless_dsack():
    """Sent again although it had come: the receiver says so."""
    t = probe()
    t.say(103, "c", "A", 1, 100, sack=(0, 100))
    return t


def needless_stamps():
    t = Talk(stamps=True)
    t.open(request=b"x")
    t.say(41, "s", "PA", 0, 1, 100)
    t.say(341, "s", "PA", 0, 1, 100)
    t.say(345, "c", "A", 1, 100, echo=41)
    return t


def late():
    """Two segments change places on the way."""
    t = Talk()
    t.open()
    t.say(30, "s", "A", MSS, 0, MSS)
    t.say(31, "s", "A", 0, 0, MSS)
    t.say(32, "c", "A", 0, 2 * MSS)
    return t


def missing():
    """The same, but a whole round trip later: it was sent again. Seen at the client."""
    t = Talk()
    t.open()
    t.say(30, "s", "A", MSS, 0, MSS)
    t.say(49, "s", "A", 2 * MSS, 0, MSS)
    t.say(51, "s", "A", 0, 0, MSS)
    t.say(52, "c", "A", 0, 3 * MSS)
    return t


def early_fin():
    """The FIN arrives, the bytes before it do not."""
    t = Talk()
    t.open()
    t.say(30, "s", "FA", 100, 0)
    t.say(31, "c", "A", 0, 0)
    t.say(60, "s", "PA", 0, 0, 100)
    t.say(61, "c", "A", 0, 101)
    return t


def older_stamp():
    """Late by its timestamp, however long it took."""
    t = Talk(stamps=True)
    t.open()
    t.say(130, "s", "A", MSS, 0, MSS)
    t.say(190, "s", "A", 0, 0, MSS, ts=120)
    return t


def window():
    """The receiver's window closes; a probe asks, twice; an update opens it."""
    t = Talk()
    t.open()
    t.say(30, "s", "PA", 0, 0, MSS)
    t.say(50, "c", "A", 0, MSS, window=0)
    t.say(350, "s", "A", MSS - 1, 0)
    t.say(370, "c", "A", 0, MSS, window=0)
    t.say(970, "s", "A", MSS - 1, 0)
    t.say(990, "c", "A", 0, MSS, window=0)
    t.say(1200, "c", "A", 0, MSS, window=30000)
    t.say(1210, "s", "PA", MSS, 0, MSS)
    t.say(1230, "c", "A", 0, 2 * MSS)
    t.close(1240, 0, 2 * MSS)
    return t


def full_hole():
    """A segment is lost and the window fills up behind the hole; the server waits for its timer,
    and the client's application is not to blame. Seen at the client."""
    t = Talk()
    t.open(request=b"x")
    for i in (1, 2, 3, 4):
        t.say(50 + i, "s", "A", i * MSS, 1, MSS)
        t.say(50.5 + i, "c", "A", 1, 0, window=5 * MSS)
    t.say(900, "s", "A", 0, 1, MSS)
    t.say(901, "c", "A", 1, 5 * MSS, window=5 * MSS)
    t.close(910, 1, 5 * MSS)
    return t


def refused_probe():
    """A closed window is probed with the next byte, which is refused, and then sent with others."""
    t = Talk()
    t.open()
    t.say(30, "s", "PA", 0, 0, MSS)
    t.say(50, "c", "A", 0, MSS, window=0)
    for ms in (350, 950):
        t.say(ms, "s", "A", MSS, 0, 1)
        t.say(ms + 20, "c", "A", 0, MSS, window=0)
    t.say(1200, "c", "A", 0, MSS, window=30000)
    t.say(1210, "s", "PA", MSS, 0, MSS)
    t.say(1230, "c", "A", 0, 2 * MSS)
    return t


def taken_probe():
    """The same, but the byte is taken, and what follows begins behind it."""
    t = Talk()
    t.open()
    t.say(30, "s", "PA", 0, 0, MSS)
    t.say(50, "c", "A", 0, MSS, window=0)
    t.say(350, "s", "A", MSS, 0, 1)
    t.say(370, "c", "A", 0, MSS + 1, window=30000)
    t.say(371, "s", "PA", MSS + 1, 0, MSS)
    t.say(391, "c", "A", 0, 2 * MSS + 1)
    return t


def keep_alive():
    t = Talk()
    t.open(request=b"hello")
    t.say(41, "s", "A", 0, 5)
    t.say(1041, "c", "A", 4, 0)
    t.say(1061, "s", "A", 0, 5)
    t.say(2041, "c", "A", 4, 0)
    t.say(2061, "s", "A", 0, 5)
    return t


def reset():
    t = Talk()
    t.open(request=b"hello")
    t.say(41, "s", "PA", 0, 5, b"\x1b[2J<script>alert(1)</script>")
    t.say(45, "c", "RA", 5, 30)
    return t


def given_up():
    """A handshake, and no more."""
    t = Talk()
    t.open()
    t.say(21, "c", "RA")
    return t


def refused():
    t = Talk()
    t.say(0, "c", "S")
    t.say(10, "s", "RA", 0, 0)
    return t


def nobody():
    t = Talk()
    for ms in (0, 1000, 3000):
        t.say(ms, "c", "S")
    return t


def fast_open():
    """The request rides on the SYN (RFC 7413), and the SYN-ACK takes it."""
    t = Talk()
    t.say(0, "c", "S", 0, 0, 300)
    t.say(10, "s", "SA", 0, 300)
    t.say(20, "c", "A", 300)
    t.say(21, "s", "A", 0, 300, MSS)
    t.say(31, "c", "PA", 300, MSS, 100)
    t.close(41, c=400, s=MSS)
    return t


def fast_open_refused():
    """The server takes the SYN alone: what rode on it goes again at once."""
    t = Talk()
    t.say(0, "c", "S", 0, 0, 300)
    t.say(10, "s", "SA")
    t.say(20, "c", "PA", 0, 0, 300)
    t.say(30, "s", "A", 0, 300)
    return t


def reused():
    """The client's port is used again, and the server has not heard that the first connection is
    over: it answers the SYN by that one's numbers (RFC 5961 §4), is told by a reset, and the
    SYN comes again. Numbers that lie ahead of the new ones, where they look like bytes to come."""
    t = Talk()
    t.open(request=b"hello")
    t.say(31, "s", "A", 0, 5)
    ahead = 1 << 29
    t.say(100, "c", "S", -ahead)
    t.say(110, "s", "A", 0, 5)
    t.say(120, "c", "R", 5)
    t.say(1100, "c", "S", -ahead)
    t.say(1110, "s", "SA", ahead, -ahead)
    t.say(1120, "c", "PA", -ahead, ahead, 300)
    t.say(1130, "s", "PA", ahead, 300 - ahead, 200)
    t.say(1140, "c", "A", 300 - ahead, ahead + 200)
    return t


def needless_once():
    """Mid-stream: one segment goes again, and two ACKs tell that it came twice, the second with
    bytes from before this capture."""
    t = Talk()
    for n in range(3):
        t.say(n, "s", "A", 1000 * n, 5, 1000)
    t.say(300, "s", "A", 0, 5, 1000)
    t.say(310, "c", "A", 5, 3000, sack=(0, 1000))
    t.say(320, "c", "A", 5, 3000, sack=(-500, 500))
    return t


def halves():
    """As long until it was open as the answer was under way."""
    t = Talk()
    t.open(request=b"")
    t.say(20, "c", "PA", 0, 0, b"hello")
    t.say(40, "s", "A", 0, 5)
    return t


def five_lost():
    """Of one burst five are lost, and all go again. Seen at the server."""
    t = Talk()
    t.open(request=b"hello")
    for n in range(10):
        t.say(41 + n / 10, "s", "A", n * MSS, 5, MSS)
    for n in range(5):
        t.say(61 + n / 10, "c", "A", 5, 0, sack=(5 * MSS, (6 + n) * MSS))
    for n in range(5):
        t.say(62 + n / 10, "s", "A", n * MSS, 5, MSS)
    t.say(82, "c", "A", 5, 10 * MSS)
    return t


def reasons():
    """As tern writes it: the reasons stand in comments."""
    t = Talk()
    t.say(0, "c", "S", comment="the application connects (RFC 9293 §3.5)")
    t.say(10, "s", "SA")
    t.say(10.1, "c", "A", comment="the handshake is complete (RFC 9293 §3.10.7.3)")
    t.say(10.2, "c", "PA", 0, 0, b"GET / HTTP/1.0\r\n\r\n",
          comment="the application wrote bytes and the windows allow them (RFC 9293 §3.8)")
    t.say(310.2, "c", "PA", 0, 0, b"GET / HTTP/1.0\r\n\r\n",
          comment="retransmission: the timer ran out (RFC 6298 §5.4)")
    t.say(330, "s", "A", 0, 18)
    return t


def known_causes():
    """tern's own again: by duplicate ACKs it would look like a fast retransmission, but the timer
    had run out; and the last byte, once more, is no keep-alive."""
    t = Talk()
    t.say(0, "c", "S", comment="the application connects (RFC 9293 §3.5)")
    t.say(10, "s", "SA")
    t.say(10.1, "c", "A", comment="the handshake is complete (RFC 9293 §3.10.7.3)")
    for i in range(5):
        t.say(20 + i / 10, "c", "A", i * MSS, 0, MSS if i < 4 else 1, comment="the application "
              "wrote bytes and the windows allow them (RFC 9293 §3.8)")
    for i in range(3):
        t.say(31 + i / 10, "s", "A", 0, 0, sack=(MSS, (2 + i) * MSS))
    for i in (0, 4):
        t.say(32 + i / 10, "c", "A", i * MSS, 0, MSS if i < 4 else 1,
              comment="retransmission: the timer ran out (RFC 6298 §5.4)")
    t.say(45, "s", "A", 0, 4 * MSS + 1)
    return t


def slow_acks():
    """All comes at once, and the client acknowledges a segment now and then: what the server's
    timer sends again was there. Seen at the client."""
    t = Talk()
    t.open(request=b"x")
    for i in range(6):
        t.say(41 + i / 10, "s", "A", i * MSS, 1, MSS)
    t.say(280, "s", "A", 0, 1, MSS)
    t.say(340, "c", "A", 1, MSS, sack=(0, MSS))
    t.say(600, "c", "A", 1, 2 * MSS)
    t.say(640, "s", "A", 2 * MSS, 1, MSS)
    t.say(900, "c", "A", 1, 3 * MSS, sack=(2 * MSS, 3 * MSS))
    t.say(1200, "c", "A", 1, 6 * MSS)
    t.close(1201, 1, 6 * MSS)
    return t


def slow_link():
    """Full segments at a slow link's pace, each acknowledged at once, every other one pushed; then
    the server rests. Seen at the client."""
    t = Talk()
    t.open(trip=0.4, request=b"x")
    for i in range(40):
        t.say(3 + 6 * i, "s", "PA" if i % 2 else "A", i * MSS, 1, MSS)
        t.say(3.1 + 6 * i, "c", "A", 1, (i + 1) * MSS)
    t.say(350, "s", "PA", 40 * MSS, 1, 10)
    t.say(350.1, "c", "A", 1, 40 * MSS + 10)
    return t


def merged():
    """Segments that a network card put together: seven, in three packets of the server's."""
    t = Talk()
    t.open(request=b"x")
    for i, pieces in ((0, 3), (3, 1), (4, 3)):
        t.say(41 + i / 10, "s", "A", i * MSS, 1, pieces * MSS - 60 * (i == 4))
    t.say(42, "c", "A", 1, 7 * MSS - 60)
    return t


def log(packets):
    """The same as the event log of a client."""
    def record(value):
        return b"\x1e" + json.dumps(value).encode() + b"\n"

    out = record({"trace": {"common_fields": {"reference_time": {
        "wall_clock_time": "2026-01-01T00:00:00.000000000Z"}}}})
    words = {"F": "FIN", "S": "SYN", "R": "RST", "P": "PSH", "A": "ACK"}
    for ms, packet, _, outbound in packets:
        tcp, text = packet[TCP], len(packet[TCP].payload)
        data = {"local": f"{CLIENT}:40000", "remote": f"{SERVER}:80", "seq": tcp.seq,
                "ack": tcp.ack, "window_bytes": tcp.window, "text_bytes": text,
                "flags": " ".join(words[letter] for letter in str(tcp.flags))}
        if "S" in str(tcp.flags):
            data["mss_bytes"] = MSS
        if text > MSS:
            data["piece_bytes"] = MSS
        out += record({"time": ms, "data": data, "group_id": "1", "name": "tcp:segment_" +
                       ("sent" if outbound else "received")})
    return out


def others():
    """What is not TCP, and fragments of it."""
    whole = IP(src=CLIENT, dst=SERVER) / TCP(sport=1, dport=2, flags="A") / Raw(b"x" * 300)
    parts = [ARP(), IP() / UDP() / Raw(b"x"), IP() / ICMP()] + fragment(whole, 120)
    return [(i, part, None, False) for i, part in enumerate(parts)]


def talk():
    """Questions and answers, more than a ladder holds: folded."""
    t = Talk()
    t.open()
    for i in range(600):
        at = 100 + 50 * i
        t.say(at, "c", "PA", i * 10, i * 20, b"question: ")
        t.say(at + 20, "s", "PA", i * 20, (i + 1) * 10, b"an answer of twenty ")
    return t
