# SPDX-License-Identifier: BSD-2-Clause
"""A program that begins anew with the address and the port of the last: the peer's kernel is in
TIME-WAIT there, and has to see that this is a new connection (RFC 6191 §2)."""
import json

import world
from case import case
from peers import PYTHON, Tern, wait_listening
from world import SERVER, TERN_IP, equal, hold

OWN, PORT, TIMES = 5555, 7000, 6

# Says a byte to each caller and closes first, so that TIME-WAIT is on its side.
FIRST_TO_CLOSE = """
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    with s.accept()[0] as c:
        c.sendall(b"!")
        c.shutdown(socket.SHUT_WR)
        while c.recv(4096):
            pass
"""


def waits(server):
    """Is the pair in TIME-WAIT there?"""
    rows = server.sh("ss", "-Htan", "state", "time-wait").splitlines()
    return any(f"{SERVER}:{PORT}" in row and f"{TERN_IP}:{OWN}" in row for row in rows)


def call(lab, client):
    """One process of tern's, on the given port; how often it had to say something again."""
    tern = Tern(client, flags=["--stats", "stats"])
    result = client.run(*tern.command("nc", "-p", OWN, SERVER, PORT))
    hold("tern nc", result.code == 0 and result.out == b"!", result.text())
    with open(lab.path("stats")) as text:
        (row,) = json.load(text)["connections"]
    return row["segs_out"], row["retrans"]


@case("again: each new process uses the port of the last, and is let in at once")
def same_port(lab):
    client, server = lab.pair()
    log = lab.path("server.log")
    with open(log, "wb") as out:
        child = server.start(PYTHON, "-c", FIRST_TO_CLOSE, SERVER, str(PORT), stdout=out,
                             stderr=out)
    wait_listening(server, PORT, child, log)
    first = call(lab, client)
    for i in range(TIMES):
        world.wait_for("TIME-WAIT", lambda: waits(server))
        equal(f"segments and resent ones of call {i + 2}", call(lab, client), first)
