# SPDX-License-Identifier: BSD-2-Clause
"""Round trips: the median of a message there and one of the same length back."""
from ground import KERNEL, KERNEL_TAP, KERNEL_VETH, LAN, TAP, Run
from workloads import Workload


def one(link, wait, *words):
    """A run, both ends waiting the same way; the median in microseconds."""
    def run(ground):
        node, host = {LAN: (ground.client, KERNEL_VETH), TAP: (ground.server, KERNEL_TAP),
                      KERNEL: (ground.client, KERNEL_VETH)}[link]
        told = ground.bench(node, ["rr", *link, wait, "--seconds", ground.options.seconds, *words,
                                   host], peer_words=(wait,), pin=wait == "--spin")
        return Run(told["latency_us"]["p50"])
    return run


def trip(link, wait, name, words=(), **rest):
    return Workload(f"round trip {name}", "tap" if link is TAP else "veth", "us p50",
                    one(link, wait, *words), one(KERNEL, wait, *words), better="lower",
                    needs_tap=link is TAP, **rest)


ALL = [
    trip(LAN, "--spin", "1 B, both spinning", must=0.85, stretch=0.80),
    trip(TAP, "--spin", "1 B, both spinning", must=0.75, stretch=0.68),
    trip(LAN, "--block", "1 B, both blocking", must=1.0, stretch=0.9),
    trip(TAP, "--block", "1 B, both blocking"),
    trip(LAN, "--adaptive", "1 B, adaptive"),
    trip(LAN, "--adaptive", "1 B, adaptive, 8 at once", words=("--streams", "8")),
    trip(LAN, "--adaptive", "1 B, adaptive, 64 at once", words=("--streams", "64")),
    trip(LAN, "--adaptive", "1 KB, adaptive", words=("--message", "1K")),
    trip(LAN, "--adaptive", "64 KB, adaptive", words=("--message", "64K")),
    trip(LAN, "--adaptive", "1 MB, adaptive", words=("--message", "1M")),
]
