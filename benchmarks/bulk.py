# SPDX-License-Identifier: BSD-2-Clause
"""Bulk, in (recv) and out (send): one stream and many, offloads on and off, small writes."""
from ground import KERNEL, KERNEL_TAP, KERNEL_VETH, LAN, TAP, Run
from workloads import Workload


def one(way, link, *words):
    """A run of recv or send on a link, in Gbit/s."""
    def run(ground):
        node, host = {LAN: (ground.client, KERNEL_VETH), TAP: (ground.server, KERNEL_TAP),
                      KERNEL: (ground.client, KERNEL_VETH)}[link]
        told = ground.bench(node, [way, *link, "--seconds", ground.options.seconds, *words, host])
        return Run(told["bits_per_second"] / 1e9, told["cpu_of_both"], told["bytes"] / 1e9)
    return run


def bulk(way, link, name, words=(), tern_words=(), **rest):
    """tern on a link against the kernel over veth, which is the kernel's best."""
    label = {"recv": "in", "send": "out"}[way]
    return Workload(f"bulk {label}{name}", "tap" if link is TAP else "veth", "Gbit/s",
                    one(way, link, *words, *tern_words), one(way, KERNEL, *words),
                    needs_tap=link is TAP, **rest)


def off(ground):
    ground.offloads(False)


def on(ground):
    ground.offloads(True)


ALL = [
    bulk("recv", LAN, "", must=0.95, stretch=1.0),
    bulk("send", LAN, "", must=0.95, stretch=1.05),
    bulk("recv", TAP, "", must=1.2, stretch=1.4),
    bulk("send", TAP, "", must=1.2, stretch=1.5),
    bulk("recv", TAP, ", copied", tern_words=("--copy",)),
    bulk("recv", LAN, ", offloads off", before=off, after=on,
         must=1.0),
    bulk("send", LAN, ", offloads off", before=off, after=on,
         must=1.0),
    bulk("recv", LAN, ", 8 streams", words=("--streams", "8"), must=1.0),
    bulk("send", LAN, ", 8 streams", words=("--streams", "8"), must=1.0),
    bulk("recv", LAN, ", 64 streams", words=("--streams", "64")),
    bulk("send", LAN, ", 64 streams", words=("--streams", "64")),
    bulk("send", LAN, ", writes of 1 B", words=("--message", "1")),
    bulk("send", LAN, ", writes of 1 KB", words=("--message", "1K")),
    bulk("send", LAN, ", writes of 1 MB", words=("--message", "1M")),
]
