# SPDX-License-Identifier: BSD-2-Clause
"""No root, no device: slirp in process, against servers on the host's loopback."""
import os

import world
from case import case
from peers import certificates, curl, nginx, python_server
from world import equal, hold, sha256

# A user without any capability, whoever runs the lab.
PLAIN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all",
         "--securebits=+noroot,+noroot_locked", "--no-new-privs", "--"]


class Here:
    """The case's own namespace, as a node: its loopback is the host's loopback for slirp."""

    def __init__(self, lab):
        self.lab = lab

    def start(self, *command, **options):
        return self.lab.start(list(command), **options)

    def run(self, *command, **options):
        return self.lab.run(list(command), **options)

    def sh(self, *command):
        return self.lab.sh(*command)


def get(lab, *arguments, **options):
    return lab.run(PLAIN + [world.TERN, "get"] + [str(a) for a in arguments], **options)


def served(lab, tls=False):
    here = Here(lab)
    for name, size in (("1k", 1000), ("10M", 10000000)):
        lab.noise(f"www/{name}.bin", size)
    nginx(lab, here, address="127.0.0.1", tls=tls)
    return here


@case("rootless: slirp reaches a server on the host's loopback, without any capability")
def loopback(lab):
    here = served(lab)
    python_server(lab, here, "peer_odd", "127.0.0.1", 8001, port=8001)
    result = lab.run(PLAIN + ["sh", "-c", "grep CapEff /proc/self/status"])
    hold("no capability is left", b"0000000000000000" in result.out, result.out.decode())
    for flags in ([], ["--link", "slirp"]):
        for name in ("1k", "10M"):
            result = get(lab, "-sS", *flags, "-o", "f", f"http://10.0.2.2/{name}.bin", seconds=60)
            hold("tern get", result.code == 0, result.text())
            equal("sha256", sha256(lab.path("f")), sha256(lab.path(f"www/{name}.bin")))
    lab.note(f"10 MB through slirp in {result.seconds:.2f} s")
    equal("refused", get(lab, "-sS", "http://10.0.2.2:81/").code, 7)
    equal("reset in the middle", get(lab, "-sS", "-o", "g", "http://10.0.2.2:8001/reset").code, 56)
    equal("cut short", get(lab, "-sS", "-o", "g", "http://10.0.2.2:8001/short").code, 18)
    equal("curl agrees", curl(here, "-o", "g", "http://127.0.0.1:8001/short").code, 18)


@case("rootless: upload through slirp")
def upload(lab):
    served(lab)
    result = get(lab, "-sS", "-T", "www/10M.bin", "http://10.0.2.2/up/f.bin", seconds=60)
    hold("tern get -T", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("up/f.bin")), sha256(lab.path("www/10M.bin")))


@case("rootless: https with a private CA, and exit 60 without it")
def https(lab):
    ca = certificates(lab, ip="10.0.2.2")
    served(lab, tls=True)
    result = get(lab, "-sS", "--cacert", ca, "-o", "f", "https://10.0.2.2/10M.bin", seconds=60)
    hold("tern get", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/10M.bin")))
    result = get(lab, "-sS", "-o", "g", "https://10.0.2.2/1k.bin")
    equal("exit without the CA", result.code, 60)
    hold("nothing written", not os.path.exists(lab.path("g")))


@case("rootless: 50 runs of 50", seconds=150)
def fifty(lab):
    served(lab)
    for i in range(50):
        result = get(lab, "-sS", "-o", "f", "http://10.0.2.2/1k.bin")
        hold(f"run {i + 1}", result.code == 0, result.text())


@case("rootless: an interface needs CAP_NET_RAW, and tern says so")
def no_permission(lab):
    client, _ = lab.pair()
    result = client.run(*PLAIN, world.TERN, "get", "-sS", "--interface", "vA", "--address",
                        "10.77.0.5/24", "http://10.77.0.2/")
    equal("exit", result.code, 45)
    hold("one clear line with what to try", len(result.lines()) == 1 and
         "CAP_NET_RAW" in result.lines()[0], result.text())
