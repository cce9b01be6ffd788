# SPDX-License-Identifier: BSD-2-Clause
"""An address of our own: claimed as RFC 5227 says, held while we run, never taken from anybody,
and silent once we are gone."""
import os

import world
from case import case
from judges import claimed, left_alone
from peers import HERE, PYTHON, Tern, nginx, url
from wire import Capture, count, packets
from world import GATEWAY, HOST_IP, OTHER_IP, TERN_IP, equal, hold

ARP = "frame.time_epoch eth.src arp.opcode arp.src.hw_mac arp.src.proto_ipv4 arp.dst.proto_ipv4"


def arps(path, keep):
    return packets(path, f"arp and ({keep})", ARP)


def ask(node, interface, address=TERN_IP):
    """Who answers for an address now, asked by hand."""
    done = node.run(PYTHON, os.path.join(HERE, "peer_arp.py"), "ask", interface, address)
    return done.out.decode().replace("ready", "").strip()


def poke(node, address=TERN_IP):
    """Make a node's kernel look for an address: a datagram to it."""
    node.run(PYTHON, "-c", "import socket, sys; socket.socket(socket.AF_INET, "
             "socket.SOCK_DGRAM).sendto(b'x', (sys.argv[1], 9))", address)


def slow_fetch(lab, client, server, size=1500000):
    """A transfer of some seconds in the background, once its first bytes are here."""
    lab.noise("www/big.bin", size)
    nginx(lab, server)
    with open(lab.path("err"), "wb") as err:
        child = Tern(client).start("get", "-sS", "-o", "f", url("/limited/big.bin"), stderr=err)
    world.wait_for("the first bytes", lambda: child.poll() is not None or (
        os.path.exists(lab.path("f")) and os.path.getsize(lab.path("f")) > 0))
    hold("tern runs", child.poll() is None, lab_read(lab, "err"))
    return child


def lab_read(lab, name):
    with open(lab.path(name), errors="replace") as text:
        return text.read()


@case("own address: probed, announced, answered for, given up", programs=["tshark"])
def own_address(lab):
    _, client, server, router, _ = lab.lan()
    capture = Capture(lab, server, "vB")
    equal("before: nobody answers", ask(router, "vR"), "")
    child = slow_fetch(lab, client, server)
    mac = ask(router, "vR")
    hold("who-has is answered, and not with the host's MAC", mac not in ("", client.mac("vA")), mac)
    for node in (router, server):
        node.sh("ip", "neigh", "flush", "all")
        poke(node)
        world.wait_for("the neighbour table", lambda n=node: n.neighbours().get(TERN_IP) == mac)
    equal("the transfer survived", child.wait(timeout=60), 0)
    equal("after: nobody answers", ask(router, "vR"), "")
    path = capture.stop()
    probes = arps(path, f"arp.dst.proto_ipv4 == {TERN_IP} and arp.src.proto_ipv4 == 0.0.0.0 "
                        f"and eth.src == {mac}")
    said = arps(path, f"arp.dst.proto_ipv4 == {TERN_IP} and arp.src.proto_ipv4 == {TERN_IP}")
    claimed(probes, said, packets(path, f"ip.src == {TERN_IP}", "frame.time_epoch"), mac)


@case("own address: --claim rfc takes RFC 5227's own seconds", programs=["tshark"])
def claim_rfc(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    Tern(client, flags=["--claim", "rfc"]).fetch(url("/1k.bin"), "f")
    path = capture.stop()
    probes = arps(path, f"arp.dst.proto_ipv4 == {TERN_IP} and arp.src.proto_ipv4 == 0.0.0.0")
    equal("probes", len(probes), 3)
    at = [float(p["frame.time_epoch"]) for p in probes]
    for gap in (b - a for a, b in zip(at, at[1:])):
        hold("one to two seconds between probes", 0.9 < gap < 2.5, f"{gap:.2f} s")
    first = packets(path, f"tcp.flags.syn == 1 and ip.src == {TERN_IP}", "frame.time_epoch")[0]
    hold("two seconds of listening after the last",
         float(first["frame.time_epoch"]) - at[-1] > 1.8)


def nothing_taken(lab, client, capture, address, result, words):
    """Refused, in one clear line, with nothing said from the address by anyone but its owner."""
    equal("exit", result.code, 45)
    hold("one clear line", len(result.lines()) == 1, result.text())
    hold(f"it says {words}", any(w in result.lines()[0] for w in words), result.text())
    path = capture.stop()
    owners = {node.mac(name) for node, name in lab.owners}
    taken = packets(path, f"(arp.src.proto_ipv4 == {address} or ip.src == {address})", "eth.src")
    left_alone(taken, owners)
    equal("no SYN", count(path, f"tcp.flags.syn == 1 and ip.src == {address}"), 0)


@case("own address: one in use is refused, its owner named", programs=["tshark"])
def in_use(lab):
    _, client, server, _, other = lab.lan()
    other.sh("ip", "address", "add", TERN_IP + "/24", "dev", "vO")
    lab.owners = [(other, "vO")]
    capture = Capture(lab, server, "vB")
    result = Tern(client).get("-sS", url("/"))
    nothing_taken(lab, client, capture, TERN_IP, result, [other.mac("vO")])


@case("own address: one tern an address, and several terns with the host's MAC")
def two_terns(lab):
    _, client, server, _, _ = lab.lan()
    child = slow_fetch(lab, client, server)
    result = Tern(client).get("-sS", url("/big.bin"))
    equal("exit", result.code, 45)
    equal("its line", result.lines(), [f"tern: {TERN_IP} is in use by another tern on vA"])
    beside = Tern(client, address="10.77.0.6/24").get("-sS", "-o", "g", url("/big.bin"))
    equal("another address beside it", (beside.code, beside.lines()), (0, []))
    equal("the first was not disturbed", child.wait(timeout=60), 0)
    os.unlink(lab.path("f"))
    with open(lab.path("err2"), "wb") as err:
        first = Tern(client, flags=["--mac", "host"]).start(
            "get", "-sS", "-o", "f", url("/limited/big.bin"), stderr=err)
    world.wait_for("the first bytes", lambda: first.poll() is not None or
                   os.path.exists(lab.path("f")))
    beside = Tern(client, address="10.77.0.6/24", flags=["--mac", "host"]).get(
        "-sS", "-o", "g", url("/big.bin"))
    equal("two with the host's MAC", (beside.code, beside.lines()), (0, []))
    equal("and the first of them", (first.wait(timeout=60), lab_read(lab, "err2")), (0, ""))
    equal("the address is free again", Tern(client).get("-sS", "-o", "g", url("/big.bin")).code, 0)


@case("own address: the gateway's and the host's are refused", programs=["tshark"])
def gateway_host(lab):
    _, client, server, router, _ = lab.lan()
    for address, flags, owner in ((GATEWAY, ["--gateway", GATEWAY], (router, "vR")),
                                  (GATEWAY, [], (router, "vR")), (HOST_IP, [], (client, "vA"))):
        lab.owners = [owner]
        capture = Capture(lab, server, "vB", name=f"{address}-{len(flags)}.pcapng")
        result = Tern(client, address=address + "/24", flags=flags).get("-sS", url("/"))
        nothing_taken(lab, client, capture, address, result,
                      ["in use", "gateway", "kernel", "host", "already"])


@case("own address: network, broadcast and multicast addresses are refused")
def not_hosts(lab):
    client, _ = lab.pair()
    for address in ("10.77.0.0/24", "10.77.0.255/24", "224.0.0.5/24", "127.0.0.1/8", "0.0.0.0/24",
                    "10.77.0.5", "10.77.0.5/33", "10.77.0/24", "cats/24"):
        result = Tern(client, address=address).get("-sS", url("/"))
        hold(f"{address} is refused in one line", result.code in (2, 45) and
             len(result.lines()) == 1, result.text())


@case("own address: defended once against a claim (RFC 5227 §2.4)", programs=["tshark"])
def defended(lab):
    _, client, server, _, other = lab.lan()
    child = slow_fetch(lab, client, server)
    mac = ask(other, "vO")
    capture = Capture(lab, server, "vB")
    other.run(PYTHON, os.path.join(HERE, "peer_arp.py"), "claim", "vO", TERN_IP, other.mac("vO"))
    equal("the transfer survived", child.wait(timeout=60), 0)
    path = capture.stop()
    claim = arps(path, f"arp.src.proto_ipv4 == {TERN_IP} and eth.src == {other.mac('vO')}")
    equal("the claim was seen", len(claim), 1)
    # Within the half second: a later one may be the second of the usual two announcements.
    at = float(claim[0]["frame.time_epoch"])
    defence = [a for a in arps(path, f"arp.src.proto_ipv4 == {TERN_IP} and eth.src == {mac} and "
                                     f"arp.dst.proto_ipv4 == {TERN_IP}")
               if 0 < float(a["frame.time_epoch"]) - at < 0.5]
    equal("announcements in answer", len(defence), 1)


@case("control: the lab's ARP readings see the kernel's own answers", programs=["tshark"])
def control(lab):
    _, client, server, router, _ = lab.lan()
    capture = Capture(lab, server, "vB")
    equal("asked by hand", ask(router, "vR", OTHER_IP), lab_mac(lab, "other", "vO"))
    equal("nobody has it", ask(router, "vR", "10.77.0.200"), "")
    poke(router, HOST_IP)
    world.wait_for("the table", lambda: router.neighbours().get(HOST_IP) == client.mac("vA"))
    hold("on the wire", len(arps(capture.stop(), "arp.opcode == 1")) >= 2)


def lab_mac(lab, node, interface):
    text = lab.sh("nsenter", f"--net=/run/netns/{node}", "--", "ip", "-o", "link", "show",
                  interface)
    return text.split("link/ether ")[1].split()[0]
