# SPDX-License-Identifier: BSD-2-Clause
"""Peers of other breeds: lwIP, h2o, busybox and socat, both ways, over good networks and bad.
What arrives is judged by its sha256."""
import os
import subprocess

import world
from case import case
from peers import Tern, certificates, url, wait_listening
from wire import Capture, closed_both_ways, no_reset
from world import SERVER, TERN_IP, equal, hold, sha256

LWIP = os.path.join(world.TOP, "build", "tests", "lab", "peer_lwip")
LWIP_IP = "10.77.0.66"
BAD = "loss 2% delay 10ms reorder 1%"
SIZES = {"1": 1, "1k": 1000, "1M": 1000000, "8M": 8000000}


def ended(child, path, seconds=60):
    """The exit code of a peer, and its words."""
    try:
        code = child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        code = "still running"
    with open(path, errors="replace") as words:
        return code, words.read()


def lwip(lab, node, *arguments, says=os.devnull, name="lwip"):
    """peer_lwip, ready; what it hears goes to the file `name`."""
    if not os.path.exists(LWIP):
        raise world.Skipped("liblwip-dev was not here when this was built")
    with open(lab.path(name), "wb") as out, open(lab.path(name + ".err"), "wb") as err, \
            open(says, "rb") as text:
        child = node.start(LWIP, *map(str, arguments), stdin=text, stdout=out, stderr=err)

    def ready():
        with open(lab.path(name + ".err"), errors="replace") as words:
            return child.poll() is not None or "ready" in words.read()
    world.wait_for("lwIP", ready)
    return child


def lwip_ended(lab, child, wanted=0, name="lwip"):
    code, words = ended(child, lab.path(name + ".err"))
    hold("lwIP's end", code == wanted, f"exit {code}, not {wanted}; {words[-300:]}")


def lwip_pages(lab, node, size):
    """lwIP as a web server of one page; the page."""
    page = lab.noise("page", size)
    with open(page, "rb") as body:
        lab.write("answer", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                  % size + body.read())
    child = lwip(lab, node, "vB", LWIP_IP, "http", 80, says=lab.path("answer"))
    return page, child


def no_offloads(lab):
    """lwIP takes no super-segments, so the wire has none."""
    return lab.pair(offloads=False)


@case("lwip: pages of 1 byte to 8 MB", programs=["tshark"])
def lwip_get(lab):
    client, server = no_offloads(lab)
    capture = Capture(lab, server, "vB", snap=128)
    for size in SIZES.values():
        page, child = lwip_pages(lab, server, size)
        Tern(client).fetch(url("/", LWIP_IP), "f")
        equal(f"sha256 of {size} bytes", sha256(lab.path("f")), sha256(page))
        lab.stop(child)
    path = capture.stop()
    no_reset(path)
    closed_both_ways(path, theirs=LWIP_IP)


@case("lwip: tern nc calls, both ways at once, and both sides close", programs=["tshark"])
def lwip_called(lab):
    client, server = no_offloads(lab)
    capture = Capture(lab, server, "vB", snap=128)
    call_lwip(lab, client, server, 3000000, 2000000)
    path = capture.stop()
    no_reset(path)
    closed_both_ways(path, theirs=LWIP_IP)


def call_lwip(lab, client, server, up, down, flags=(), peer_flags=()):
    there, back = lab.noise("there", up), lab.noise("back", down)
    child = lwip(lab, server, *peer_flags, "vB", LWIP_IP, "listen", 7000, says=back)
    with open(there, "rb") as data:
        result = client.run(*Tern(client, flags=flags).command("nc", "-N", LWIP_IP, 7000),
                            stdin=data.read(), seconds=90)
    hold("tern nc", result.code == 0, result.text())
    lwip_ended(lab, child)
    equal("what lwIP heard", sha256(lab.path("lwip")), sha256(there))
    lab.write("got", result.out)
    equal("what tern heard", sha256(lab.path("got")), sha256(back))
    return result.seconds


@case("lwip: tern nc -l answers, both ways at once, and both sides close", programs=["tshark"])
def lwip_calls(lab):
    client, server = no_offloads(lab)
    capture = Capture(lab, server, "vB", snap=128)
    answer_lwip(lab, client, server, 3000000, 2000000)
    path = capture.stop()
    no_reset(path)
    closed_both_ways(path, theirs=LWIP_IP)


def answer_lwip(lab, client, server, up, down, flags=(), peer_flags=()):
    there, back = lab.noise("there", up), lab.noise("back", down)
    with open(lab.path("got"), "wb") as got, open(back, "rb") as says, \
            open(lab.path("nc.err"), "wb") as err:
        answers = Tern(client, flags=flags).start("nc", "-v", "-N", "-l", 7000, stdin=says,
                                                  stdout=got, stderr=err)
    world.wait_for("tern to listen", lambda: answers.poll() is not None or b"isten" in
                   open(lab.path("nc.err"), "rb").read())
    child = lwip(lab, server, *peer_flags, "vB", LWIP_IP, "connect", TERN_IP, 7000, says=there)
    lwip_ended(lab, child)
    code, words = ended(answers, lab.path("nc.err"))
    equal(f"tern nc -l ({words})", code, 0)
    equal("what tern heard", sha256(lab.path("got")), sha256(there))
    equal("what lwIP heard", sha256(lab.path("lwip")), sha256(back))
