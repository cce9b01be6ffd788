# SPDX-License-Identifier: BSD-2-Clause
"""--secrets: tshark, told nothing, reads what was encrypted out of tern's own capture; and without
the flag it does not."""
import os
import stat

import wire
import world
from case import case
from peers import Tern, certificates, nginx
from wire import clean
from world import SERVER, equal, hold

NAMES = ["--resolve", f"lab.test:443:{SERVER}", "--resolve", f"two.test:443:{SERVER}"]
REQUEST = "http.request.uri == \"/100k.bin\" or http2.headers.path == \"/100k.bin\""
ANSWER = "http.response.code == 200 or http2.headers.status == 200"
# Two processors let frames overtake each other on a veth, and by default tshark gives a TLS session
# up at the first one that did.
IN_ORDER = ("-o", "tcp.reassemble_out_of_order:TRUE")


def count(path, keep):
    return wire.count(path, keep, IN_ORDER)


def site(lab, tls="TLSv1.3"):
    client, server = lab.pair()
    ca = certificates(lab, names=("lab.test", "two.test"))
    lab.noise("www/100k.bin", 100000)
    nginx(lab, server, tls=tls)
    return client, ca


def get(lab, client, ca, name, *flags, urls=("https://lab.test/100k.bin",), env=None):
    """Fetch with a capture, whose path is returned."""
    words = [word for url in urls for word in ("-o", "/dev/null", url)]
    result = Tern(client).get("-sS", "--cacert", ca, *NAMES, "--pcap", name, *flags, *words,
                              env=env)
    hold(f"tern get with {flags}", result.code == 0 and not result.err, result.text())
    return lab.path(name)


def keys_in(path):
    """Blocks of keys in a pcapng file, by its bytes."""
    with open(path, "rb") as file:
        data = file.read()
    at, found = 0, 0
    while at < len(data):
        found += int.from_bytes(data[at:at + 4], "little") == 10
        at += int.from_bytes(data[at + 4:at + 8], "little")
    equal("the last block ends the file", at, len(data))
    return found


def http_inside(lab, tls, number):
    client, ca = site(lab, tls)
    for how in ("--http1.1", "--http2"):
        path = get(lab, client, ca, f"keys{how}.pcapng", "--secrets", how)
        equal(f"{how}: the request", count(path, REQUEST), 1)
        equal(f"{how}: its answer", count(path, ANSWER), 1)
        clean(path, analysis=False)
        equal(f"{how}: the file is its owner's", stat.S_IMODE(os.stat(path).st_mode), 0o600)
        # Control: the same without the keys.
        path = get(lab, client, ca, f"none{how}.pcapng", how)
        equal(f"{how}: without --secrets", (keys_in(path), count(path, REQUEST),
                                            count(path, ANSWER)), (0, 0, 0))
        # The request and the answer, in however few super-segments that came.
        hold(f"{how}: it was {tls}", count(path, "tls.app_data") > 1 and count(
            path, f"tls.handshake.type == 2 and tls.handshake.extensions.supported_version == "
            f"{number}" if number else "tls.handshake.type == 2 and not "
            "tls.handshake.extensions.supported_version") == 1)


@case("secrets: tshark shows the HTTP inside TLS 1.3", programs=("tshark",))
def tls_13(lab):
    http_inside(lab, "TLSv1.3", "0x0304")


@case("secrets: tshark shows the HTTP inside TLS 1.2", programs=("tshark",))
def tls_12(lab):
    http_inside(lab, "TLSv1.2", "")


@case("secrets: several connections, a bad network, and a pipe", programs=("tshark",))
def several(lab):
    client, ca = site(lab)
    urls = ("https://lab.test/100k.bin", "https://two.test/100k.bin")
    path = get(lab, client, ca, "two.pcapng", "--secrets", urls=urls)
    equal("both requests", count(path, REQUEST), 2)
    path = get(lab, client, ca, "bad.pcapng", "--secrets", "--impair",
               "delay 60ms duplicate 5% reorder 5% drop 9", "--seed", "3")
    equal("the request over a bad network", count(path, REQUEST), 1)
    equal("its answer", count(path, ANSWER), 1)
    fifo = lab.path("fifo")
    os.mkfifo(fifo)
    with open(lab.path("piped.pcapng"), "wb") as out:
        child = lab.start(["cat", fifo], stdout=out)
        get(lab, client, ca, "fifo", "--secrets")
        child.wait(timeout=10)
    equal("the request through a pipe", count(lab.path("piped.pcapng"), REQUEST), 1)


@case("secrets: SSLKEYLOGFILE is obeyed, with the flag and without it")
def key_log_file(lab):
    client, ca = site(lab)
    lines = {}
    for name, flags in (("alone", []), ("both", ["--secrets"])):
        log = lab.path(name + ".keys")
        path = get(lab, client, ca, name + ".pcapng", *flags, env={"SSLKEYLOGFILE": log})
        with open(log) as text:
            lines[name] = text.read().split("\n")[:-1]
        equal(f"{name}: keys in the capture", keys_in(path) > 0, bool(flags))
        hold(f"{name}: keys in the file", len(lines[name]) >= 4, str(lines[name])[:200])
    path = lab.path("both.pcapng")
    with open(path, "rb") as file:
        data = file.read()
    for line in lines["both"]:
        hold("what the file has, the capture has", (line + "\n").encode() in data, line[:40])


@case("secrets: mistakes")
def mistakes(lab):
    client, ca = site(lab)
    url = "https://lab.test/100k.bin"
    for verb in (["get", url], ["nc", SERVER, "80"], ["ping", SERVER], ["serve", "."]):
        result = lab.run([world.TERN, verb[0], "--secrets", *verb[1:]])
        hold(f"{verb[0]} --secrets without a capture", result.code == 2 and
             len(result.lines()) == 1 and "--pcap" in result.text(), result.text())
    # A certificate that does not hold: the handshake fails, and the capture is whole all the same.
    result = Tern(client).get("-sS", *NAMES, "--pcap", "f.pcapng", "--secrets", "-o", "f", url)
    equal("exit", result.code, 60)
    hold("the SYN is in it", count(lab.path("f.pcapng"), "tcp.flags.syn == 1") == 2)
