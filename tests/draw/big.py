#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A capture of any length for measuring: big.py FILE PACKETS [CONNECTIONS]. Downloads with ACKs, a
loss now and then, and its retransmission; the same file each time."""
import struct
import sys

MSS = 1448


def frame(conn, server, seq, ack, flags, size, ts):
    """The first 66 bytes of a segment on Ethernet, and its length on the wire."""
    client_ip, server_ip = 0x0a000001 + (conn >> 14), 0x0a630001
    client_port, server_port = 1024 + (conn & 0x3fff), 443
    src, dst, sport, dport = (server_ip, client_ip, server_port, client_port) if server else \
        (client_ip, server_ip, client_port, server_port)
    total = 52 + size
    head = struct.pack(">6s6sH", b"\2\0\0\0\0\1", b"\2\0\0\0\0\2", 0x0800)
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, total, 0, 0x4000, 64, 6, 0, src, dst)
    tcp = struct.pack(">HHIIBBHHHBBBBII", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 0x80,
                      flags, 0xffff, 0, 0, 1, 1, 8, 10, ts & 0xffffffff, ts & 0xffffffff)
    return head + ip + tcp, 14 + total


class Conversation:
    def __init__(self, conn):
        self.conn, self.sent, self.acked, self.lost, self.step = conn, 0, 0, None, 0

    def next(self, now_us):
        """One packet of it, and what follows."""
        i, ts = self.step, now_us // 1000
        self.step += 1
        if i < 3:
            return frame(self.conn, i == 1, 5000 if i == 1 else 1000 + (i == 2),
                         0 if i == 0 else 1001 if i == 1 else 5001, (2, 18, 16)[i], 0, ts)
        if i % 1000 == 500:
            self.lost = self.sent
            self.sent += MSS
        if self.lost is not None and i % 1000 == 560:
            at, self.lost = self.lost, None
            return frame(self.conn, True, 5001 + at, 1001, 24, MSS, ts)
        if i % 3 == 2:
            self.acked = self.sent if self.lost is None else self.lost
            return frame(self.conn, False, 1001, 5001 + self.acked, 16, 0, ts)
        at = self.sent
        self.sent += MSS
        return frame(self.conn, True, 5001 + at, 1001, 16, MSS, ts)


def main(path, packets, connections):
    talks = [Conversation(i) for i in range(connections)]
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 66, 1))
        for i in range(packets):
            now = i * 12
            data, wire = talks[i % connections].next(now)
            out.write(struct.pack("<IIII", 1700000000 + now // 1000000, now % 1000000, len(data),
                                  wire) + data)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
