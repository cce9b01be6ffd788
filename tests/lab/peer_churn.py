#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The other side of tests/churn over the kernel's sockets: peer_churn.py OWN PEER CALLS SECONDS.

Calls PEER:7000 so many times a second for so many seconds, or with CALLS 0 answers on OWN:7000
until SIGTERM; what is said is told in tests/churn/churn.h. At the end, when the conversations under
way are over, one line of JSON; exit 1 where one failed.
"""
import asyncio
import json
import random
import signal
import socket
import struct
import sys

PORT, DOWN, UP_MAX, DOWN_MAX, SECONDS = 7000, 0x5555, 3000, 6000, 120
FIRST = 256  # calls at once at the start, so that the answerer's pools have seen the worst
NOISE = bytes((i * 2654435761 & 0xFFFFFFFF) >> 13 & 255 for i in range(65536))
counts = {"called": 0, "answered": 0, "done": 0, "failed": 0, "complaint": ""}


class Wrong(Exception):
    """What came is not what was to come."""


def stream(key, size):
    start = key % 32768
    return NOISE[start:start + size]


def has_keepalive(writer):
    """A reset that is lost leaves us waiting for nobody: we have to ask."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)


async def answer(reader, writer):
    has_keepalive(writer)
    key, up, down = struct.unpack("!IHH", await reader.readexactly(8))
    if await reader.readexactly(up) != stream(key, up):
        raise Wrong("a byte is not the one that was said there")
    caller_first = key % 16 != 0 and key % 2 == 0
    if caller_first and await reader.read(1):
        raise Wrong("more bytes than were said")
    writer.write(stream(key ^ DOWN, down))
    try:
        writer.write_eof()  # in vain, where the caller has read all and reset already
        if await reader.read(1):
            raise Wrong("more bytes than were said")
    except OSError:
        if key % 16 != 0:
            raise


async def call(reader, writer):
    has_keepalive(writer)
    key, up = random.getrandbits(32), random.randrange(UP_MAX + 1)
    down = 1 + random.randrange(DOWN_MAX)
    writer.write(struct.pack("!IHH", key, up, down) + stream(key, up))
    if key % 16 != 0 and key % 2 == 0:
        writer.write_eof()
    if await reader.readexactly(down) != stream(key ^ DOWN, down):
        raise Wrong("a byte is not the one that was said there")
    if key % 16 == 0:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                   struct.pack("ii", 1, 0))
        writer.transport.abort()
    elif await reader.read(1):
        raise Wrong("more bytes than were said")


async def talk(what, reader, writer):
    try:
        await asyncio.wait_for(what(reader, writer), SECONDS)
        counts["done"] += 1
    except (OSError, EOFError, Wrong, asyncio.TimeoutError) as error:
        counts["failed"] += 1
        counts["complaint"] = f"{what.__name__}: {type(error).__name__} {error}"
    finally:
        writer.close()


async def answered(reader, writer):
    counts["answered"] += 1
    await talk(answer, reader, writer)


async def called(peer):
    counts["called"] += 1
    try:
        reader, writer = await asyncio.open_connection(peer, PORT)
    except OSError as error:
        counts["failed"] += 1
        counts["complaint"] = f"connect: {error}"
        return
    await talk(call, reader, writer)


async def make_calls(peer, rate, seconds):
    loop, calls = asyncio.get_running_loop(), set()
    began, made = loop.time(), 0
    while loop.time() < began + seconds:
        while made < FIRST + (loop.time() - began) * rate:
            task = asyncio.create_task(called(peer))
            calls.add(task)
            task.add_done_callback(calls.discard)
            made += 1
        await asyncio.sleep(0.005)


async def main(own, peer, rate, seconds):
    server = await asyncio.start_server(answered, own, PORT, backlog=512)
    if rate:
        await make_calls(peer, rate, seconds)
    else:
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        await told.wait()
    while counts["answered"] + counts["called"] > counts["done"] + counts["failed"]:
        await asyncio.sleep(0.05)
    server.close()
    print(json.dumps(counts), flush=True)
    return 1 if counts["failed"] else 0


sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))))
