#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Several stacks in one process, each on a queue of its own of one link: what each of them costs.

    benchmarks/queues.py [--rounds N] [--seconds N] [--streams N] [--json FILE]

1, 2 and 4 stacks take turns, on packet sockets (PACKET_FANOUT, veth) and on a TAP
(IFF_MULTI_QUEUE); bulk in, and messages of 64 bytes and their answers; the kernel's TCP is the
peer. The figure is processor time of the stacks' threads: for a GB, and for a segment. Rates are
told, but on two processors, which the peer needs as well, they cannot grow. BUILD=FOLDER measures
another build than build-bench.

In namespaces of its own, as root or as a plain user who may make them.
"""
import argparse
import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tests", "lab")]
sys.dont_write_bytecode = True

import alone  # noqa: E402
import ground  # noqa: E402
import world  # noqa: E402

PROGRAM = os.path.join(ground.BUILD, "benchmarks", "queues", "queues")
PORT = "5201"
COUNTS = (1, 2, 4)
# kind, streams of all stacks together
KINDS = (("bulk", 4), ("messages", 256))


def one(place, link, count, kind, streams, seconds):
    """A run: (ns a segment, seconds a GB, GB a second, segments a second), all stacks together."""
    node, peer, flags = place.fresh(ground.LAN if link == "veth" else ground.TAP)
    child = place.peer("--port", PORT)
    try:
        told = json.loads(place.command(node, [
            PROGRAM, flags[1], flags[3], peer, PORT, str(count), kind, str(streams // count),
            str(seconds)]))
    finally:
        place.stop(child)
    total = {key: sum(row[key] for row in told) for key in ("bytes", "segments", "cpu_ns")}
    if min(row["segments"] for row in told) == 0:
        raise world.Failed(f"a stack got nothing: {told}")
    return (total["cpu_ns"] / total["segments"], total["cpu_ns"] / total["bytes"],
            total["bytes"] / 1e9 / seconds, total["segments"] / seconds)


def rows(place, options):
    for link in ("veth", "tap"):
        for kind, streams in KINDS:
            runs = {count: [] for count in COUNTS}
            for i in range(options.rounds):
                for count in COUNTS if i % 2 == 0 else COUNTS[::-1]:
                    runs[count].append(one(place, link, count, kind,
                                           streams * options.streams, options.seconds))
            for count in COUNTS:
                figure = 1 if kind == "bulk" else 0     # a GB of the one, a segment of the other
                yield {"link": link, "kind": kind, "stacks": count, "streams": streams,
                       "runs": runs[count],
                       "ratio": statistics.median(a[figure] / b[figure] for a, b in
                                                  zip(runs[count], runs[1]))}


def told(lab, options):
    place = ground.Ground(lab, options)
    done = []
    if place.has_tap:
        place.server.sh("ip", "link", "delete", "tap0")
        place.server.sh("ip", "tuntap", "add", "tap0", "mode", "tap", "multi_queue")
        place.server.sh("ip", "link", "set", "tap0", "up")
        place.server.address("tap0", f"{ground.KERNEL_TAP}/24")
    print("link  kind      stacks  ns/segment  CPU s/GB  GB/s  segments/s  of one stack's")
    for row in rows(place, options):
        middle = [statistics.median(column) for column in zip(*row["runs"])]
        print(f"{row['link']:5} {row['kind']:9} {row['stacks']:6}  {middle[0]:10.0f}"
              f"  {middle[1]:8.3f}  {middle[2]:4.2f}  {middle[3]:10.0f}"
              f"  {row['ratio']:.2f}", flush=True)
        done.append(row)
    return done


def main(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--streams", type=int, default=1, help="so many times as many")
    return alone.main(__file__, words, parser, told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
