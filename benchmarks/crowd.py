#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A million connections of the kernel's to one stack of tern's, over veth.

    benchmarks/crowd.py [--connections N] [--rounds N] [--messages N] [--json FILE]

Opens 10 connections, then a hundredth of N, then N, and at each lets some of them exchange messages
of 64 bytes: tells bytes an idle connection (what the process's resident memory grew by), how long
connecting took, and what a segment costs tern's thread, its calls of the kernel included: few (10
of 10), some (N/100 of N/100), many (N/100 of N), lone (10 of N). Ratios are of the median of "few"
at the beginning; nothing can be closed between, so that rounds cannot take turns.

A million takes some 5 GiB of the kernel's memory. In namespaces of its own, as root or as a plain
user who may make them and hold so many descriptors. BUILD=FOLDER measures another build than
build-bench.
"""
import argparse
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "lab")]
sys.dont_write_bytecode = True

import alone  # noqa: E402
from crowd_world import Crowd  # noqa: E402

FOLDER = os.path.join(os.environ.get("BUILD", os.path.join(TOP, "build-bench")), "benchmarks",
                      "crowd")


def costs(crowd, active, options):
    """ns a segment received, in each round."""
    told = []
    crowd.chat(active, max(active, options.messages // 10))  # warm
    for _ in range(options.rounds):
        moved = crowd.chat(active, max(active, options.messages))
        told.append(moved["cpu_ns"] / moved["segments_in"])
    return told


def measure(crowd, options):
    total, tenth = options.connections, max(options.connections // 100, 10)
    done = {"connections": total}
    crowd.connect(10)
    few = done["few"] = costs(crowd, 10, options)
    crowd.connect(tenth)
    done["some"] = costs(crowd, tenth, options)
    before = crowd.figures()
    done["open_seconds"] = crowd.connect(total)
    after = crowd.figures()
    done["idle_bytes"] = (after["rss_bytes"] - before["rss_bytes"]) / (total - tenth)
    done["open_cpu_us"] = (after["cpu_ns"] - before["cpu_ns"]) / 1e3 / (total - tenth)
    done["many"] = costs(crowd, tenth, options)
    done["lone"] = costs(crowd, 10, options)
    talked = crowd.figures()
    done["talked_bytes"] = (talked["rss_bytes"] - before["rss_bytes"]) / (total - tenth)
    done["last"] = talked
    for name in ("some", "many", "lone"):
        done[name + "_ratio"] = statistics.median(done[name]) / statistics.median(few)
    return done


def say(done):
    total = done["connections"]
    print(f"{total} connections, {done['last']['resting']} of them resting at the end")
    print(f"opened in {done['open_seconds']:.1f} s; {done['open_cpu_us']:.1f} us of tern's thread "
          "each")
    print(f"{done['idle_bytes']:.0f} bytes an idle connection, {done['talked_bytes']:.0f} once "
          "some had talked")
    for name, of in (("few", "10 of 10"), ("some", f"{total // 100} of {total // 100}"),
                     ("many", f"{total // 100} of {total}"), ("lone", f"10 of {total}")):
        ratio = f", {done[name + '_ratio']:.2f} of few" if name != "few" else ""
        print(f"{name:5} {of:20} {statistics.median(done[name]):7.0f} ns a segment{ratio}")
    print(f"sent again {done['last']['retransmits']}, found no block {done['last']['asleep']}, "
          f"lost before tern {done['last']['dropped_in']}, cookies {done['last']['cookies']}")


def told(lab, options):
    done = measure(Crowd(lab, FOLDER, options.connections), options)
    say(done)
    return done


def main(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--connections", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=200000)
    return alone.main(__file__, words, parser, told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
