# SPDX-License-Identifier: BSD-2-Clause
"""Connect, a byte there, a byte back, close; so many a second."""
from ground import KERNEL, KERNEL_TAP, KERNEL_VETH, LAN, TAP, Run
from workloads import Workload


def one(link, *words):
    def run(ground):
        node, host = {LAN: (ground.client, KERNEL_VETH), TAP: (ground.server, KERNEL_TAP),
                      KERNEL: (ground.client, KERNEL_VETH)}[link]
        told = ground.bench(node, ["conn", *link, "--seconds", ground.options.seconds, *words,
                                   host])
        return Run(told["connections_per_second"])
    return run


ALL = [
    Workload("connections, adaptive", "veth", "a second", one(LAN), one(KERNEL), must=1.1,
             stretch=1.19),
    Workload("connections, adaptive", "tap", "a second", one(TAP), one(KERNEL), needs_tap=True),
    Workload("connections, 16 at once", "veth", "a second", one(LAN, "--streams", "16"),
             one(KERNEL, "--streams", "16")),
]
