#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tern serve against nginx on the kernel's TCP: wrk, 16 connections kept alive, small files.

    benchmarks/serve.py [--quick] [--json FILE]

In namespaces of its own: wrk's kernel on one end of a veth pair; on the other tern with an address
of its own, and nginx (one process, as tern is one thread) over the kernel with another. Neither
writes an access log. tern and nginx alternate; each run of wrk answers with its requests a second.

run(quick) returns objects like those of the JSON in docs/internals/benchmarks.md.
"""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "lab"))
sys.dont_write_bytecode = True

import peers  # noqa: E402
import world  # noqa: E402

SIZES = (1024, 102400)
CONNECTIONS = 16

NGINX_SITE = "listen {address}:80; root {folder}/www;"


def start_tern(lab, node):
    log = lab.path("tern.log")
    with open(log, "wb") as out:
        child = peers.Tern(node).start("serve", "--quiet", "--requests", 4000000000,
                                       lab.path("www"), stderr=out)

    def ready():
        with open(log, errors="replace") as words:
            return child.poll() is not None or "^C ends it" in words.read()
    world.wait_for("tern serve", ready)
    return child


def wrk(lab, node, address, size, seconds):
    """Requests a second, all of them answered in full."""
    done = node.run("wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s",
                    f"http://{address}/{size}.bin", seconds=seconds + 20)
    text = done.out.decode()
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if done.code != 0 or found is None or "Socket errors" in text or "Non-2xx" in text:
        raise world.Failed(f"wrk: {done.text()}\n{text}")
    return float(found.group(1))


def measure(lab, pairs, seconds):
    server, client = lab.pair()     # the lab's "client" is where tern is
    for size in SIZES:
        lab.noise(f"www/{size}.bin", size)
    peers.nginx(lab, server, world.HOST_IP, site=NGINX_SITE, access_log="off")
    start_tern(lab, server)
    results = []
    for size in SIZES:
        tern, rival = [], []
        for address in (world.TERN_IP, world.HOST_IP):
            wrk(lab, client, address, size, 1)      # warm
        for _ in range(pairs):
            tern.append(wrk(lab, client, world.TERN_IP, size, seconds))
            rival.append(wrk(lab, client, world.HOST_IP, size, seconds))
        ratio = statistics.median(a / b for a, b in zip(tern, rival))
        results.append({"workload": f"serve {size // 1024} KiB, {CONNECTIONS} connections",
                        "link": "lan over veth", "unit": "requests/s", "better": "higher",
                        "tern": tern, "rival": rival, "rival_name": "nginx over the kernel",
                        "ratio": round(ratio, 3)})
    return results


def inside(pairs, seconds):
    """In the namespaces: the objects as JSON on standard output."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        lab = world.World(folder)
        try:
            json.dump(measure(lab, pairs, seconds), sys.stdout)
        finally:
            lab.close()


def run(quick=False):
    flags = ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        flags = ["--user", "--map-root-user"] + flags
    pairs, seconds = (2, 1) if quick else (7, 2)
    done = subprocess.run(["unshare"] + flags + ["--", peers.PYTHON, os.path.abspath(__file__),
                           "--inside", str(pairs), str(seconds)], stdout=subprocess.PIPE, text=True,
                          check=True, timeout=600)
    return json.loads(done.stdout)


def main(arguments):
    if arguments[:1] == ["--inside"]:
        inside(int(arguments[1]), int(arguments[2]))
        return
    results = run("--quick" in arguments)
    for r in results:
        print(f"{r['workload']}: {r['ratio']:.2f} of {r['rival_name']} "
              f"(medians {statistics.median(r['tern']):,.0f} and "
              f"{statistics.median(r['rival']):,.0f} {r['unit']})")
    if "--json" in arguments:
        with open(arguments[arguments.index("--json") + 1], "w") as out:
            json.dump(results, out, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
