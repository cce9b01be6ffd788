# SPDX-License-Identifier: BSD-2-Clause
"""--ladder and --draw: every talking verb draws its own run, and says the same as tern draw says of
the same run's capture."""
import json
import os
import re
import shutil
import signal
import subprocess
from xml.etree import ElementTree

import world
from case import case
from peers import Tern, curl, nginx, python_server, url
from world import SERVER, TERN_IP, equal, hold, wait_for

UTF8 = {"LC_ALL": "C.UTF-8"}


def drawn(name):
    return [word for end in ("svg", "html", "json") for word in ("--draw", f"{name}.{end}")]


def figures(lab, name):
    with open(lab.path(name + ".json")) as text:
        return json.load(text)


def svg_text(lab, name):
    path = lab.path(name + ".svg")
    if shutil.which("xmllint"):
        subprocess.run(["xmllint", "--noout", "--nonet", path], check=True, timeout=60)
    return " ".join(ElementTree.parse(path).getroot().itertext())


def html_steps(lab, name, conn=0):
    with open(lab.path(name + ".html")) as text:
        data = re.search(r'<script id="data" type="application/json">(.*?)</script>', text.read(),
                         re.DOTALL).group(1)
    return [step["w"] for step in json.loads(data)["connections"][conn]["steps"]]


def arrows(ladder):
    """What the ladder's lines say, without their arrows."""
    return [re.sub(r"[─═╌▶◀]+", "", line[10:67]).strip() for line in ladder.splitlines()]


@case("pictures: a page, from ARP to the last ACK, the same in every rendering",
      programs=("tshark",))
def page(lab):
    client, server = lab.pair()
    lab.noise("www/100k.bin", 100000)
    nginx(lab, server)
    python_server(lab, server, "peer_dns", SERVER, f"www.tern.test={SERVER}", port=53)
    result = Tern(client, flags=["--dns", SERVER, "--pcap", "page.pcapng", "--ladder"]).get(
        "-sS", *drawn("page"), "http://www.tern.test/100k.bin", env=UTF8)
    equal("exit", result.code, 0)
    with open(lab.path("www/100k.bin"), "rb") as whole:
        hold("standard output is the page alone", result.out == whole.read())
    ladder, svg, html = result.err.decode(), svg_text(lab, "page"), html_steps(lab, "page")
    said = arrows(ladder)
    hold("80 columns", all(len(line) <= 80 for line in ladder.splitlines()), ladder)
    hold("no colour where there is no terminal", "\x1b" not in ladder)
    order = [f"ARP: is {TERN_IP} anyone's?", f"ARP: who has {SERVER}?",
             "DNS: where is www.tern.test?", f"DNS: www.tern.test is at {SERVER}", "SYN · my",
             "SYN ACK", "GET /100k.bin HTTP/1.1", "FIN"]
    at = [next((i for i, line in enumerate(said) if line.startswith(words)), -1) for words in order]
    hold("all of it, in order", at[0] >= 0 and at == sorted(at), f"{at}\n{ladder}")
    for words in order:
        hold(f"the drawing says '{words}'", words in svg)
        hold(f"the page says '{words}'", any(step.startswith(words) for step in html), str(html))
    for state in ("SYN-SENT", "ESTABLISHED", "TIME-WAIT"):
        hold(f"{state} in the gutter", state in ladder and state in svg, ladder)


def resent(lab, stats):
    with open(lab.path(stats)) as text:
        return sum(conn["retrans"] for conn in json.load(text)["connections"])


@case("pictures: the live figures are those of the run's capture", programs=("tshark",))
def the_same_twice(lab):
    client, server = lab.pair()
    lab.noise("www/3M.bin", 3000000)
    nginx(lab, server)
    for name, words in (("good", "delay 1ms"), ("bad", "delay 10ms loss 2% duplicate 1%")):
        before = server.counter("TcpRetransSegs")
        result = Tern(client, flags=["--impair", words, "--seed", "5", "--pcap", name + ".pcapng"]
                      ).get("-sS", *drawn(name), "-o", "/dev/null", "--stats", name + ".stats",
                            url("/3M.bin"))
        equal(f"{name}: exit", (result.code, result.err), (0, b""))
        again = server.counter("TcpRetransSegs") - before + resent(lab, name + ".stats")
        judge = lab.run([world.TERN, "draw", name + ".pcapng", "--json", "-"])
        live, read = figures(lab, name)["connections"], json.loads(judge.out)["connections"]
        equal(f"{name}: connections", (len(live), len(read)), (1, 1))
        for field in sorted(read[0]):
            equal(f"{name}: {field}", live[0][field], read[0][field])
        # On a good network too, where the loss probe of a server that had no processor went off.
        equal(f"{name}: sent again", live[0]["retransmissions"] > 0, again > 0)
        hold(f"{name}: as the network was", again > 0 or name == "good")
        svg_text(lab, name)


@case("pictures: ^C, and a transfer that fails, still give the whole picture")
def cut_short(lab):
    client, server = lab.pair()
    lab.noise("www/20M.bin", 20000000)
    nginx(lab, server)
    with open(lab.path("err"), "wb") as err:
        child = Tern(client, flags=["--ladder"] + drawn("cut")).start(
            "get", "-sS", "-o", "f", url("/limited/20M.bin"), stderr=err)
    wait_for("the first bytes", lambda: os.path.exists(lab.path("f")) and
             os.path.getsize(lab.path("f")) > 0)
    child.send_signal(signal.SIGINT)
    equal("exit", child.wait(timeout=20), 130)
    with open(lab.path("err"), errors="replace") as text:
        ladder = text.read()
    hold("the ladder, with its end", "ESTABLISHED" in ladder and
         re.search(r"FIN · that was all of mine|RST", ladder), ladder)
    hold("the drawing", "ESTABLISHED" in svg_text(lab, "cut"))
    equal("the figures", len(figures(lab, "cut")["connections"]), 1)
    result = Tern(client, flags=["--ladder"] + drawn("refused")).get("-sS", url(":81/"))
    equal("refused: exit", result.code, 7)
    hold("refused: the reset is in the picture", "refused" in result.text() and
         "RST" in svg_text(lab, "refused"), result.text())
    result = Tern(client, address=SERVER + "/24", flags=["--ladder"] + drawn("taken")).get(
        "-sS", url("/"))
    equal("an address in use: exit", result.code, 45)
    hold("an address in use: who has it is in the picture",
         server.mac("vB") in svg_text(lab, "taken"), result.text())


@case("pictures: serve, nc, bench and ping draw as well")
def verbs(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    with open(lab.path("err"), "wb") as err:
        child = Tern(client, flags=["--ladder", "--width", "100"] + drawn("serve")).start(
            "serve", "-q", lab.path("www"), stderr=err)
    fetched = lambda: curl(server, "-o", "/dev/null", f"http://{TERN_IP}/1k.bin").code == 0
    wait_for("tern serve", fetched)
    hold("another", fetched() and fetched())
    lab.stop(child)
    with open(lab.path("err"), errors="replace") as text:
        hold("serve: a table of connections",
             re.search(r"^  [3-9] connections$", text.read(), re.MULTILINE))
    hold("serve: tern is the server", figures(lab, "serve")["connections"][0]["server"] ==
         f"{TERN_IP}:80")
    result = client.run(*Tern(client, flags=["--ladder"] + drawn("nc")).command(
        "nc", "-N", SERVER, "80"), stdin=b"GET /1k.bin HTTP/1.0\r\n\r\n", env=UTF8)
    hold("nc: the request in the picture", "GET /1k.bin HTTP/1.0" in result.err.decode() and
         "GET /1k.bin HTTP/1.0" in svg_text(lab, "nc"), result.text())
    result = client.run(*Tern(client, flags=["--ladder"] + drawn("ping")).command(
        "ping", "-c", "2", "-i", "0.2", SERVER), env=UTF8)
    hold("ping: both ways in the picture", result.code == 0 and
         arrows(result.err.decode()).count("ping: yes · 56 bytes") == 2 and
         "ping: yes" in svg_text(lab, "ping") and "ping · 56 bytes" in html_steps(lab, "ping"),
         result.text())
    result = lab.run([world.TERN, "bench", "recv", "--link", "lab", "--bytes", "50M", "--ladder"]
                     + drawn("bench"), env=UTF8)
    hold("bench: bursts in the picture", result.code == 0 and "═" in result.err.decode() and
         figures(lab, "bench")["connections"][0]["bytes"]["server"] > 50000000 and
         len(html_steps(lab, "bench")) < 1000, result.text())


@case("pictures: mistakes are told before anything is sent")
def mistakes(lab):
    client, server = lab.pair()
    nginx(lab, server)
    lab.write("kept.svg", "a drawing of yesterday's")
    for flags, code, words in ((["--draw", "no/such/x.svg"], 23, "cannot write no/such/x.svg"),
                               (["--draw", "x.svg", "--draw", "no/x.svg"], 23, "no/x.svg"),
                               (["--draw", "x.png"], 2, ".svg, .html or .json"),
                               (["--draw", "kept.svg", "--draw", "x"], 2, "the name's end"),
                               (["--width", "80"], 2, "--ladder"),
                               (["--ladder", "--width", "10"], 2, "60 to 200")):
        result = Tern(client, flags=flags).get("-sS", url("/1k.bin"))
        equal(f"{flags}: exit", result.code, code)
        hold(f"{flags}: one clear line", len(result.lines()) == 1 and words in result.text(),
             result.text())
    hold("nothing is left behind", not os.path.exists(lab.path("x.svg")))
    with open(lab.path("access.log")) as log:
        equal("requests that the server saw", log.read(), "")
    Tern(client, interface="nope0", flags=["--draw", "kept.svg", "--draw", "new.svg"]).get(
        "-sS", url("/1k.bin"))
    with open(lab.path("kept.svg")) as kept:
        equal("what was there stays where there is no picture", kept.read(),
              "a drawing of yesterday's")
    hold("and nothing new", not os.path.exists(lab.path("new.svg")))
    os.mkdir(lab.path("full"))
    lab.sh("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", lab.path("full"))
    result = Tern(client, flags=["--draw", "full/x.html"]).get("-sS", "-o", "f", url("/"))
    hold("a full disk", result.code == 23 and len(result.lines()) == 1 and
         "full/x.html" in result.text(), result.text())

