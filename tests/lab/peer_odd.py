#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A server that misbehaves on purpose: peer_odd.py ADDRESS PORT. What it does is the path:

    /chunked    a body in 50 chunks of odd sizes
    /cut        the same without the chunk that says that it ends
    /reset      half of the body that it promised, then a reset
    /short      half of the body that it promised, then an orderly close
    /empty      closes without a word
    /hang       half of the body, then nothing for a minute
    /pieces     segments of 100, 200 and 300 bytes, each pushed by itself
    /close      a body that ends with the connection
"""
import socket
import socketserver
import struct
import sys
import time

BODY = bytes(i * 7 % 251 for i in range(60000))


def head(*lines):
    return ("HTTP/1.1 200 OK\r\n" + "".join(line + "\r\n" for line in lines) + "\r\n").encode()


class Odd(socketserver.BaseRequestHandler):
    def handle(self):
        request = b""
        while b"\r\n\r\n" not in request:
            got = self.request.recv(4096)
            if not got:
                return
            request += got
        path = request.split()[1].decode().lstrip("/")
        getattr(self, "do_" + path, self.do_empty)()

    def do_chunked(self, last=b"0\r\n\r\n"):
        out, at = head("Transfer-Encoding: chunked"), 0
        for i in range(50):
            piece = BODY[at:at + 1 + i * 37]
            at += len(piece)
            out += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        self.request.sendall(out + last)

    def do_cut(self):
        self.do_chunked(b"")

    def half(self):
        self.request.sendall(head(f"Content-Length: {len(BODY)}") + BODY[:30000])

    def do_reset(self):
        self.half()
        time.sleep(0.3)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()

    def do_short(self):
        self.half()

    def do_hang(self):
        self.half()
        self.await_end(60)

    def do_empty(self):
        pass

    def do_pieces(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        top = head("Content-Length: 600")
        self.request.sendall(top)
        for start, end in ((0, 100), (100, 300), (300, 600)):
            time.sleep(0.1)
            self.request.sendall(BODY[start:end])
        self.await_end(10)

    def await_end(self, seconds):
        """Until the asker closes or resets."""
        self.request.settimeout(seconds)
        try:
            self.request.recv(1)
        except OSError:
            pass

    def do_close(self):
        self.request.sendall(head("Connection: close") + BODY)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def shutdown_request(self, request):
        self.close_request(request)


Server((sys.argv[1], int(sys.argv[2])), Odd).serve_forever()
