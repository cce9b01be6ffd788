# SPDX-License-Identifier: BSD-2-Clause
"""Certificates that do not hold: exit 60, and not a byte written."""
import os

from case import case
from peers import Tern, certificates, nginx
from world import SERVER, equal, hold, sha256

NAME = ["--resolve", f"lab.test:443:{SERVER}", "--resolve", f"else.test:443:{SERVER}"]


def refused(lab, host, flags, **how):
    client, server = lab.pair()
    ca = certificates(lab, **how)
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server, tls=True)
    flags = [ca if flag == "CA" else flag for flag in flags]
    result = Tern(client).get("-sS", "-o", "f", *NAME, *flags, f"https://{host}/1k.bin")
    equal("exit", result.code, 60)
    hold("nothing written", not os.path.exists(lab.path("f")))
    hold("one clear line", len(result.lines()) == 1, result.text())
    with open(lab.path("access.log")) as log:
        equal("requests that the server saw", log.read(), "")
    # Control: -k takes what was refused, so it was the certificate and nothing else.
    result = Tern(client).get("-sS", "-k", "-o", "f", *NAME, *flags, f"https://{host}/1k.bin")
    equal("with -k", (result.code, result.err), (0, b""))
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/1k.bin")))


@case("certificates: of another host")
def wrong_host(lab):
    refused(lab, "else.test", ["--cacert", "CA"])


@case("certificates: expired")
def expired(lab):
    refused(lab, "lab.test", ["--cacert", "CA"], days=-1)


@case("certificates: self-signed")
def self_signed(lab):
    refused(lab, "lab.test", ["--cacert", "CA"], self_signed=True)


@case("certificates: of a CA that nobody told us to trust")
def unknown_ca(lab):
    refused(lab, "lab.test", [])


@case("control: the right name, day and CA pass")
def control(lab):
    client, server = lab.pair()
    ca = certificates(lab)
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server, tls=True)
    result = Tern(client).get("-sS", "-o", "f", *NAME, "--cacert", ca, "https://lab.test/1k.bin")
    hold("exit 0", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/1k.bin")))
