# SPDX-License-Identifier: BSD-2-Clause
"""tern nc, tern ping and tern demo against the kernel."""
import json
import os

import world
from case import case
from cases_addresses import poke
from peers import PYTHON, Tern, nginx, url, wait_listening
from wire import clean
from world import SERVER, TERN_IP, equal, hold, sha256


def echo_server(lab, server):
    """On port 7000: one connection, and what comes goes back."""
    log = lab.path("echo.log")
    script = ("import socket\n"
              f"c, _ = socket.create_server(('{SERVER}', 7000)).accept()\n"
              "while d := c.recv(65536):\n    c.sendall(d)\n")
    with open(log, "wb") as out:
        child = server.start(PYTHON, "-c", script, stdout=out, stderr=out)
    wait_listening(server, 7000, child, log)


@case("nc: what goes in comes out, both ways at once")
def nc_both_ways(lab):
    client, server = lab.pair()
    echo_server(lab, server)
    data = os.urandom(2000000)
    result = client.run(*Tern(client).command("nc", "-N", SERVER, 7000), stdin=data)
    hold("tern nc", result.code == 0, result.text())
    hold("the echo is what was said", result.out == data, f"{len(result.out)} bytes")


@case("nc: a peer that ends its side early and reads slowly gets every byte")
def nc_half_closed_peer(lab):
    client, server = lab.pair()
    log = lab.path("slow.log")
    script = ("import socket, time\n"
              "s = socket.socket()\n"
              "s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)\n"
              f"s.bind(('{SERVER}', 7000))\n"
              "s.listen(1)\n"
              "c, _ = s.accept()\n"
              "c.shutdown(socket.SHUT_WR)\n"
              "time.sleep(12)\n"
              "got = 0\n"
              "while d := c.recv(65536):\n    got += len(d)\n"
              "print(got, flush=True)\n")
    with open(log, "wb") as out:
        child = server.start(PYTHON, "-c", script, stdout=out, stderr=out)
    wait_listening(server, 7000, child, log)
    result = client.run(*Tern(client).command("nc", SERVER, 7000), stdin=bytes(2000000), seconds=60)
    hold("tern nc", result.code == 0, result.text())
    child.wait(timeout=20)
    with open(log) as text:
        equal("bytes that the peer has", text.read().strip(), "2000000")


def say_to_listener(lab, server, tern):
    """`tern nc -l` gets a file from the kernel's client."""
    with open(lab.path("got"), "wb") as got:
        child = tern.start("nc", "-l", "7000", stdout=got, stderr=got)
    path = lab.write("data", os.urandom(500000))
    script = ("import socket, sys, time\n"
              "for _ in range(100):\n"
              "    try:\n"
              f"        s = socket.create_connection(('{TERN_IP}', 7000), timeout=10)\n"
              "        break\n"
              "    except OSError:\n"
              "        time.sleep(0.05)\n"
              "try:\n"
              f"    socket.create_connection(('{TERN_IP}', 7001), timeout=5)\n"
              "    sys.exit('port 7001 is open')\n"
              "except ConnectionRefusedError:\n"
              "    pass\n"
              "s.sendall(open(sys.argv[1], 'rb').read())\n"
              "s.shutdown(socket.SHUT_WR)\n"
              "s.recv(1)\n")
    done = server.run(PYTHON, "-c", script, path, seconds=30)
    hold("the kernel's client", done.code == 0, done.text())
    equal("tern nc -l", child.wait(timeout=10), 0)
    equal("what came", sha256(lab.path("got")), sha256(path))


@case("nc -l: the kernel's client is served, a port that nobody listens on is reset")
def nc_listens(lab):
    client, server = lab.pair()
    say_to_listener(lab, server, Tern(client))


@case("nc -z: an open port is exit 0, a closed one exit 1")
def nc_scan(lab):
    client, server = lab.pair()
    nginx(lab, server)
    equal("open", client.run(*Tern(client).command("nc", "-z", SERVER, 80)).code, 0)
    equal("closed", client.run(*Tern(client).command("nc", "-z", SERVER, 81)).code, 1)
    equal("usage", client.run(*Tern(client).command("nc")).code, 2)


@case("nc -w: a silent peer ends it after the silence, without a long wait for the FIN")
def nc_silence(lab):
    client, server = lab.pair()
    log = lab.path("silent.log")
    script = ("import socket, time\n"
              f"c, _ = socket.create_server(('{SERVER}', 7000)).accept()\n"
              "time.sleep(60)\n")
    with open(log, "wb") as out:
        child = server.start(PYTHON, "-c", script, stdout=out, stderr=out)
    wait_listening(server, 7000, child, log)
    result = client.run(*Tern(client).command("nc", "-v", "-w", "1", SERVER, 7000), seconds=8)
    equal("silence is no failure", result.code, 0)
    hold("it says so", "nothing moved for 1 s" in result.text(), result.text())


@case("nc: an address that is not its own, and a flag that is none")
def nc_mistakes(lab):
    client, _ = lab.pair()
    result = client.run(*Tern(client).command("nc", "-l", "10.77.0.200", 7000), seconds=8)
    hold("not its address", result.code == 1 and "cannot listen on 10.77.0.200" in result.text(),
         result.text())
    result = client.run(*Tern(client).command("nc", "-x"))
    hold("not a flag", result.code == 2 and "unknown flag -x" in result.text(), result.text())


@case("nc: input that cannot be read and output that nobody takes are failures")
def nc_broken_ends(lab):
    client, server = lab.pair()
    words = " ".join(Tern(client).command("nc", "-N", "-w", "1", SERVER, 7000))
    echo_server(lab, server)
    result = client.run("sh", "-c", words + " < /")
    hold("a directory as standard input",
         result.code == 1 and "standard input: Is a directory" in result.text(), result.text())
    echo_server(lab, server)
    data = lab.noise("data", 2_000_000)
    result = client.run("bash", "-c", f"set -o pipefail; {words} < {data} | sleep 4")
    hold("nobody reads standard output",
         result.code == 1 and "standard output takes no more" in result.text(), result.text())


# An echo request by hand, from the kernel's side; prints how many replies came back whole.
ECHO = """
import socket, struct, sys
def total(data):
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    s = (s & 0xffff) + (s >> 16)
    return ~((s & 0xffff) + (s >> 16)) & 0xffff
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
sock.settimeout(2)
whole = 0
for size in (0, 56, 1400, 4000):
    body = struct.pack("!HH", 77, size) + bytes(i % 251 for i in range(size))
    request = struct.pack("!BBH", 8, 0, total(struct.pack("!BBH", 8, 0, 0) + body)) + body
    sock.sendto(request, (sys.argv[1], 0))
    reply = sock.recv(65535)[20:]
    whole += reply[0] == 0 and reply[4:] == body
print(whole)
"""


@case("ping: tern answers the kernel's echo requests, fragments included")
def pinged(lab):
    client, server = lab.pair()
    child = Tern(client).start("nc", "-l", "7000")
    # Not asked by hand: a probe for an address that is being probed is a conflict.
    world.wait_for("the address", lambda: poke(server) or TERN_IP in server.neighbours())
    done = server.run(PYTHON, "-c", ECHO, TERN_IP)
    equal("replies of 0, 56, 1400 and 4000 bytes", (done.code, done.out.strip()), (0, b"4"))
    lab.stop(child)


@case("ping: the kernel answers us; nobody there is exit 1")
def ping(lab):
    client, _ = lab.pair()
    result = client.run(*Tern(client).command("ping", "-c", "3", "-i", "0.2", SERVER))
    hold("tern ping", result.code == 0, result.text())
    text = result.out.decode()
    hold("three replies", text.count("bytes from") == 3 and "0% packet loss" in text, text)
    result = client.run(*Tern(client).command("ping", "-c", "1", "-s", "7", SERVER))
    text = result.out.decode()
    hold("no time where it has no room", result.code == 0 and "ttl=64\n" in text
         and "time=" not in text and "rtt" not in text, text)
    result = client.run(*Tern(client).command("ping", "-c", "1", "-W", "1", "10.77.0.200"))
    equal("nobody there", result.code, 1)
    equal("usage", client.run(*Tern(client).command("ping")).code, 2)


@case("stats: one JSON object with the names of ss -ti")
def stats(lab):
    client, server = lab.pair()
    lab.noise("www/1M.bin", 1000000)
    nginx(lab, server)
    result = Tern(client, flags=["--stats", "-"]).get("-sS", "-o", "f", url("/1M.bin"))
    told = json.loads(result.out)
    for key in ("link", "frames", "drops", "connections"):
        hold(f"it has {key}", key in told, str(list(told)))
    connection = told["connections"][0]
    for key in ("rto", "rtt", "cwnd", "ssthresh", "retrans", "lost", "bytes_acked",
                "bytes_received"):
        hold(f"the connection has {key}", key in connection, str(list(connection)))
    hold("bytes received", connection["bytes_received"] >= 1000000)
    equal("retrans", connection["retrans"], 0)


@case("get -v: the story in curl's manner")
def verbose(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    result = Tern(client).get("-v", "-o", "f", url("/1k.bin"))
    text = result.err.decode()
    for words in ("* link lan:vA", TERN_IP, "established", "rtt", "> GET /1k.bin HTTP/1.1",
                  "< HTTP/1.1 200 OK", "closed ·"):
        hold(f"-v says {words!r}", words in text, text[-800:])
    hold("no word of the way it is done inside", "SOCKS" not in text and "socks" not in text, text)


def told(lab, story, *wanted, flags=(), env=None):
    result = lab.run([world.TERN, "demo"] + ([story] if story else []) + list(flags),
                     seconds=60, env=env)
    hold(f"tern demo {story}", result.code == 0, result.text() + result.out.decode()[-400:])
    text = result.out.decode()
    for words in wanted:
        hold(f"it tells of {words!r}", words in text, text[-1500:])
    hold("no line is over 80 columns", all(len(line) <= 80 for line in text.splitlines()),
         str([line for line in text.splitlines() if len(line) > 80][:2]))
    return text


@case("demo: the tour, with its capture", programs=["tshark"])
def tour(lab):
    text = told(lab, "", "SYN", "ESTABLISHED", "FIN", "10.9.0.77")
    hold("no reset from the kernel", "0 resets" in text or "0 by" in text, text[-600:])
    clean(lab.path("tern-demo.pcapng"))


@case("demo: loss, slow, kernel-rst, close")
def stories(lab):
    told(lab, "loss", "SYN")
    told(lab, "slow", "again", "RST", "closed in order", "CLOSED")
    lanes = told(lab, "kernel-rst", "RST · I asked for nothing!", "your kernel",
                 flags=["--draw", "kernel.svg"], env={**os.environ, "LC_ALL": "C.UTF-8"})
    hold("three lanes", "◀─────────◀─" in lanes and "├─ RST" in lanes, lanes)
    with open(lab.path("kernel.svg"), encoding="utf-8") as drawing:
        hold("three lanes, drawn", ">your kernel</text>" in drawing.read())
    for name, wanted in (("loss.html", "missing"), ("loss.svg", "missing")):
        told(lab, "loss", "this as a picture: " + name, flags=["--draw", name])
        with open(lab.path(name), encoding="utf-8") as picture:
            hold(f"the loss in {name}", wanted in picture.read())
    code = lab.run([world.TERN, "demo", "--draw", "loss.png"], seconds=60).code
    equal("exit code of a picture of no known kind", code, 2)
    told(lab, "close", "FIN")


@case("demo: without namespaces, against a second tern, and it says so")
def no_namespaces(lab):
    told(lab, "tour", "SYN", env={"TERN_DEMO_LINK": "mem"})
