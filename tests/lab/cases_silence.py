# SPDX-License-Identifier: BSD-2-Clause
"""The kernel beside us never answers for us: no RST, no ICMP, whatever MAC we use."""
import world
from case import case
from peers import PYTHON, Tern, curl, nginx, url
from wire import Capture, count, no_reset
from world import HOST_IP, SERVER, equal, hold, sha256

# A SYN from an address, sent past the kernel.
RAW_SYN = """
import socket, struct, sys
source, target, mac, peer = sys.argv[1:5]
def total(data):
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    s = (s & 0xffff) + (s >> 16)
    return ~((s & 0xffff) + (s >> 16)) & 0xffff
a, b = socket.inet_aton(source), socket.inet_aton(target)
tcp = struct.pack("!HHIIBBHHH", 40000, 80, 1000, 0, 0x50, 2, 64240, 0, 0)
tcp = tcp[:16] + struct.pack("!H", total(a + b + struct.pack("!HH", 6, 20) + tcp)) + tcp[18:]
ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + a + b
ip = ip[:10] + struct.pack("!H", total(ip)) + ip[12:]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("vA", 0))
s.send(bytes.fromhex((peer + mac).replace(":", "")) + b"\\x08\\x00" + ip + tcp)
"""


def fetch_in_silence(lab, flags, forward=0):
    client, server = lab.pair()
    client.sysctl("net/ipv4/ip_forward", forward)
    lab.noise("www/1M.bin", 1000000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    before = [client.counter(n) for n in ("TcpOutRsts", "IcmpOutMsgs", "IpForwDatagrams")]
    result = Tern(client, flags=flags).get("-sS", "-o", "f", url("/1M.bin"))
    hold("tern get", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/1M.bin")))
    equal("TcpOutRsts, IcmpOutMsgs, IpForwDatagrams",
          [client.counter(n) for n in ("TcpOutRsts", "IcmpOutMsgs", "IpForwDatagrams")], before)
    no_reset(capture.stop())
    return capture.path, client, server


@case("silent kernel: own MAC", programs=["tshark"])
def own_mac(lab):
    path, client, _ = fetch_in_silence(lab, [])
    mac = client.mac("vA")
    equal("frames of ours with the host's MAC", count(path, f"ip.src == {world.TERN_IP} and "
                                                            f"eth.src == {mac}"), 0)


@case("silent kernel: own MAC, ip_forward 1", programs=["tshark"])
def own_mac_forward(lab):
    fetch_in_silence(lab, [], forward=1)


@case("silent kernel: the host's MAC", programs=["tshark"])
def host_mac(lab):
    path, client, server = fetch_in_silence(lab, ["--mac", "host"])
    mac = client.mac("vA")
    hold("frames of ours with the host's MAC",
         count(path, f"ip.src == {world.TERN_IP} and eth.src == {mac}") > 0)
    equal("the kernel still has its own address", curl(server, "-m", "2",
                                                       f"http://{HOST_IP}/").code, 7)


@case("silent kernel: the host's MAC with ip_forward 1 is refused, or silent", programs=["tshark"])
def host_mac_forward(lab):
    client, server = lab.pair()
    client.sysctl("net/ipv4/ip_forward", 1)
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    before = [client.counter(n) for n in ("TcpOutRsts", "IcmpOutMsgs", "IpForwDatagrams")]
    result = Tern(client, flags=["--mac", "host"]).get("-sS", "-o", "f", url("/1k.bin"))
    hold("refused in words, or done", result.code == 0 or
         (result.code == 45 and "forward" in result.err.decode()), result.text())
    equal("TcpOutRsts, IcmpOutMsgs, IpForwDatagrams",
          [client.counter(n) for n in ("TcpOutRsts", "IcmpOutMsgs", "IpForwDatagrams")], before)


@case("control: with the host's own address the kernel resets", programs=["tshark"])
def control(lab):
    client, server = lab.pair()
    nginx(lab, server)
    equal("a first word between the two", curl(client, "-o", "f", url("/host")).code, 0)
    capture = Capture(lab, server, "vB")
    before = client.counter("TcpOutRsts")
    done = client.run(PYTHON, "-c", RAW_SYN, HOST_IP, SERVER, client.mac("vA"), server.mac("vB"))
    equal("the raw SYN", (done.code, done.err), (0, b""))
    world.wait_for("the kernel's reset", lambda: client.counter("TcpOutRsts") > before)
    hold("the reset is on the wire", count(capture.stop(), "tcp.flags.reset == 1") > 0)


@case("control: ICMP of the kernel and what it forwards are counted")
def control_icmp(lab):
    client, server = lab.pair()
    client.sysctl("net/ipv4/ip_forward", 1)
    # What tern does with its own MAC keeps the kernel from this: an address that is not the
    # kernel's, at the kernel's MAC.
    server.sh("ip", "neigh", "replace", world.TERN_IP, "lladdr", client.mac("vA"), "dev", "vB",
              "nud", "permanent")
    for name, address in (("IcmpOutMsgs", HOST_IP), ("IpForwDatagrams", world.TERN_IP)):
        before = client.counter(name)
        done = server.run(PYTHON, "-c", "import socket, sys; socket.socket(socket.AF_INET, "
                          "socket.SOCK_DGRAM).sendto(b'x', (sys.argv[1], 9))", address)
        equal("the datagram", (done.code, done.err), (0, b""))
        world.wait_for(name, lambda n=name, was=before: client.counter(n) > was)
