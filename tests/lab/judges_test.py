#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lab's judges, tried on conversations that are made up: each takes a healthy one, and says no
to each way in which its rule can be broken. Captures are written by scapy and read by tshark;
where one of them is missing, those judges of captures are not tried (exit 77)."""
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import judges  # noqa: E402
import peers  # noqa: E402
import wire  # noqa: E402
import world  # noqa: E402
from world import SERVER, TERN_IP  # noqa: E402

OURS, THEIRS, OTHERS = "02:00:00:00:00:05", "02:00:00:00:00:02", "02:00:00:00:00:09"


class Judged(unittest.TestCase):
    def refuses(self, words, judge, *arguments):
        """The judge says no, and why."""
        with self.assertRaises(world.Failed) as why:
            judge(*arguments)
        self.assertIn(words, str(why.exception))


def segment(src, flags, seq, ack=0, size=0, time=0.0, window=500, payload=""):
    port, peer = (40000, 80) if src == TERN_IP else (80, 40000)
    return {"src": src, "flags": flags, "seq_raw": seq % 2**32, "ack_raw": ack % 2**32,
            "len": size, "time": time, "window_size_value": window, "srcport": port,
            "dstport": peer, "payload": payload}


def changed(seen, at, **fields):
    """The same conversation with something else in one place."""
    return [dict(s, **fields) if i == at else s for i, s in enumerate(seen)]


def without(seen, at):
    return [s for i, s in enumerate(seen) if i != at]


class Numbers(Judged):
    """Handshake, numbers and end of a conversation, also where they pass 2^32."""

    def handshakes(self):
        for ours, theirs in ((1000, 5000), (2**32 - 1, 7), (7, 2**32 - 1)):
            yield [segment(TERN_IP, "S", ours),
                   segment(SERVER, "SA", theirs, ours + 1),
                   segment(TERN_IP, "A", ours + 1, theirs + 1)]

    def test_handshake(self):
        for seen in self.handshakes():
            judges.opened(seen)
            self.refuses("three", judges.opened, seen[:2])
            self.refuses("flags", judges.opened, seen[:1] + seen)
            self.refuses("flags", judges.opened, changed(seen, 1, flags="RA"))
            self.refuses("from", judges.opened, changed(seen, 2, src=SERVER))
            self.refuses("server's ACK", judges.opened, changed(seen, 1, ack_raw=2))
            self.refuses("our sequence", judges.opened,
                         changed(seen, 2, seq_raw=seen[0]["seq_raw"]))
            self.refuses("our ACK", judges.opened, changed(seen, 2, ack_raw=seen[1]["seq_raw"]))
            self.refuses("SYN's ACK", judges.opened, changed(seen, 0, ack_raw=1))

    def test_pieces(self):
        sizes = (100, 200, 300)
        for first in (1, 2**32 - 100, 2**32 - 300, 2**32 - 599):
            seen = []
            for i, (start, end) in enumerate(((0, 100), (100, 300), (300, 600))):
                seen += [segment(SERVER, "PA", first + start, size=end - start, time=i + 0.5),
                         segment(TERN_IP, "A", 1, first + end, time=i + 0.6)]
            judges.numbered(seen, sizes)
            self.refuses("segments", judges.numbered, without(seen, 2), sizes)
            self.refuses("their numbers", judges.numbered,
                         changed(seen, 2, seq_raw=(first + 101) % 2**32), sizes)
            self.refuses("next", judges.numbered, without(seen, 3), sizes)
            self.refuses("next", judges.numbered,
                         changed(seen, 3, ack_raw=(first + 299) % 2**32), sizes)
            self.refuses("next", judges.numbered, changed(
                changed(seen, 1, ack_raw=seen[3]["ack_raw"]), 3, ack_raw=seen[1]["ack_raw"]), sizes)

    def test_knocking(self):
        syns = [segment(TERN_IP, "S", 9, time=at) for at in (0, 1, 3, 7)]
        judges.knocked(syns, (1, 2, 4))
        self.refuses("SYNs", judges.knocked, syns[:3], (1, 2, 4))
        self.refuses("SYNs", judges.knocked, syns + syns[3:], (1, 2, 4))
        self.refuses("numbers", judges.knocked, changed(syns, 2, seq_raw=10), (1, 2, 4))
        for at, time in ((1, 0.5), (1, 1.5), (3, 4)):  # early, late, all a second apart
            self.refuses("gaps", judges.knocked, changed(syns, at, time=time), (1, 2, 4))

    def test_closing(self):
        for last in (50, 2**32 - 1, 2**32 - 11):
            seen = [segment(TERN_IP, "FA", last, 900, size=10),
                    segment(SERVER, "A", 900, last + 11), segment(SERVER, "FA", 900, last + 11),
                    segment(TERN_IP, "A", last + 11, 901)]
            judges.closed(seen, TERN_IP, SERVER)
            for broken in (without(seen, 0), without(seen, 2), without(seen, 3),
                           changed(seen, 0, flags="RA"), changed(seen, 3, ack_raw=900),
                           changed(seen, 3, dstport=81), [seen[0], seen[3]]):
                self.refuses("FIN", judges.closed, broken, TERN_IP, SERVER)

    def test_end_told(self):
        seen = [segment(TERN_IP, "PA", 5), segment(SERVER, "FA", 5), segment(SERVER, "R", 5)]
        self.refuses("FIN or RST", judges.told, seen)
        judges.told(seen + [segment(TERN_IP, "FA", 6)])
        judges.told(seen + [segment(TERN_IP, "R", 6)])


class Burst(Judged):
    def burst(self, count):
        """The server says so many segments at once, and each is acknowledged a millisecond on."""
        data = [segment(SERVER, "A", 2**32 - 5000 + 1448 * i, size=1448, time=0.0001 * i)
                for i in range(count)]
        return data + [segment(TERN_IP, "A", 1, s["seq_raw"] + 1448, time=s["time"] + 0.001)
                       for s in data]

    def test_flight(self):
        self.assertEqual(judges.longest_flight(self.burst(100)), 144800)
        in_turns = [s for pair in zip(*[iter(self.burst(1) * 100)] * 2) for s in pair]
        self.assertEqual(judges.longest_flight(in_turns), 1448)

    def test_only_tails_again(self):
        data = self.burst(4)[:4]
        tail = dict(data[3], time=0.1)
        self.assertEqual(judges.only_tails_again(data), 0)
        self.assertEqual(judges.only_tails_again(data + [tail, tail]), 2)
        self.refuses("is the tail", judges.only_tails_again, data + [data[1]])
        told = segment(TERN_IP, "A", 1, (tail["seq_raw"] + 1448) % 2**32)
        self.refuses("nobody acknowledged", judges.only_tails_again, data + [told, tail])

    def test_late_acks(self):
        seen = self.burst(20)
        self.assertLess(judges.longest_silence(seen), 0.01)
        self.assertGreater(judges.longest_silence(changed(seen, 39, time=1.0)), 0.9)
        # An ACK each 100 ms, as a program sends them that gets round to it now and then.
        slow = [dict(s, time=0.1 * i) if s["src"] == TERN_IP else s for i, s in enumerate(seen)]
        self.assertGreater(judges.longest_silence(slow), 1)
        unheard = seen[:-1] + [segment(TERN_IP, "FA", 1, seen[0]["seq_raw"], time=9.0)]
        self.assertGreater(judges.longest_silence(unheard), 8)

    def test_window(self):
        def says(*windows):
            return [segment(TERN_IP, "S", 0, window=65535)] + [
                segment(TERN_IP, "A", 1, window=w) for w in windows] + [
                segment(SERVER, "A", 1, window=3), segment(TERN_IP, "FA", 1, window=0)]
        self.assertEqual(judges.window_breathed(says(500, 200, 0, 0, 400)), (500, 0, 400))
        self.refuses("closed", judges.window_breathed, says(500, 480, 450, 500))
        self.refuses("opened", judges.window_breathed, says(500, 200, 1, 0, 1))

    def test_said_again(self):
        seen = [segment(SERVER, "A", 2**32 - 2 + 2 * i, size=2, payload=f"0{i}1{i}")
                for i in range(3)]
        self.assertEqual(judges.said_again(seen, SERVER), 0)
        self.assertEqual(judges.said_again(seen + seen[1:2], SERVER), 2)
        self.assertEqual(judges.said_again(seen + seen, TERN_IP), 0)
        across = segment(SERVER, "A", 2**32 - 1, size=2, payload="1001")
        self.assertEqual(judges.said_again(seen + [across], SERVER), 2)
        self.refuses("sent again", judges.said_again, seen + [dict(across, payload="1002")],
                     SERVER)


    def test_why_again(self):
        lost, probe = "retransmission: SACK shows a hole", "tail loss probe: no ACK"
        seen = [dict(segment(TERN_IP, "A", 2**32 - 20 + 10 * i, size=10), comment="written")
                for i in range(4)]
        self.assertEqual(judges.told_why(seen + [dict(seen[0], comment=lost)]), [lost])
        self.assertEqual(judges.told_why(seen + [dict(seen[3], comment=probe)]), [probe])
        self.assertEqual(judges.told_why(changed(seen, 3, comment=probe)), [])
        self.assertEqual(judges.told_why(seen + [dict(seen[0], src=SERVER)]), [])
        self.refuses("False", judges.told_why, changed(seen, 2, comment=lost))
        self.refuses("True", judges.told_why, seen + seen[1:2])
        self.refuses("True", judges.told_why, seen + [dict(seen[1], seq_raw=3, comment="")])


class Counters(Judged):
    """world.unmoved: what moves in every round is the stack's, and not the machine's."""

    def judge(self, moves):
        """moves: for each round, how far the counter moves."""
        class Fake:
            now = 0
            notes = []

            def counter(self, _name):
                return self.now

            note = notes.append

        fake, rounds = Fake(), iter(moves)

        def act():
            fake.now += next(rounds)
        world.unmoved(fake, fake, ["resent"], act)
        self.assertEqual(list(rounds), [], "no more rounds than needed")

    def test_rounds(self):
        self.judge([0])
        self.judge([2, 0])
        self.refuses("in each of 3 rounds", self.judge, [1, 1, 1])

    def test_fetch(self):
        class Fake:
            code = 56

            def run(self, *_command):
                return world.Result(self.code, b"", b"tern: (56) reset", 0.1)

        fake = Fake()
        self.refuses("(56) reset", peers.Tern(fake).fetch, "http://10.77.0.2/", "f")
        fake.code = 0
        peers.Tern(fake).fetch("http://10.77.0.2/", "f")


    def test_sums(self):
        with tempfile.TemporaryDirectory() as folder:
            sums = []
            for last in (b"a", b"b", b"a", b""):
                with open(os.path.join(folder, "f"), "wb") as out:
                    out.write(bytes(1 << 20) + last)
                sums.append(world.sha256(os.path.join(folder, "f")))
        world.equal("the same", sums[0], sums[2])
        self.refuses("not", world.equal, "one byte else", sums[0], sums[1])
        self.refuses("not", world.equal, "one byte short", sums[0], sums[3])


class Addresses(Judged):
    def said(self, *times, mac=OURS):
        return [{"frame.time_epoch": str(at), "arp.src.hw_mac": mac} for at in times]

    def test_claim(self):
        # As text, 9.9 comes after 10.1.
        probes, news, spoken = self.said(9.1, 9.5, 9.9), self.said(10.1, 12.1), self.said(10.2)
        judges.claimed(probes, news, spoken, OURS)
        for words, broken in (
                ("probes", ([], news, spoken)), ("probes", (probes[1:], news, spoken)),
                ("announcements", (probes, [], spoken)),
                ("probes came first", (probes, self.said(9.8), spoken)),
                ("our MAC", (probes, self.said(10.1, mac=OTHERS), spoken)),
                ("our MAC", (self.said(9.1, 9.5, 9.9, mac=OTHERS), news, spoken)),
                ("something", (probes, news, [])),
                ("before it was ours", (probes, news, self.said(9.2, 10.2)))):
            self.refuses(words, judges.claimed, *broken, OURS)

    def test_left_alone(self):
        judges.left_alone([], {OTHERS})
        judges.left_alone([{"eth.src": OTHERS}], {OTHERS})
        self.refuses("nothing sent", judges.left_alone,
                     [{"eth.src": OTHERS}, {"eth.src": OURS}], {OTHERS})

    def test_sockets(self):
        inner = ['7 socket(AF_PACKET, SOCK_RAW, 768) = 5', '7 socket(AF_UNIX, SOCK_STREAM, 0) = 6',
                 '7 socket(AF_NETLINK, SOCK_RAW, 0) = 7']
        self.assertEqual(judges.internet_sockets(inner), [])
        for family in ("AF_INET", "AF_INET6"):
            line = f"8 socket({family}, SOCK_DGRAM, 0) = 8"
            self.assertEqual(judges.internet_sockets(inner + [line]), [line])


class Captures(Judged):
    """wire.clean() and its neighbours, on captures with one thing wrong each."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def packet(self, src, flags, seq, ack, load=b"", **ip):
        from scapy.all import Ether, IP, Raw, TCP
        here, there = ((OURS, THEIRS) if src == TERN_IP else (THEIRS, OURS))
        ports = (40000, 80) if src == TERN_IP else (80, 40000)
        frame = Ether(src=here, dst=there) / IP(
            src=src, dst=SERVER if src == TERN_IP else TERN_IP, **ip) / TCP(
            sport=ports[0], dport=ports[1], flags=flags, seq=seq, ack=ack, window=1000)
        return Ether(bytes(frame / Raw(load) if load else frame))  # checksums and lengths filled in

    def conversation(self):
        return [self.packet(TERN_IP, "S", 100, 0), self.packet(SERVER, "SA", 900, 101),
                self.packet(TERN_IP, "A", 101, 901),
                self.packet(SERVER, "PA", 901, 101, b"a" * 100),
                self.packet(TERN_IP, "A", 101, 1001),
                self.packet(SERVER, "PA", 1001, 101, b"b" * 100),
                self.packet(TERN_IP, "FA", 101, 1101),
                self.packet(SERVER, "FA", 1101, 102),
                self.packet(TERN_IP, "A", 102, 1102)]

    def capture(self, packets, name="made.pcap"):
        from scapy.all import wrpcap
        path = os.path.join(self.folder, name)
        for i, packet in enumerate(packets):
            packet.time = 1000 + i / 100
        wrpcap(path, packets, linktype=1)
        return path

    def test_healthy(self):
        path = self.capture(self.conversation())
        wire.clean(path)
        wire.no_reset(path)
        wire.closed_both_ways(path)
        seen = wire.segments(path, more="tcp.payload")
        self.assertEqual([s["flags"] for s in seen],
                         ["S", "SA", "A", "PA", "A", "PA", "FA", "FA", "A"])
        self.assertEqual(seen[3]["payload"], "61" * 100)
        judges.opened(seen)

    def broken(self, words, at, change):
        packets = self.conversation()
        change(packets[at])
        self.refuses(words, wire.clean, self.capture(packets))

    def test_checksums(self):
        def tcp(packet):
            packet["TCP"].chksum ^= 1

        def header(packet):
            packet["IP"].chksum ^= 1
        self.broken("checksums", 4, tcp)
        self.broken("checksums", 4, header)

    def test_malformed(self):
        def offset(packet):  # a header that ends within itself
            packet["TCP"].dataofs = 4
            del packet["TCP"].chksum

        def short(packet):  # a packet that ends within TCP's header
            packet["IP"].remove_payload()
            packet["IP"].add_payload(bytes(10))
            packet["IP"].len = 30
            del packet["IP"].chksum
        self.broken("malformed", 4, offset)
        self.broken("malformed", 4, short)

    def test_flagged(self):
        packets = self.conversation()
        self.refuses("analysis", wire.clean, self.capture(packets[:6] + packets[3:4] + packets[6:]))
        self.refuses("analysis", wire.clean, self.capture(without(packets, 3)))
        self.refuses("analysis", wire.clean,
                     self.capture(packets[:5] + [self.packet(TERN_IP, "A", 101, 1001)] * 3))

    def test_reset_and_nothing(self):
        packets = self.conversation()
        self.refuses("RST", wire.no_reset,
                     self.capture(packets + [self.packet(TERN_IP, "R", 102, 0)]))
        self.refuses("not empty", wire.clean, self.capture([]))
        self.refuses("FIN", wire.closed_both_ways, self.capture(packets[:-1]))


def main():
    missing = [] if shutil.which("tshark") else ["tshark"]
    try:
        import scapy.all  # noqa: F401
    except ImportError:
        missing.append("python3-scapy")
    tried = [case for case in Judged.__subclasses__() if not (missing and case is Captures)]
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    done = unittest.TextTestRunner(verbosity=2).run(
        unittest.TestSuite(load(case) for case in tried))
    if missing:
        print(f"{' and '.join(missing)} not installed: captures are not judged")
    return 1 if not done.wasSuccessful() else 77 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
