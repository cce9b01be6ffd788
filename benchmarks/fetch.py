# SPDX-License-Identifier: BSD-2-Clause
"""A large page to /dev/null: tern get against curl over the kernel, nginx at the other end."""
import time

import peers
from ground import KERNEL_VETH, LAN, TERN, Run
from workloads import Workload

GIB = 1 << 30


def size(ground):
    return (1 if ground.options.quick else 4) * GIB


def serve(ground):
    """nginx with a file of zeros that takes no room."""
    path = ground.lab.write("www/big", b"")
    with open(path, "r+b") as page:
        page.truncate(size(ground))
    ground.nginx = peers.nginx(ground.lab, ground.server)


def stop(ground):
    ground.stop(ground.nginx)


def timed(ground, command):
    before, began = ground.used(), time.monotonic()
    ground.command(ground.client, command)
    took = time.monotonic() - began
    return Run(8 * size(ground) / took / 1e9, ground.used() - before, size(ground) / 1e9)


def tern_get(ground):
    return timed(ground, [TERN, "get", "-sS", *LAN, "-o", "/dev/null", f"http://{KERNEL_VETH}/big"])


def curl(ground):
    return timed(ground, ["curl", "-sS", "-o", "/dev/null", f"http://{KERNEL_VETH}/big"])


ALL = [Workload("get to /dev/null", "veth", "Gbit/s", tern_get, curl, rival_name="curl", must=0.8,
                stretch=1.0, before=serve, after=stop)]
