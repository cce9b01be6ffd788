#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Both ends of a conversation over the kernel's TCP, for captures to be drawn.

    peer_stories.py serve ADDRESS PORT          answers whoever calls
    peer_stories.py call ADDRESS PORT STORY     calls, and plays its part

The caller's first line is its story, and its figures:

    get BYTES         the server sends so many
    put BYTES         the client does
    think MS BYTES    the server waits before it sends
    lazy BYTES MS     the client reads nothing for a while
    abort BYTES       the client resets in the middle
    keep SECONDS      nothing is said, and keep-alives each second ask whether anybody is there
    talk N            N questions and answers, one after the other
"""
import socket
import struct
import sys
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def line_of(peer):
    text = b""
    while not text.endswith(b"\n"):
        got = peer.recv(1)
        if not got:
            return []
        text += got
    return text.decode().split()


def swallow(peer, wanted):
    while wanted > 0:
        got = len(peer.recv(min(wanted, 1 << 16)))
        if got == 0:
            return
        wanted -= got


def answer(peer):
    words = line_of(peer)
    if not words:
        return
    story, figures = words[0], [int(word) for word in words[1:]]
    if story == "put":
        swallow(peer, figures[0])
        peer.sendall(b"ok\n")
    elif story == "think":
        time.sleep(figures[0] / 1000)
        peer.sendall(b"t" * figures[1])
    elif story == "keep":
        peer.recv(1)
    elif story == "talk":
        for _ in range(figures[0]):
            peer.sendall(b"%s\n" % " ".join(line_of(peer)).upper().encode())
    else:
        peer.sendall(b"d" * figures[0])
        peer.shutdown(socket.SHUT_WR)
        peer.recv(1)


def serve(address, port):
    with socket.socket(family(address)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(16)
        while True:
            peer, _ = listener.accept()
            with peer:
                try:
                    answer(peer)
                except OSError:
                    pass


def all_of(peer):
    while peer.recv(1 << 16):
        pass


def call(address, port, words):
    story, figures = words[0], [int(word) for word in words[1:]]
    with socket.socket(family(address)) as peer:
        if story == "lazy":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
        if story == "keep":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        peer.connect((address, port))
        peer.sendall((" ".join(words) + "\n").encode())
        if story == "put":
            peer.sendall(b"u" * figures[0])
            line_of(peer)
        elif story == "abort":
            swallow(peer, figures[0] // 4)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif story == "keep":
            time.sleep(figures[0])
        elif story == "talk":
            for i in range(figures[0]):
                peer.sendall(b"question %d\n" % i)
                line_of(peer)
        else:
            time.sleep(figures[1] / 1000 if story == "lazy" else 0)
            all_of(peer)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        call(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
