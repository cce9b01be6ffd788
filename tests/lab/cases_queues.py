# SPDX-License-Identifier: BSD-2-Clause
"""Two stacks in two threads share one address: answers and callers of the kernel find theirs."""
import json
import os
import subprocess

import world
from case import case
from peers import PYTHON
from world import SERVER, TERN_IP, equal, hold

PROGRAM = os.path.join(os.path.dirname(world.TERN), "tests", "lab", "lab-two-queues")
CALLERS, AT_ONCE, CALLS, PORT = 2000, 200, 300, 8080
SENDERS, EACH_SENDS = 8, 1 << 20

# Greets each caller with a byte, and waits for it to close.
GREETER = """
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=100)
print("ready", flush=True)
while True:
    with s.accept()[0] as c:
        c.sendall(b"!")
        c.recv(1)
"""

# Connects so many times, so many at once; the first few send much. Prints how many were greeted,
# and then saw an orderly end.
CALLER = """
import socket, sys
address, count, at_once, senders, each = sys.argv[1], *map(int, sys.argv[2:])
greeted = ended = 0
for first in range(0, count, at_once):
    calls = [socket.create_connection((address, 80), 30) for _ in range(at_once)]
    for i, s in enumerate(calls):
        greeted += s.recv(6, socket.MSG_WAITALL) == b"hello\\n"
        if first + i < senders:
            s.sendall(bytes(each))
        s.shutdown(socket.SHUT_WR)
    for s in calls:
        ended += s.recv(1) == b""
        s.close()
print(greeted, ended)
"""


def said(path):
    """The last that each of the two told of itself."""
    with open(path) as text:
        lines = text.read().split("\n")[:-1]
    last = {row["queue"]: row for row in map(json.loads, lines)}
    return [last[0], last[1]] if len(last) == 2 else None


@case("queues: two stacks share an address; callers and answers find theirs")
def two(lab):
    if not os.path.exists(PROGRAM):
        raise world.Skipped(f"{PROGRAM} is not built")
    client, server = lab.pair()
    greeter = server.start(PYTHON, "-c", GREETER, SERVER, str(PORT), stdout=subprocess.PIPE)
    equal("the greeter", greeter.stdout.readline(), b"ready\n")
    path, errors = lab.path("said"), lab.path("errors")
    with open(path, "wb") as out, open(errors, "wb") as err:
        both = client.start(PROGRAM, "vA", f"{TERN_IP}/24", SERVER, str(PORT), str(CALLS),
                            stdout=out, stderr=err)

    def told():
        with open(errors) as text:
            hold("it lives", both.poll() is None, text.read())
        return said(path)

    world.wait_for("both to serve", told, 30)
    callers = server.run(PYTHON, "-c", CALLER, TERN_IP, *map(str, (
        CALLERS, AT_ONCE, SENDERS, EACH_SENDS)), seconds=90)
    equal("callers greeted, and ended in order", callers.out.decode().split(),
          [str(CALLERS), str(CALLERS)])
    wanted = CALLERS, SENDERS * EACH_SENDS, 2 * CALLS

    def done():
        rows = told()
        sums = tuple(sum(row[key] for row in rows)
                     for key in ("accepted", "bytes", "calls_answered"))
        return rows if sums >= wanted and sums[2] >= wanted[2] else None

    rows = world.wait_for("all callers and calls to be counted", done, 60)
    for row in rows:
        equal(f"calls of queue {row['queue']} answered", row["calls_answered"], CALLS)
        equal("its calls that failed", row["calls_failed"], 0)
        equal("its resets", row["resets_out"], 0)
        hold("it served a fair part", row["accepted"] > CALLERS / 4, str(rows))
    equal("accepted", sum(row["accepted"] for row in rows), CALLERS)
    equal("bytes swallowed", sum(row["bytes"] for row in rows), wanted[1])
    lab.note(f"served {[row['accepted'] for row in rows]}, sent again "
             f"{[row['retransmits'] for row in rows]}")
