#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast is tern get? Against curl over the kernel, on one veth, in turns.

    get_speed.py [--gib N] [--pairs N] [--other PATH]... [--to FILE]

nginx on the kernel (CUBIC) sends a sparse file of so many GiB (4) by sendfile; tern and curl fetch
it to /dev/null (or FILE, removed after each), one after the other, so many times (5). TERN=PATH is
another tern than build/tern, --other names further ones that take part. Printed: Gbit/s of each run
with the processor seconds of the fetching process, the medians, and the median, least and most of
the ratios tern/curl within a round.
Nothing is judged: times are for people.
"""
import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import run  # noqa: E402
import world  # noqa: E402
from peers import nginx, url  # noqa: E402


def fetch(lab, client, program, path, output, size):
    """Gbit/s and processor seconds of one fetch."""
    command = [program, "-q", "-sS"] if program == "curl" else \
        [program, "get", "--interface", "vA", "--address", world.TERN_IP + "/24", "-sS"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = client.run(*command, "-o", output, "-w", "%{speed_download} %{size_download}",
                      url(path), seconds=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    world.hold(program, done.code == 0, done.text())
    speed, got = done.out.split()
    world.equal("bytes", int(got), size)
    if output != "/dev/null":
        os.unlink(lab.path(output))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(speed) * 8 / 1e9, cpu


def measure(lab, options):
    client, server = lab.pair()
    os.makedirs(lab.path("www"))
    with open(lab.path("www/f"), "wb") as sparse:
        sparse.truncate(options.gib << 30)
    nginx(lab, server)
    programs = [world.TERN] + options.other + ["curl"]
    rows = {program: [] for program in programs}
    fetch(lab, client, "curl", "/f", "/dev/null", options.gib << 30)  # into the page cache
    for _ in range(options.pairs):
        for program in programs:
            row = fetch(lab, client, program, "/f", options.to, options.gib << 30)
            rows[program].append(row)
            print(f"{row[0]:6.2f} Gbit/s  {row[1]:5.2f} s of processor  {program}", flush=True)
    for program in programs[:-1]:
        ratios = [a[0] / b[0] for a, b in zip(rows[program], rows["curl"])]
        print(f"{program}: median {statistics.median(r[0] for r in rows[program]):.2f}, curl "
              f"{statistics.median(r[0] for r in rows['curl']):.2f} Gbit/s; ratio "
              f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--other", action="append", default=[], type=os.path.abspath)
    parser.add_argument("--to", default="/dev/null")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    if options.inside:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        lab = world.World(options.inside)
        try:
            measure(lab, options)
        finally:
            lab.close()
        return 0
    folder = tempfile.mkdtemp(prefix="tern-speed-", dir=run.on_disk())
    os.chmod(folder, 0o755)
    try:
        command = ["/usr/bin/python3", os.path.abspath(__file__), "--inside", folder] + arguments
        return subprocess.run(run.own_namespaces(command), check=False).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
