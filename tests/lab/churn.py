#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An hour of churn against the kernel, in real time, over an impaired link.

    churn.py [--minutes N] [--rate N] [--impair WORDS] [--log FILE]

Two processes of tern's on one veth, each with an address of its own: one calls the kernel, the
other answers the kernel's calls, `rate` connections a second each (100), for so many minutes (60).
Every byte is judged at both ends (tests/churn/churn.h). Sampled each second: the resident memory of
both processes and the stacks' pools. After a warm-up of two minutes, or of half the time, memory
has to stay within 5 % at every sample, and in runs of four minutes and more the pools have to be
flat as far as such small numbers can be (flat.py). FILE keeps the samples. Exit 0 where all of it
held.

The lab's case does the same for a few seconds, and judges the bytes only.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import flat  # noqa: E402
import world  # noqa: E402
from peers import PYTHON  # noqa: E402
from world import SERVER, equal, hold  # noqa: E402

CALLS, ANSWERS = "10.77.0.5", "10.77.0.6"  # tern's two addresses
OTHER = "10.77.0.3"                        # the kernel's second: who calls the one that answers
IMPAIR = "loss 1.5% delay 10ms reorder 1% duplicate 1%"
LIVE = os.path.join(world.TOP, "build", "tests", "churn", "churn_live")
EVERY = 1


def reader(path):
    with open(path, errors="replace") as text:
        return text.read()


def samples_of(path):
    return [json.loads(line) for line in reader(path).splitlines() if line.startswith("{")]


def start(lab, client, server, seconds, rate, impair, every=EVERY):
    """Both pairs under way, kernels and terns: {name: child}; what one says is in the file of its
    name."""
    children = {}

    def child(node, name, *command):
        with open(lab.path(name), "wb") as out, open(lab.path(name + ".err"), "wb") as err:
            children[name] = node.start(*map(str, command), stdin=subprocess.PIPE, stdout=out,
                                        stderr=err)
        return children[name]

    def peer(name, own, whom, calls, lasts):
        child(server, name, PYTHON, os.path.join(HERE, "peer_churn.py"), own, whom, calls, lasts)

    def tern(name, own, whom, calls, lasts):
        running = child(client, name, LIVE, "vA", f"{own}/24", whom, calls, lasts, every, impair)
        world.wait_for(f"{name} to be ready", lambda: running.poll() is not None or
                       "ready" in reader(lab.path(name)))

    peer("kernel answers", SERVER, CALLS, 0, 0)
    world.wait_for("the kernel's listener", lambda: ":7000 " in server.sh("ss", "-Htln"))
    tern("tern calls", CALLS, SERVER, rate, seconds)
    tern("tern answers", ANSWERS, OTHER, 0, 10 * seconds + 600)
    peer("kernel calls", OTHER, ANSWERS, rate, seconds)
    return children


def network(lab):
    client, server = lab.pair(offloads=True)
    server.sh("ip", "address", "add", f"{OTHER}/24", "dev", "vB")
    return client, server


def judge_ends(lab, children, seconds):
    """Every process ended well, and every conversation at both ends."""
    for name in ("tern calls", "kernel calls"):
        judge_end(lab, name, children[name], seconds + 150)
    children["kernel answers"].send_signal(signal.SIGTERM)
    children["tern answers"].stdin.close()
    for name in ("tern answers", "kernel answers"):
        judge_end(lab, name, children[name], 150)


def judge_end(lab, name, child, seconds):
    code = child.wait(timeout=seconds)
    said, words = reader(lab.path(name)), reader(lab.path(name + ".err"))
    hold(name, code == 0, f"exit {code}; {said[-400:]} {words[-300:]}")
    last = samples_of(lab.path(name))[-1]
    talks = last["called"] + last["answered"]
    hold(f"{name}: some conversations", talks > 0)
    equal(f"{name}: failed", last["failed"], 0)
    equal(f"{name}: done", last["done"], talks)
    lab.note(f"{name}: {talks} conversations" + (
        f", {last['sent_again']} segments sent again" if "sent_again" in last else ""))


def keep_samples(lab, path):
    if path is None:
        return
    with open(path, "a") as log:
        for name in ("tern calls", "tern answers"):
            for sample in samples_of(lab.path(name)):
                log.write(json.dumps({"who": name, **sample}) + "\n")


def inside(lab, options):
    seconds = int(options.minutes * 60)
    client, server = network(lab)
    children = start(lab, client, server, seconds, options.rate, options.impair)
    try:
        judge_ends(lab, children, seconds)
    finally:
        keep_samples(lab, options.log)
    words, lines = [], []
    for name in ("tern calls", "tern answers"):
        samples = samples_of(lab.path(name))
        lines += flat.told(name, samples, seconds)
        words += flat.judge(name, samples, seconds)
    print("\n".join(lines + lab.notes + words))
    hold("memory is flat", not words)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--impair", default=IMPAIR)
    parser.add_argument("--log")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is None:
        if options.log:
            options.log = os.path.abspath(options.log)
        folder = tempfile.mkdtemp(prefix="tern-churn-")
        flags = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *flags, "--mount", "--net", "--ipc", "--pid", "--fork",
                   "--kill-child", "--mount-proc", "--", PYTHON, os.path.abspath(__file__),
                   "--inside", folder, "--minutes", str(options.minutes), "--rate",
                   str(options.rate), "--impair", options.impair]
        try:
            return subprocess.call(command + (["--log", options.log] if options.log else []))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    for command in (["mount", "-t", "tmpfs", "tmpfs", "/run"], ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)
    lab = world.World(options.inside, True)
    try:
        inside(lab, options)
    except world.Failed as why:
        print(f"FAIL {why}")
        return 1
    finally:
        lab.close()
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
