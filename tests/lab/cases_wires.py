# SPDX-License-Identifier: BSD-2-Clause
"""Handshakes, refusals and silence, read off the wire; and controls: that what the lab looks at
moves when it should."""
import os

import world
from case import case
from judges import internet_sockets, knocked, numbered, opened
from peers import HERE, PYTHON, Tern, curl, nginx, python_server, url
from wire import Capture, clean, closed_both_ways, comments, count, no_reset, packets, segments
from world import SERVER, TERN_IP, equal, hold


@case("handshake: SYN, SYN-ACK, ACK with the right numbers", programs=["tshark"])
def handshake(lab):
    client, server = lab.pair(offloads=False)
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    Tern(client).fetch(url("/1k.bin"), "f")
    seen = segments(capture.stop(), f"tcp and ip.addr == {TERN_IP}")
    opened(seen)
    clean(capture.path)
    no_reset(capture.path)
    closed_both_ways(capture.path)


@case("handshake: options offered as a modern host does", programs=["tshark"])
def options(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    Tern(client).fetch(url("/1k.bin"), "f")
    syn = packets(capture.stop(), f"tcp.flags.syn == 1 and ip.src == {TERN_IP}",
                  "tcp.options.mss_val tcp.options.wscale.shift tcp.options.sack_perm "
                  "tcp.options.timestamp.tsval tcp.options.timestamp.tsecr")[0]
    equal("MSS", syn["tcp.options.mss_val"], "1460")
    hold("a window scale", syn["tcp.options.wscale.shift"] != "")
    hold("SACK permitted", syn["tcp.options.sack_perm"] != "")
    equal("echo reply of the SYN", syn["tcp.options.timestamp.tsecr"], "0")


@case("handshake: initial sequence numbers and ports differ from run to run", programs=["tshark"])
def isn(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    for _ in range(5):
        Tern(client).fetch(url("/1k.bin"), "f")
    syns = segments(capture.stop(), f"tcp.flags.syn == 1 and ip.src == {TERN_IP}")
    equal("SYNs", len(syns), 5)
    equal("different initial sequence numbers", len({s["seq_raw"] for s in syns}), 5)
    hold("ports differ", len({s["srcport"] for s in syns}) >= 4)


@case("numbers: segments of 100, 200 and 300 bytes are 0-99, 100-299, 300-599, next 600",
      programs=["tshark"])
def numbers(lab):
    client, server = lab.pair(offloads=False)
    python_server(lab, server, "peer_odd", SERVER, 8001, port=8001)
    capture = Capture(lab, server, "vB")
    Tern(client).fetch(url(":8001/pieces"), "f")
    seen = segments(capture.stop(), "tcp")
    numbered(seen, (100, 200, 300))


@case("refused: a closed port is exit 7", programs=["tshark"])
def refused(lab):
    client, server = lab.pair()
    capture = Capture(lab, server, "vB")
    result = Tern(client).get("-sS", url(":81/"))
    equal("exit", result.code, 7)
    hold("one clear line", len(result.lines()) == 1 and "refused" in result.lines()[0],
         result.text())
    path = capture.stop()
    equal("SYNs", count(path, f"tcp.flags.syn == 1 and ip.src == {TERN_IP}"), 1)
    equal("resets from us", count(path, f"tcp.flags.reset == 1 and ip.src == {TERN_IP}"), 0)


@case("black hole: SYN again after 1, 2 and 4 seconds, exit 28", programs=["tshark"])
def black_hole(lab):
    client, server = lab.pair()
    # An address that answers ARP, and whose TCP goes nowhere: the kernel there does not have it.
    server.start(PYTHON, os.path.join(HERE, "peer_arp.py"), "answer", "vB", "10.77.0.66")
    capture = Capture(lab, server, "vB")
    result = Tern(client).get("-sS", "--connect-timeout", "8", "http://10.77.0.66/")
    equal("exit", result.code, 28)
    hold("one clear line", len(result.lines()) == 1, result.text())
    knocked(segments(capture.stop(), f"tcp.flags.syn == 1 and ip.src == {TERN_IP}"), (1, 2, 4))


@case("capture: tern's own is clean and says why each packet was sent", programs=["tshark"])
def own_capture(lab):
    client, server = lab.pair()
    lab.noise("www/1M.bin", 1000000)
    nginx(lab, server)
    Tern(client, flags=["--pcap", "own.pcapng"]).fetch(url("/1M.bin"), "f")
    path = lab.path("own.pcapng")
    clean(path)
    no_reset(path)
    closed_both_ways(path)
    ours = count(path, f"ip.src == {TERN_IP}")
    hold("packets of ours", ours > 0)
    why = comments(path)
    hold("a reason on each packet that we sent", len(why) >= ours, f"{len(why)} of {ours}")


@case("capture: on the wire, offloads off, all checksums right", programs=["tshark"])
def wire_capture(lab):
    client, server = lab.pair(offloads=False)
    lab.noise("www/1M.bin", 1000000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    Tern(client).fetch(url("/1M.bin"), "f")
    clean(capture.stop(), analysis=False)
    no_reset(capture.path)


@case("no leaks: the run opens no AF_INET or AF_INET6 socket", programs=["strace"])
def no_sockets(lab):
    client, server = lab.pair()
    lab.noise("www/100k.bin", 100000)
    nginx(lab, server)
    trace = lab.path("trace")
    result = client.run("strace", "-f", "-qq", "-e", "trace=socket", "-o", trace,
                        *Tern(client).command("get", "-sS", "-o", "f", url("/100k.bin")))
    if result.code != 0 and b"ptrace" in result.err:
        raise world.Skipped("strace may not trace here")
    equal("exit", result.code, 0)
    with open(trace) as lines:
        made = list(lines)
    hold("the trace saw the packet socket", any("AF_PACKET" in line for line in made))
    equal("internet sockets", internet_sockets(made), [])
    # Control: the same trace sees curl's.
    client.run("strace", "-f", "-qq", "-e", "trace=socket", "-o", trace, "curl", "-q", "-s",
               "-o", "g", url("/100k.bin"))
    with open(trace) as lines:
        hold("control: curl opens one", internet_sockets(lines))
    # The link that says so: slirp, whose way out is the host's own sockets.
    result = client.run("strace", "-f", "-qq", "-e", "trace=socket", "-o", trace, world.TERN,
                        "get", "-sS", "--link", "slirp", "http://10.0.2.2:81/")
    equal("slirp: refused by the host's loopback", result.code, 7)
    with open(trace) as lines:
        hold("control: slirp opens one", internet_sockets(lines))


@case("control: curl over the kernel passes the lab's own reading of the wire",
      programs=["tshark"])
def control_curl(lab):
    client, server = lab.pair(offloads=False)
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    equal("curl", curl(client, "-o", "f", url("/1k.bin")).code, 0)
    clean(capture.stop())
    no_reset(capture.path)
    closed_both_ways(capture.path, ours=world.HOST_IP)


@case("control: a bad checksum and a reset are seen", programs=["tshark"])
def control_bad(lab):
    client, server = lab.pair(offloads=False)
    capture = Capture(lab, server, "vB")
    client.run("/usr/bin/python3", "-c", """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
s.sendto(bytes.fromhex('0050005100000001000000005004ffff00010000'), ('10.77.0.2', 0))
""")
    path = capture.stop()
    for what, judge in (("clean", lambda: clean(path)), ("no_reset", lambda: no_reset(path))):
        try:
            judge()
        except world.Failed:
            continue
        raise world.Failed(f"{what}() saw nothing wrong with a broken reset to {SERVER}")
