# SPDX-License-Identifier: BSD-2-Clause
"""tern against Debian's lwIP, each as the client of the same kernel peer, over a TAP and over a
packet socket. lwIP knows no offloads: on the packet socket the interface's are off for both, and
tern asks for none; on the TAP each takes what it can."""
import os

import bulk
from ground import BUILD, KERNEL_TAP, KERNEL_VETH, LAN, OWN_TAP, OWN_VETH, TAP, Run
from workloads import Workload

PROGRAM = os.path.join(BUILD, "benchmarks", "bench-lwip")


def one(way, link):
    """A run of lwIP's."""
    def run(ground):
        node, device, own, host = (ground.server, "tap:tap0", OWN_TAP, KERNEL_TAP) \
            if link is TAP else (ground.client, "lan:vA", OWN_VETH, KERNEL_VETH)
        told = ground.against([PROGRAM, way, device, own, host, ground.options.seconds], node)
        return Run(told["bits_per_second"] / 1e9, told["cpu_of_both"], told["bytes"] / 1e9)
    return run


def against(way, link, tern_words=(), **rest):
    label = {"recv": "in", "send": "out"}[way]
    return Workload(f"bulk {label} against lwIP", "tap" if link is TAP else "veth, no offloads",
                    "Gbit/s", bulk.one(way, link, *tern_words), one(way, link),
                    rival_name="lwIP", needs_tap=link is TAP, **rest)


ALL = [] if not os.path.exists(PROGRAM) else [
    against("recv", TAP, must=10, stretch=20),
    against("send", TAP, must=10, stretch=20),
    against("recv", LAN, ("--no-offload",), before=bulk.off, after=bulk.on),
    against("send", LAN, ("--no-offload",), before=bulk.off, after=bulk.on),
]
