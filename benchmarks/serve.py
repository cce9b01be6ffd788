# SPDX-License-Identifier: BSD-2-Clause
"""tern serve against nginx on the kernel's TCP: wrk, 16 connections kept alive, small files.

Both stand in the client's node, tern with an address of its own and nginx (one process, as tern is
one thread) with the kernel's; wrk's kernel is at the other end of the veth pair. Neither writes an
access log. Each run of wrk answers with its requests a second, all of them answered in full.
"""
import re
import shutil

import peers
import world
from ground import TERN, Run
from workloads import Workload

SIZES = (1024, 102400)
CONNECTIONS = 16

NGINX_SITE = "listen {address}:80; root {folder}/www;"


def start_nginx(ground):
    return peers.nginx(ground.lab, ground.client, world.HOST_IP, site=NGINX_SITE, access_log="off")


def start_tern(ground):
    log = ground.lab.path("tern.log")
    with open(log, "wb") as out:
        child = ground.client.start(TERN, "serve", "--interface", "vA", "--address",
                                    f"{world.TERN_IP}/24", "--quiet", "--requests", "4000000000",
                                    ground.lab.path("www"), stderr=out)

    def ready():
        with open(log, errors="replace") as words:
            return child.poll() is not None or "^C ends it" in words.read()
    world.wait_for("tern serve", ready)
    return child


def before(size):
    def both(ground):
        if not shutil.which("nginx") or not shutil.which("wrk"):
            raise world.Skipped("nginx and wrk are needed")
        ground.lab.noise(f"www/{size}.bin", size)
        ground.servers = [start_nginx(ground), start_tern(ground)]
        for address in (world.TERN_IP, world.HOST_IP):      # warm
            wrk(ground, address, size, 1)
    return both


def after(ground):
    for child in getattr(ground, "servers", []):
        ground.stop(child)
    ground.servers = []


def wrk(ground, address, size, seconds):
    done = ground.server.run("wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s",
                             f"http://{address}/{size}.bin", seconds=seconds + 20)
    text = done.out.decode()
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if done.code != 0 or found is None or "Socket errors" in text or "Non-2xx" in text:
        raise world.Failed(f"wrk: {done.text()}\n{text}")
    return Run(float(found.group(1)))


def of(address, size):
    def run(ground):
        return wrk(ground, address, size, max(1, round(float(ground.options.seconds))))
    return run


ALL = [Workload(f"serve {size // 1024} KiB, keep-alive", "veth", "requests/s",
                of(world.TERN_IP, size), of(world.HOST_IP, size), rival_name="nginx", must=1.0,
                stretch=2, before=before(size), after=after)
       for size in SIZES]
