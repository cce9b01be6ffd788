# SPDX-License-Identifier: BSD-2-Clause
"""How connections end: told on the wire, whoever ends them and however."""
import hashlib
import json
import os
import signal
import subprocess

import world
from case import case
from judges import told
from peers import PYTHON, Tern, nginx, python_server, url, wait_listening
from wire import Capture, closed_both_ways, count, no_reset, segments
from world import SERVER, TERN_IP, equal, hold


def nothing_left(server):
    """No socket of the server waits for words that will never come."""
    world.wait_for("the server's sockets to be done", lambda: not server.states(), 8)


def begun(lab, client, server):
    """A slow transfer in the background, with some bytes here already."""
    lab.noise("www/big.bin", 20000000)
    nginx(lab, server)
    err = open(lab.path("err"), "wb")
    child = Tern(client).start("get", "-sS", "-o", "f", url("/limited/big.bin"), stderr=err)
    world.wait_for("the first bytes", lambda: child.poll() is not None or (
        os.path.exists(lab.path("f")) and os.path.getsize(lab.path("f")) > 50000))
    hold("tern runs", child.poll() is None)
    hold("the server talks to us", len(server.states()) == 1)
    return child


def interrupted(lab, how):
    client, server = lab.pair()
    capture = Capture(lab, server, "vB", snap=128)
    child = begun(lab, client, server)
    child.send_signal(how)
    code = child.wait(timeout=8)
    equal("exit", code, 130)
    nothing_left(server)
    told(segments(capture.stop()))
    with open(lab.path("err")) as err:
        lines = err.read().splitlines()
    equal("one clear line", lines, ["tern: (130) interrupted"])


@case("closing: ^C in the middle is told on the wire", programs=["tshark"])
def control_c(lab):
    interrupted(lab, signal.SIGINT)


@case("closing: SIGTERM in the middle is told on the wire", programs=["tshark"])
def terminated(lab):
    interrupted(lab, signal.SIGTERM)


@case("closing: SIGHUP in the middle is told on the wire", programs=["tshark"])
def hung_up(lab):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)   # under nohup tern would not hear it
    try:
        interrupted(lab, signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@case("closing: ^C while the address is being claimed leaves captures and figures whole",
      programs=["tshark"])
def while_claiming(lab):
    client, server = lab.pair()
    flags = ["--claim", "rfc", "--pcap", "c.pcapng", "--stats", "stats"]
    capture = Capture(lab, server, "vB")
    err = open(lab.path("err"), "wb")
    child = Tern(client, flags=flags).start("get", "-sS", url("/"), stderr=err)
    world.wait_for("the first probe", lambda: child.poll() is not None or (
        os.path.exists(lab.path("c.pcapng")) and count(lab.path("c.pcapng"), "arp") > 0))
    child.send_signal(signal.SIGINT)
    equal("exit", child.wait(timeout=3), 130)
    with open(lab.path("err")) as text:
        equal("one clear line", text.read(), "tern: (130) interrupted\n")
    with open(lab.path("stats")) as text:
        equal("connections in the figures", json.load(text)["connections"], [])
    hold("the probes in the capture", count(lab.path("c.pcapng"), "arp") > 0)
    equal("nothing was said from the address", count(capture.stop(), f"ip.src == {TERN_IP}"), 0)


@case("closing: -m ends in time, though the server is gone")
def time_is_up(lab):
    client, server = lab.pair()
    python_server(lab, server, "peer_odd", SERVER, 8001, port=8001)
    flags = ["--stats", "stats"]
    child = Tern(client, flags=flags).start("get", "-sS", "-m", "3", "-o", "f", url(":8001/hang"),
                                            stderr=subprocess.DEVNULL)
    world.wait_for("the connection", lambda: child.poll() is not None or server.states())
    server.sh("ip", "link", "set", "vB", "down")
    equal("exit", child.wait(timeout=10), 28)
    with open(lab.path("stats")) as text:
        row = json.load(text)["connections"][0]
    hold("no second of waiting for a FIN that cannot come", row["lasted"] < 3700, str(row))
    silent = Tern(client, flags=flags).get("-sS", "-m", "1", url(":8001/hang"))
    equal("exit where nobody answers", silent.code, 28)
    with open(lab.path("stats")) as text:
        row = json.load(text)["connections"][0]
    hold("no figure for what was never measured", "minrtt" not in row, str(row))


@case("control: killed outright, the server is left in the dark")
def killed(lab):
    client, server = lab.pair()
    child = begun(lab, client, server)
    child.kill()
    child.wait()
    try:
        nothing_left(server)
    except world.Failed:
        return
    raise world.Failed("the server's socket went away though nobody told it")


@case("closing: we close first; the server closes first", programs=["tshark"])
def both_orders(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    python_server(lab, server, "peer_odd", SERVER, 8001, port=8001)
    for place, first in (("/1k.bin", TERN_IP), (":8001/close", SERVER)):
        capture = Capture(lab, server, "vB", name=f"{first}.pcapng")
        Tern(client).fetch(url(place), "f")
        path = capture.stop()
        no_reset(path)
        closed_both_ways(path)
        fins = segments(path, "tcp.flags.fin == 1")
        equal("who closed first", fins[0]["src"], first)
        nothing_left(server)


@case("closing: half-close: all of standard input, then the answer", programs=["tshark"])
def half_close(lab):
    client, server = lab.pair()
    capture = Capture(lab, server, "vB")
    # Reads to the end, and only then speaks: the sum of what it heard.
    script = ("import hashlib, socket\n"
              f"s = socket.create_server(('{SERVER}', 7000))\n"
              "c, _ = s.accept()\nh = hashlib.sha256()\n"
              "while d := c.recv(65536):\n    h.update(d)\n"
              "c.sendall(h.hexdigest().encode())\n")
    log = lab.path("half.log")
    with open(log, "wb") as out:
        child = server.start(PYTHON, "-c", script, stdout=out, stderr=out)
    wait_listening(server, 7000, child, log)
    data = os.urandom(300000)
    result = client.run(*Tern(client).command("nc", "-N", SERVER, 7000), stdin=data)
    hold("tern nc", result.code == 0, result.text())
    equal("the answer after our FIN", result.out.decode(), hashlib.sha256(data).hexdigest())
    path = capture.stop()
    closed_both_ways(path)
    no_reset(path)
    nothing_left(server)


@case("closing: a reader that goes away (a broken pipe) is told on the wire", programs=["tshark"])
def broken_pipe(lab):
    client, server = lab.pair()
    lab.noise("www/big.bin", 20000000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB", snap=128)
    fetch = Tern(client).start("get", "-sS", "-o", "-", url("/big.bin"), stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    fetch.stdout.read(1000)
    fetch.stdout.close()
    equal("curl's exit for a write error", fetch.wait(timeout=20), 23)
    nothing_left(server)
    told(segments(capture.stop()))
