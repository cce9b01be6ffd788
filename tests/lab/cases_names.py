# SPDX-License-Identifier: BSD-2-Clause
"""Names by DNS over tern's own UDP, and its own TCP where an answer was truncated."""
from case import case
from peers import Tern, nginx, python_server, url
from wire import Capture, count
from world import SERVER, TERN_IP, equal, hold, sha256


def named(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    python_server(lab, server, "peer_dns", SERVER, f"page.test={SERVER}", f"long.test={SERVER}",
                  "dead.test=10.77.0.77", port=53)
    return client, server, Tern(client, flags=["--dns", SERVER])


def asked(lab):
    with open(lab.path("peer_dns.log")) as log:
        return [line.split() for line in log]


@case("names: resolved over tern's own UDP", programs=["tshark"])
def by_udp(lab):
    client, server, tern = named(lab)
    capture = Capture(lab, server, "vB")
    before = client.counter("UdpOutDatagrams")
    tern.fetch("http://page.test/1k.bin", "f")
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/1k.bin")))
    hold("asked over UDP", ["udp", "page.test", "1"] in asked(lab), str(asked(lab)))
    hold("from our address", count(capture.stop(), f"dns and ip.src == {TERN_IP}") > 0)
    equal("the kernel's own datagrams", client.counter("UdpOutDatagrams"), before)


@case("names: truncated answers are fetched over tern's own TCP", programs=["tshark"])
def by_tcp(lab):
    client, server, tern = named(lab)
    capture = Capture(lab, server, "vB")
    before = client.counter("TcpActiveOpens")
    tern.fetch("http://long.test/1k.bin", "f")
    ways = [line[0] for line in asked(lab) if line[1] == "long.test"]
    hold("asked over UDP, then TCP", ways[:1] == ["udp"] and "tcp" in ways, str(ways))
    hold("from our address", count(capture.stop(), f"tcp.dstport == 53 and ip.src == {TERN_IP}"))
    equal("the kernel's own connections", client.counter("TcpActiveOpens"), before)


@case("names: one that does not exist is exit 6, at once")
def not_found(lab):
    _, _, tern = named(lab)
    result = tern.get("-sS", "http://nobody.test/")
    equal("exit", result.code, 6)
    hold("one clear line with the name", len(result.lines()) == 1 and
         "nobody.test" in result.lines()[0], result.text())


@case("names: a resolver that does not answer is an error in bounded time")
def mute(lab):
    _, _, tern = named(lab)
    result = tern.get("-sS", "--connect-timeout", "5", "http://mute.test/", seconds=40)
    hold("exit 6 or 28", result.code in (6, 28), result.text())
    hold("one clear line", len(result.lines()) == 1, result.text())


@case("names: --resolve, and no --dns")
def resolve(lab):
    client, _, _ = named(lab)
    tern = Tern(client)
    tern.fetch("http://any.test/1k.bin", "f", "--resolve", f"any.test:80:{SERVER}")
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/1k.bin")))
    result = tern.get("-sS", "http://page.test/")
    equal("without a resolver", result.code, 6)
    hold("it says what to give", "--dns" in result.text(), result.text())


@case("names: a name that leads nowhere is exit 7 or 28, not a hang")
def nowhere(lab):
    _, _, tern = named(lab)
    result = tern.get("-sS", "--connect-timeout", "6", "http://dead.test/", seconds=30)
    hold("exit 7 or 28", result.code in (7, 28), result.text())


@case("names: the Host header and the log say the name")
def host_header(lab):
    _, _, tern = named(lab)
    result = tern.get("-sS", "http://page.test/host")
    hold("Host", b"host=page.test" in result.out, result.out.decode())
