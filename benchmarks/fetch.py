# SPDX-License-Identifier: BSD-2-Clause
"""A large page to /dev/null: tern get against curl over the kernel, nginx at the other end."""
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
        while page.read(1 << 24):       # into the page cache, which the first run would pay for
            pass
    ground.nginx = peers.nginx(ground.lab, ground.server)


def stop(ground):
    ground.stop(ground.nginx)


def timed(ground, command):
    """By the command's own word (speed_download): from the request on, without the 0.3 s in which
    an address is claimed."""
    before = ground.used()
    said = ground.command(ground.client, command + ["-w", "%{speed_download}", "-o", "/dev/null",
                                                    f"http://{KERNEL_VETH}/big"])
    return Run(8 * float(said) / 1e9, ground.used() - before, size(ground) / 1e9)


def tern_get(ground):
    return timed(ground, [TERN, "get", "-sS", *LAN])


def curl(ground):
    return timed(ground, ["curl", "-sS"])


ALL = [Workload("get to /dev/null", "veth", "Gbit/s", tern_get, curl, rival_name="curl", must=0.8,
                stretch=1.0, before=serve, after=stop)]
