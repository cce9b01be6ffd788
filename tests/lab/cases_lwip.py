# SPDX-License-Identifier: BSD-2-Clause
"""lwIP as the peer: pages and conversations both ways, over a good network and a bad one. What
arrives is judged by its sha256."""
import os
import subprocess

import world
from bump import bumped_pair
from case import case
from peers import Tern, listening, url
from wire import Capture, closed_both_ways, no_reset
from world import TERN_IP, equal, hold, sha256

LWIP = os.path.join(world.TOP, "build", "tests", "lab", "peer_lwip")
LWIP_IP = "10.77.0.66"
BAD = "loss 2% delay 10ms reorder 1%"
SIZES = (1, 1000, 1000000, 8000000)


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
    for size in SIZES:
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
    with open(lab.path("got"), "wb") as got, open(back, "rb") as says:
        answers = listening(lab, client, flags, stdin=says, stdout=got)
    child = lwip(lab, server, *peer_flags, "vB", LWIP_IP, "connect", TERN_IP, 7000, says=there)
    lwip_ended(lab, child)
    code, words = ended(answers, lab.path("nc.err"))
    equal(f"tern nc -l ({words})", code, 0)
    equal("what tern heard", sha256(lab.path("got")), sha256(there))
    equal("what lwIP heard", sha256(lab.path("lwip")), sha256(back))


@case("lwip: over a bad network, its recovery and ours", seconds=240)
def lwip_bad(lab):
    client, server = no_offloads(lab)
    size, seeds = (3000000, 12) if lab.long_runs else (300000, 1)
    page, child = lwip_pages(lab, server, size)
    for seed in range(11, 11 + seeds):
        flags = ["--impair", BAD, "--seed", str(seed)]
        result = Tern(client, flags=flags).fetch(url("/", LWIP_IP), "f", seconds=200)
        equal(f"sha256, seed {seed}", sha256(lab.path("f")), sha256(page))
        lab.note(f"{size} bytes from lwIP, '{BAD}', seed {seed}: {result.seconds:.1f} s")
    lab.stop(child)
    for seed in range(11, 11 + seeds):
        flags = ["--impair", BAD, "--seed", str(seed)]
        seconds = call_lwip(lab, client, server, size, size // 2, flags)
        lab.note(f"as many to lwIP, and half of it back at once, seed {seed}: {seconds:.1f} s")
        answer_lwip(lab, client, server, size // 2, size, flags)


@case("lwip: over a bump that loses and reorders, called and calling, both ways at once",
      seconds=240)
def lwip_bumped(lab):
    client, server, bump = bumped_pair(lab, BAD, seed=21, offloads=False)
    page, child = lwip_pages(lab, server, 300000)
    Tern(client).fetch(url("/", LWIP_IP), "f", seconds=200)
    equal("sha256", sha256(lab.path("f")), sha256(page))
    lab.stop(child)
    call_lwip(lab, client, server, 300000, 150000)
    answer_lwip(lab, client, server, 150000, 300000)
    counts = bump.stop()
    hold("both ways lost something", counts["out"]["lost"] > 0 and counts["in"]["lost"] > 0,
         str(counts))


@case("lwip: half-close, whoever ends first", programs=["tshark"])
def lwip_half_close(lab):
    client, server = no_offloads(lab)
    # lwIP says nothing before it has our FIN: all of what it says comes to a half-closed side.
    call_lwip(lab, client, server, 100000, 400000, peer_flags=["-l"])
    answer_lwip(lab, client, server, 400000, 100000, peer_flags=["-l"])
    # And the other way: lwIP has nothing to say and ends at once, while we are still speaking.
    call_lwip(lab, client, server, 400000, 0)
    answer_lwip(lab, client, server, 0, 400000)


@case("lwip: refused, and reset in the middle, both ways", programs=["tshark"])
def lwip_refused(lab):
    client, server = no_offloads(lab)
    page, child = lwip_pages(lab, server, 1000)
    equal("a closed port of lwIP's", Tern(client).get("-sS", url(":81/", LWIP_IP)).code, 7)
    lab.stop(child)
    answers = listening(lab, client)
    child = lwip(lab, server, "vB", LWIP_IP, "connect", TERN_IP, 7001)
    lwip_ended(lab, child, 7)
    lab.stop(answers)
    child = lwip(lab, server, "-r", 100000, "vB", LWIP_IP, "listen", 7000)
    result = client.run(*Tern(client).command("nc", "-N", LWIP_IP, 7000), stdin=bytes(2000000))
    hold("tern says that it was reset", result.code == 1 and "reset" in result.text(),
         result.text())
    lwip_ended(lab, child, 0)
    child = lwip(lab, server, "vB", LWIP_IP, "listen", 7000, says=lab.noise("back", 8000000))
    call = Tern(client).start("nc", LWIP_IP, 7000, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    call.stdout.read(100000)
    lab.stop(call)
    lwip_ended(lab, child, 56)


@case("control: lwIP's answer with one byte changed is found out")
def lwip_control(lab):
    client, server = no_offloads(lab)
    page, child = lwip_pages(lab, server, 1000)
    with open(page, "r+b") as body:
        body.seek(500)
        byte = body.read(1)
        body.seek(500)
        body.write(bytes([byte[0] ^ 1]))
    Tern(client).fetch(url("/", LWIP_IP), "f")
    hold("sha256 differs", sha256(lab.path("f")) != sha256(page))
    lab.stop(child)
