#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A name server for the lab: peer_dns.py ADDRESS NAME=A[,A...]... Names that begin with `long`
are truncated over UDP, so that the asker must come again over TCP; `mute` names are never
answered; all others do not exist. Says on standard output what was asked, and how."""
import socket
import socketserver
import struct
import sys
import threading

TABLE = {}


def name_of(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 5


def answer(message, how):
    """The reply to a query, or None."""
    name, end = name_of(message)
    kind = struct.unpack("!H", message[end - 4:end - 2])[0]
    print(how, name, kind, flush=True)
    if name.startswith("mute"):
        return None
    records = TABLE.get(name, []) if kind == 1 else []
    flags = 0x8180 if name in TABLE else 0x8183
    if how == "udp" and name.startswith("long"):
        flags, records = flags | 0x0200, []
    head = message[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(a)
                    for a in records)
    return head + message[12:end] + body


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        reply = answer(data, "udp")
        if reply:
            sock.sendto(reply, self.client_address)


class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            reply = answer(self.rfile.read(struct.unpack("!H", head)[0]), "tcp")
            if reply:
                self.wfile.write(struct.pack("!H", len(reply)) + reply)


def main():
    for word in sys.argv[2:]:
        name, addresses = word.split("=")
        TABLE[name] = addresses.split(",")
    socketserver.TCPServer.allow_reuse_address = True
    tcp = socketserver.ThreadingTCPServer((sys.argv[1], 53), Tcp)
    tcp.daemon_threads = True
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    socketserver.ThreadingUDPServer((sys.argv[1], 53), Udp).serve_forever()


main()
