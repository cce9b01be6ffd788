# SPDX-License-Identifier: BSD-2-Clause
"""Connect, a byte there, a byte back, close; so many a second.

Each run of tern's has an address of its own, so that it meets none of the connections of the last
minute that the kernel at the other end keeps in TIME-WAIT.
"""
from ground import KERNEL, KERNEL_VETH, LAN, TAP, Run
from workloads import Workload


def one(link, *words):
    def run(ground):
        node, host, flags = ground.client, KERNEL_VETH, KERNEL
        if link is not KERNEL:
            node, host, flags = ground.fresh(link)
        told = ground.bench(node, ["conn", *flags, "--seconds", ground.options.seconds, *words,
                                   host])
        return Run(told["connections_per_second"])
    return run


ALL = [
    Workload("connections, adaptive", "veth", "a second", one(LAN), one(KERNEL), must=1.1,
             stretch=1.19),
    Workload("connections, adaptive", "tap", "a second", one(TAP), one(KERNEL), needs_tap=True),
    *[Workload(f"connections, {n} at once", "veth", "a second", one(LAN, "--streams", n),
               one(KERNEL, "--streams", n)) for n in ("8", "64")],
]
