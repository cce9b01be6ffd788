# SPDX-License-Identifier: BSD-2-Clause
"""A run of the command, recorded at the core's interface, replays bit for bit on a fresh stack."""
import os

import world
from case import case
from cases_tools import echo_server, say_to_listener
from peers import Tern, nginx, url
from world import SERVER, Skipped, equal, hold, sha256

REPLAYS = 10
IMPAIR = "loss 1% delay 3ms jitter 1ms reorder 2% duplicate 1%"


def built(name):
    """A program of tests/replay, which stands beside the tern that is tested."""
    path = os.path.join(os.path.dirname(world.TERN), "tests", "replay", name)
    if not os.path.exists(path):
        raise Skipped(f"{path} is not built")
    return path


class Recording(Tern):
    """tern, with all that its core hears and says written down."""

    def __init__(self, node, journal, **options):
        super().__init__(node, **options)
        self.journal = journal

    def command(self, verb, *arguments):
        plain = super().command(verb, *arguments)
        return ["env", "TERN_JOURNAL=" + self.journal, built("tern_recording")] + plain[1:]


def replay(lab, journal, *flags):
    return lab.run([built("replay"), *flags, journal])


def replays(lab, journal):
    """Ten of ten; then what must be noticed: another seed, and any byte that is another one."""
    for n in range(REPLAYS):
        result = replay(lab, journal)
        said = result.out.decode()
        hold(f"replay {n + 1}", result.code == 0 and said.startswith("the same"), said)
    lab.note(said.strip())
    equal("another seed makes a difference", replay(lab, journal, "-s").code, 1)
    with open(journal, "rb") as file:
        whole = bytearray(file.read())
    for part in range(1, 10):
        at = len(whole) * part // 10
        whole[at] ^= 1
        equal(f"byte {at} flipped", replay(lab, lab.write("flipped", bytes(whole))).code, 1)
        whole[at] ^= 1


@case("replay: tern get over a bad network, ten times of ten")
def replay_get(lab):
    client, server = lab.pair()
    nginx(lab, server)
    whole = lab.noise("www/big.bin", 5_000_000)
    journal = lab.path("get.journal")
    tern = Recording(client, journal, flags=["--impair", IMPAIR])
    result = client.run(*tern.command("get", "-sS", "-o", lab.path("f"), url("/big.bin")))
    hold("tern get", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("f")), sha256(whole))
    replays(lab, journal)


@case("replay: tern ping, and a connection accepted by tern nc -l")
def replay_asked(lab):
    client, server = lab.pair()
    journal = lab.path("ping.journal")
    result = client.run(*Recording(client, journal).command("ping", "-c", "2", SERVER))
    hold("tern ping", result.code == 0, result.text())
    replays(lab, journal)
    journal = lab.path("listen.journal")
    say_to_listener(lab, server, Recording(client, journal))
    replays(lab, journal)


@case("replay: tern nc, both ways at once, ten times of ten")
def replay_nc(lab):
    client, server = lab.pair()
    echo_server(lab, server)
    data = os.urandom(2_000_000)
    journal = lab.path("nc.journal")
    tern = Recording(client, journal)
    result = client.run(*tern.command("nc", "-N", SERVER, 7000), stdin=data)
    hold("tern nc", result.code == 0, result.text())
    hold("the echo is what was said", result.out == data, f"{len(result.out)} bytes")
    replays(lab, journal)
