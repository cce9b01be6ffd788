# SPDX-License-Identifier: BSD-2-Clause
"""Bad input and bad luck: each one clear line, curl's exit code, and nothing left behind."""
import os

import world
from case import case
from peers import Tern, curl, nginx, python_server, url
from world import SERVER, equal, hold


def one_line(what, result, code, *words):
    equal(f"{what}: exit ({result.text()})", result.code, code)
    hold(f"{what}: one clear line", len(result.lines()) == 1, result.text())
    for word in words:
        hold(f"{what}: it says {word}", word in result.lines()[0], result.text())


@case("mistakes: an interface that is not there, down, or the loopback")
def interfaces(lab):
    client, _ = lab.pair()
    one_line("none", Tern(client, interface="nope0").get("-sS", url("/")), 45, "nope0", "vA")
    one_line("loopback", Tern(client, interface="lo").get("-sS", url("/")), 45, "lo")
    client.sh("ip", "link", "set", "vA", "down")
    one_line("down", Tern(client).get("-sS", url("/")), 45, "vA")


@case("mistakes: flags and URLs, with curl's codes")
def flags(lab):
    client, _ = lab.pair()
    tern = Tern(client)
    equal("an unknown flag", tern.get("--no-such-flag", url("/")).code, 2)
    equal("no URL", tern.get().code, 2)
    equal("a URL that is none", tern.get("-sS", "http://").code, 3)
    equal("a scheme that is not spoken", tern.get("-sS", "gopher://10.77.0.2/").code, 1)
    equal("an unknown verb", lab.run([world.TERN, "fly"]).code, 2)
    for verb in ([], ["get"], ["demo"], ["nc"], ["ping"]):
        result = lab.run([world.TERN] + verb + ["--help"])
        equal(f"{verb} --help", (result.code, result.err), (0, b""))
        hold(f"{verb} --help begins with examples", b"tern" in result.out[:400])
    result = lab.run([world.TERN, "--version"])
    hold("--version", result.code == 0 and result.out.startswith(b"tern "), result.out.decode())
    for words in ("loss", "loss 200%", "delay", "fly 3", "in", "drop -1"):
        result = Tern(client, flags=["--impair", words]).get("-sS", url("/"))
        hold(f"--impair '{words}' is refused in one line",
             result.code == 2 and len(result.lines()) == 1, result.text())


@case("mistakes: standard output that takes nothing")
def output_full(lab):
    for words in ("--help", "--version", "get --help", "nc --help", "ping --help", "demo --help"):
        result = lab.run(["sh", "-c", f"exec {world.TERN} {words} > /dev/full"])
        one_line(f"tern {words}", result, 1, "tern: write error", "No space left")


@case("mistakes: a server that resets, stops short, or says nothing")
def odd_servers(lab):
    client, server = lab.pair()
    python_server(lab, server, "peer_odd", SERVER, 8001, port=8001)
    tern = Tern(client)
    for path, code in (("/reset", 56), ("/short", 18), ("/empty", 52)):
        judge = curl(client, "-o", "g", url(":8001" + path))
        equal(f"curl's exit for {path}", judge.code, code)
        one_line(path, tern.get("-sS", "-o", "f", url(":8001" + path)), code)
    one_line("-m", tern.get("-sS", "-m", "2", "-o", "f", url(":8001/hang")), 28)
    world.wait_for("the server's sockets to be done", lambda: not server.states())


@case("mistakes: a full disk is exit 23, and the server is told")
def full_disk(lab):
    client, server = lab.pair()
    lab.noise("www/5M.bin", 5000000)
    nginx(lab, server)
    os.mkdir(lab.path("full"))
    lab.sh("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", lab.path("full"))
    one_line("full", Tern(client).get("-sS", "-o", "full/f", url("/5M.bin")), 23)
    world.wait_for("the server's sockets to be done", lambda: not server.states())
    one_line("no such folder", Tern(client).get("-sS", "-o", "no/such/f", url("/5M.bin")), 23)
    # A capture that does not fit stops; the page does not.
    os.unlink(lab.path("full/f"))
    result = Tern(client, flags=["--pcap", "full/c.pcapng"]).get("-sS", "-o", "g", url("/5M.bin"))
    equal("the page came whole", os.path.getsize(lab.path("g")), 5000000)
    hold("and the capture's fate is told", result.code == 23 and len(result.lines()) == 1,
         result.text())


@case("mistakes: the interface vanishes in the middle")
def vanishes(lab):
    client, server = lab.pair()
    lab.noise("www/big.bin", 20000000)
    nginx(lab, server)
    err = open(lab.path("err"), "wb")
    child = Tern(client).start("get", "-sS", "-o", "f", url("/limited/big.bin"), stderr=err)
    world.wait_for("the first bytes", lambda: child.poll() is not None or (
        os.path.exists(lab.path("f")) and os.path.getsize(lab.path("f")) > 0))
    client.sh("ip", "link", "del", "vA")
    code = child.wait(timeout=15)
    hold("an error, not a hang", code not in (0, -9), str(code))
    with open(lab.path("err")) as text:
        lines = text.read().splitlines()
    hold("one clear line", len(lines) == 1, "\n".join(lines))


@case("mistakes: nobody at the address: exit 7 or 28, in bounded time")
def nobody(lab):
    client, _ = lab.pair()
    result = Tern(client).get("-sS", "--connect-timeout", "6", "http://10.77.0.200/")
    hold("exit 7 or 28", result.code in (7, 28), result.text())
    hold("one clear line", len(result.lines()) == 1, result.text())
    result = Tern(client).get("-sS", "--connect-timeout", "6", "http://192.0.2.1/")
    hold("no gateway, no way there", result.code == 7 and len(result.lines()) == 1, result.text())
