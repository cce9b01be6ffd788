# SPDX-License-Identifier: BSD-2-Clause
"""tern serve against curl, wget, wrk and the kernel's sockets, at the other end of a cable."""
import os
import signal

import world
from case import case
from peers import Tern, curl
from world import TERN_IP, equal, hold, sha256


def serve(lab, client, *arguments, port=80, root="www"):
    """tern serve of www/, once it listens; its access log is serve.err."""
    os.makedirs(lab.path(root), exist_ok=True)
    with open(lab.path("serve.err"), "wb") as err:
        child = Tern(client).start("serve", "-p", port, *arguments, lab.path(root), stderr=err)

    def ready():
        with open(lab.path("serve.err"), errors="replace") as words:
            return child.poll() is not None or "^C ends it" in words.read()
    world.wait_for("tern serve to listen", ready)
    hold("it listens", child.poll() is None, said(lab))
    return child


def said(lab):
    with open(lab.path("serve.err"), errors="replace") as words:
        return words.read()


def ended(lab, child):
    """^C, and a good end."""
    equal("exit status after ^C", lab.stop(child, signal.SIGINT), 0)


def url(path, port=80):
    return f"http://{TERN_IP}{'' if port == 80 else f':{port}'}{path}"


@case("serve: curl gets a page, a file and what is not there", programs=["curl"])
def serve_curl(lab):
    client, server = lab.pair()
    lab.write("www/index.html", "<p>hello</p>\n")
    big = lab.noise("www/big.bin", 3_000_000)
    child = serve(lab, client)
    equal("the index", curl(server, "-i", url("/")).out.split(b"\r\n\r\n", 1)[1], b"<p>hello</p>\n")
    result = curl(server, "-o", "got", url("/big.bin"))
    hold("curl", result.code == 0, result.text())
    equal("the file", sha256(lab.path("got")), sha256(big))
    equal("nothing there", curl(server, "-f", url("/none")).code, 22)
    ended(lab, child)
