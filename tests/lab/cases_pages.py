# SPDX-License-Identifier: BSD-2-Clause
"""Pages from real servers: what arrives is what curl gets over the kernel, byte for byte, while
the kernel's counters stand still."""
import json
import os

import world
from case import case
from peers import Tern, certificates, curl, http_server, nginx, python_server, url
from wire import Capture, closed_both_ways, count, no_reset, segments
from world import TERN_IP, equal, hold, sha256, unmoved

SIZES = (("1k", 1000), ("100k", 100 * 1000), ("10M", 10 * 1000 * 1000))


def same_as_curl(lab, client, path, tern=None, arguments=(), scheme="http"):
    """Fetch over tern and over the kernel; the sums must agree. The seconds that tern took."""
    result = (tern or Tern(client)).fetch(url(path, scheme=scheme), "ours", *arguments,
                                          seconds=100)
    judge = curl(client, "-o", "theirs", *arguments, url(path, scheme=scheme))
    equal("curl's exit", judge.code, 0)
    equal(f"sha256 of {path}", sha256(lab.path("ours")), sha256(lab.path("theirs")))
    return result.seconds


def fetch_sizes(lab, offloads):
    client, server = lab.pair(offloads)
    for name, size in SIZES:
        lab.noise(f"www/{name}.bin", size)
    nginx(lab, server)
    capture = Capture(lab, server, "vB", snap=128, only=f"host {TERN_IP}")
    before = [client.counter(n) for n in ("TcpOutRsts", "IcmpOutMsgs")]
    took = []

    def fetch_all():
        for name, _ in SIZES:
            took.append(Tern(client).fetch(url(f"/{name}.bin"), name, seconds=100).seconds)

    unmoved(lab, server, ["TcpRetransSegs"], fetch_all)
    lab.note(f"10 MB in {took[-1]:.2f} s, start and close included")
    equal("TcpOutRsts and IcmpOutMsgs of the kernel beside us",
          [client.counter(n) for n in ("TcpOutRsts", "IcmpOutMsgs")], before)
    for name, _ in SIZES:
        equal("curl's exit", curl(client, "-o", "theirs", url(f"/{name}.bin")).code, 0)
        equal(f"sha256 of {name}", sha256(lab.path(name)), sha256(lab.path("theirs")))
    capture.stop()
    no_reset(capture.path)
    closed_both_ways(capture.path)


@case("pages: 1 kB to 10 MB as curl gets them, offloads on", programs=["tshark"])
def pages_on(lab):
    fetch_sizes(lab, True)


@case("pages: 1 kB to 10 MB as curl gets them, offloads off", programs=["tshark"])
def pages_off(lab):
    fetch_sizes(lab, False)


def room_for(lab, gigabytes):
    room = os.statvfs(lab.folder)
    if room.f_bavail * room.f_frsize < gigabytes * 2**30:
        raise world.Skipped(f"needs {gigabytes} GB of room for temporary files")


@case("pages: 1 GB as curl gets it", alone=True, programs=["tshark"], seconds=240)
def gigabyte(lab):
    client, server = lab.pair()
    room_for(lab, 3)
    lab.noise("www/1G.bin", 2**30)
    wanted = sha256(lab.path("www/1G.bin"))
    nginx(lab, server)
    # A filter that keeps the opening, the closing and the resets.
    capture = Capture(lab, server, "vB", snap=96,
                      only=f"host {TERN_IP} and (tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0)")
    counters = [(client, "TcpOutRsts"), (client, "IcmpOutMsgs"), (server, "TcpRetransSegs"),
                (server, "TcpExtTCPLossProbes")]
    runs = []
    while len(runs) < 3 and (not runs or runs[-1][0] > 0):
        before = [node.counter(name) for node, name in counters]
        result = Tern(client).fetch(url("/1G.bin"), "f", "--stats", "st.json", seconds=100)
        equal("sha256", sha256(lab.path("f")), wanted)
        with open(lab.path("st.json")) as stats:
            told = json.load(stats)
        equal("frames lost at our ring", told["frames"]["dropped_in"], 0)
        reordered = told["connections"][0]["rcv_ooopack"]
        resets, icmp, again, probes = [node.counter(name) - was
                                       for (node, name), was in zip(counters, before)]
        equal("TcpOutRsts and IcmpOutMsgs moved by", (resets, icmp), (0, 0))
        os.unlink(lab.path("f"))
        was = server.counter("TcpRetransSegs")
        judge = curl(client, "-o", "f", url("/1G.bin"), seconds=100)
        os.unlink(lab.path("f"))
        runs.append((again, server.counter("TcpRetransSegs") - was))
        lab.note(f"1 GiB to a file: tern {8.59 / result.seconds:.2f} Gbit/s, {again} resent "
                 f"(out of order {reordered}, loss probes {probes}); curl over the kernel "
                 f"{8.59 / judge.seconds:.2f} Gbit/s, {runs[-1][1]} resent")
        # Two processors that feed one veth change the order of frames, and after 8 ms without an
        # ACK the kernel probes, whoever had the processor. A frame that we lost is neither.
        hold("each resend is a probe's or a reordering's", again == 0 or probes + reordered > 0,
             f"{again} resent")
    path = capture.stop()
    no_reset(path)
    fins = segments(path, "tcp.flags.fin == 1 and ip.addr == " + TERN_IP)
    equal("FINs of ours and of the server's",
          [len({(s["srcport"], s["dstport"]) for s in fins if s["src"] == who})
           for who in (TERN_IP, world.SERVER)], [len(runs), len(runs)])


@case("pages: 200 runs in a row, 200 successes", seconds=200)
def two_hundred(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    wanted = sha256(lab.path("www/1k.bin"))
    nginx(lab, server)
    before = client.counter("TcpOutRsts")
    for i in range(200):
        Tern(client).fetch(url("/1k.bin"), "f")
        equal(f"sha256 in run {i + 1}", sha256(lab.path("f")), wanted)
        os.unlink(lab.path("f"))
    equal("TcpOutRsts", client.counter("TcpOutRsts"), before)
    world.wait_for("the server's sockets to be done", lambda: not server.states(), 20)


@case("pages: python's http.server")
def python_http(lab):
    client, server = lab.pair()
    lab.noise("www/3M.bin", 3000000)
    http_server(lab, server, lab.path("www"))
    same_as_curl(lab, client, ":8000/3M.bin")


@case("pages: https with a private CA, HTTP/1.1 and HTTP/2", seconds=240)
def https(lab):
    client, server = lab.pair()
    ca = certificates(lab)
    lab.noise("www/3M.bin", 3000000)
    if lab.long_runs:
        room_for(lab, 4)
    lab.noise("www/big.bin", 2**30 if lab.long_runs else 30000000)
    nginx(lab, server, tls=True)
    same_as_curl(lab, client, "/3M.bin", arguments=["--cacert", ca, "--http1.1"], scheme="https")
    same_as_curl(lab, client, "/big.bin", arguments=["--cacert", ca, "--http2"], scheme="https")
    result = Tern(client).get("-sS", "--cacert", ca, "-o", "f", "-w", "%{http_version}",
                              url("/3M.bin", scheme="https"))
    equal("the version agreed on", result.out.strip(), b"2")
    result = Tern(client).get("-sS", "--cacert", ca, "--http1.1", "-o", "f", "-w",
                              "%{http_version}", url("/3M.bin", scheme="https"))
    equal("control: the other one", result.out.strip(), b"1.1")


def without_dates(data):
    return [line for line in data.split(b"\n") if not line.startswith(b"Date:")]


@case("pages: -D writes every response's header lines, as curl does")
def dump_header(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    for path, count_of in (("/1k.bin", 1), ("/moved-twice", 3), ("/gone", 1)):
        for dump in ("heads", "-"):
            flags = ["-L", "-D", dump, url(path)]
            ours = Tern(client).get("-sS", *flags)
            equal(f"exit of -D {dump} {path} ({ours.text()})", ours.code, 0)
            got = open(lab.path("heads"), "rb").read() if dump != "-" else ours.out
            judge = curl(client, *flags)
            wanted = open(lab.path("heads"), "rb").read() if dump != "-" else judge.out
            equal(f"header lines of {path}, -D {dump}", without_dates(got), without_dates(wanted))
            equal("responses", got.count(b"HTTP/1.1 "), count_of)
    full = Tern(client).get("-sS", "-o", "f", "-D", "/dev/full", url("/1k.bin"))
    hold("-D to a full disk is exit 23 and one line",
         full.code == 23 and len(full.lines()) == 1, full.text())


@case("pages: chunked, and bodies that end with the connection")
def chunked(lab):
    client, server = lab.pair()
    python_server(lab, server, "peer_odd", world.SERVER, 8001, port=8001)
    same_as_curl(lab, client, ":8001/chunked")
    same_as_curl(lab, client, ":8001/close")
    same_as_curl(lab, client, ":8001/pieces")
    for path in (":8001/cut", ":8001/short"):
        equal(f"control: {path} ends early", Tern(client).get(
            "-sS", "-o", "ours", url(path)).code, 18)


@case("pages: gzip")
def gzip(lab):
    client, server = lab.pair()
    lab.write("www/words.txt", "the same words over and over\n" * 20000)
    nginx(lab, server)
    same_as_curl(lab, client, "/zipped/words.txt", arguments=["--compressed"])
    result = Tern(client).get("-sS", "--compressed", "-o", "f", "-w", "%{size_download}",
                              url("/zipped/words.txt"))
    equal("the text", sha256(lab.path("f")), sha256(lab.path("www/words.txt")))
    hold("it came compressed", int(result.out) < 100000, result.out.decode())
    result = Tern(client).get("-sS", "-o", "f", "-w", "%{size_download}", url("/zipped/words.txt"))
    equal("control: without --compressed it does not", int(result.out), 29 * 20000)


@case("pages: redirects, and too many of them")
def redirects(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    tern = Tern(client)
    same_as_curl(lab, client, "/moved-twice", arguments=["-L"])
    equal("sha256", sha256(lab.path("ours")), sha256(lab.path("www/1k.bin")))
    result = tern.get("-sS", "-o", "f", "-w", "%{http_code} %{num_redirects}", "-L",
                      url("/moved-twice"))
    equal("-w", result.out, b"200 2")
    equal("without -L", tern.get("-sS", "-o", "f", "-w", "%{http_code}", url("/moved")).out, b"302")
    equal("a loop", tern.get("-sS", "-o", "f", "-L", "--max-redirs", "5", url("/loop")).code, 47)


@case("pages: keep-alive: two URLs, one connection", programs=["tshark"])
def keep_alive(lab):
    client, server = lab.pair()
    nginx(lab, server)
    capture = Capture(lab, server, "vB")
    result = Tern(client).get("-sS", url("/host"), url("/host"))
    equal("exit", result.code, 0)
    hold("the second request on the same connection", b"requests=2" in result.out,
         result.out.decode())
    syns = f"tcp.flags.syn == 1 and ip.src == {TERN_IP}"
    equal("SYNs", count(capture.stop(), syns), 1)
    capture = Capture(lab, server, "vB", name="close.pcapng")
    result = Tern(client).get("-sS", "-H", "Connection: close", url("/host"), url("/host"))
    equal("control: where each answer ends the connection", (
        result.code, b"requests=2" in result.out, count(capture.stop(), syns)), (0, False, 2))


@case("pages: HEAD, -i, -f, -d, -H, -A, -w as curl does them")
def flags(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    rows = (["-I", url("/1k.bin")], ["-i", url("/host")], ["-f", url("/gone")], [url("/gone")],
            ["-d", "a=b", url("/host")], ["-H", "Host: other.test", url("/host")],
            ["-X", "DELETE", url("/host")], ["-r", "100-199", url("/1k.bin")],
            ["-A", "me/1", "-w", "%{http_code} %{size_download} %{url_effective}\\n",
             url("/1k.bin")])
    for row in rows:
        ours, theirs = Tern(client).get("-sS", *row), curl(client, *row)
        equal(f"exit of {row}", ours.code, theirs.code)
        equal(f"output of {row}", without_dates(ours.out), without_dates(theirs.out))
    with open(lab.path("access.log")) as log:
        lines = [line.split("] ")[1] for line in log if "me/1" in line]
    equal("what the server logged", len(set(lines)), 1)


def without_dates(data):
    return [line for line in data.split(b"\r\n") if not line.startswith(b"Date:")]


@case("pages: resume with -C")
def resume(lab):
    client, server = lab.pair()
    whole = lab.noise("www/1M.bin", 1000000)
    nginx(lab, server)
    with open(whole, "rb") as data:
        part = data.read(400123)
    lab.write("f", part)
    result = Tern(client).get("-sS", "-C", "-", "-o", "f", "-w", "%{http_code} %{size_download}",
                              url("/1M.bin"))
    equal("exit", result.code, 0)
    equal("only the rest came", result.out, b"206 599877")
    equal("sha256", sha256(lab.path("f")), sha256(whole))


@case("pages: upload with -T, to a busy and to a patient server")
def upload(lab):
    client, server = lab.pair()
    data = lab.noise("data.bin", 5000000)
    nginx(lab, server)
    again = server.counter("TcpExtTCPDSACKOfoSent")
    result = Tern(client).get("-sS", "-T", data, url("/up/data.bin"), seconds=100)
    hold("tern get -T", result.code == 0, result.text())
    equal("sha256 at the server", sha256(lab.path("up/data.bin")), sha256(data))
    equal("nothing came twice", server.counter("TcpExtTCPDSACKOfoSent"), again)
    lab.note(f"5 MB up in {result.seconds:.2f} s")


@case("pages: several files with -O, made where they are told")
def several(lab):
    client, server = lab.pair()
    for name in ("a", "b", "c"):
        lab.noise(f"www/{name}", 10000 + ord(name))
    nginx(lab, server)
    result = Tern(client).get("-sS", "--create-dirs", "--output-dir", "deep/er", "-O", url("/a"),
                              "-O", url("/b"), "-o", "other", url("/c"))
    hold("exit 0", result.code == 0, result.text())
    for name, there in (("a", "a"), ("b", "b"), ("c", "other")):
        equal(name, sha256(lab.path("deep/er/" + there)), sha256(lab.path("www/" + name)))
