#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lab: real programs and the real kernel as tern's peers, in namespaces made for each case.

    run.py              every case
    run.py WORDS...     the cases whose names contain one of the words
    run.py --list       their names
    run.py --long       the long transfers at full length
    run.py --keep       leave each case's folder (captures, logs) for reading

As root, or as a plain user who may make user namespaces; nothing needs more, and no traffic leaves
the namespaces. TERN=PATH tests another tern than build/tern. One line a case: ok, FAIL or skip.
"""
import concurrent.futures
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import world  # noqa: E402
from case import CASES  # noqa: E402

SECONDS = 120
SECONDS_LONG = 1200
say = threading.Lock()


def load():
    for name in sorted(os.listdir(HERE)):
        if name.startswith("cases_") and name.endswith(".py"):
            importlib.import_module(name[:-3])


def own_namespaces(command):
    """The command in a process table, mounts and network of its own."""
    flags = ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        flags = ["--user", "--map-root-user"] + flags
    return ["unshare"] + flags + ["--"] + command


def refusal():
    """Why no namespaces can be made here; empty where they can."""
    probe = ["sh", "-c", "mount -t tmpfs tmpfs /run && ip netns add a && ip netns del a"]
    try:
        done = subprocess.run(own_namespaces(probe), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stdout.strip() or "unshare failed")


def left_behind():
    """Processes in this case's process table besides its own, and namespaces still named."""
    own = {"1", str(os.getpid())}
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if pid in own:
            continue
        try:
            with open(f"/proc/{pid}/stat") as stat:
                text = stat.read()
        except OSError:
            continue
        if text.rsplit(")", 1)[1].split()[0] not in "ZX":
            left.append(text.split("(")[1].split(")")[0])
    return left


def inside(name, folder, options):
    """Run one case, here and now: what the process in the namespaces does."""
    case = CASES[name]
    for command in (["mount", "-t", "tmpfs", "tmpfs", "/run"], ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)
    lab = world.World(folder, "--long" in options)
    verdict = f"ok   {name}"
    try:
        for program in case.programs:
            if not shutil.which(program):
                raise world.Skipped(f"{program} is not installed")
        case.run(lab)
    except world.Skipped as why:
        verdict = f"skip {name}: {why}"
    except (world.Failed, subprocess.TimeoutExpired) as why:
        place = traceback.extract_tb(why.__traceback__)
        at = next((f for f in reversed(place) if "cases_" in f.filename), place[-1])
        verdict = f"FAIL {name}: {why} ({os.path.basename(at.filename)}:{at.lineno})"
    except Exception:  # noqa: BLE001 - a broken case is a failed case
        verdict = f"FAIL {name}: the case itself broke\n{traceback.format_exc()}"
    lab.close()
    left = left_behind()
    if left and verdict.startswith("ok"):
        verdict = f"FAIL {name}: left running: {', '.join(left)}"
    print(verdict)
    for note in lab.notes:
        print(f"note {name}: {note}")
    return 1 if verdict.startswith("FAIL") else 0


def on_disk():
    """Where the case's files go: a gigabyte does not belong in memory."""
    with open("/proc/mounts") as mounts:
        kinds = {line.split()[1]: line.split()[2] for line in mounts}
    return "/var/tmp" if kinds.get(tempfile.gettempdir()) == "tmpfs" else None


RUNNING = {}  # folder of a case -> its process
starting = threading.RLock()  # held for good once we are told to stop


def interrupted(_number, _frame):
    """^C: nothing of the cases under way stays behind, and no other begins."""
    starting.acquire()
    for folder, child in list(RUNNING.items()):
        child.kill()
        child.wait()
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(130)


def outside(name, options):
    """Run one case in namespaces of its own, and pass on what it says."""
    with starting:
        folder = tempfile.mkdtemp(prefix="tern-lab-", dir=on_disk())
        os.chmod(folder, 0o755)
    seconds = SECONDS_LONG if "--long" in options else CASES[name].seconds or SECONDS
    command = ["/usr/bin/python3", os.path.abspath(__file__), "--inside", name, folder] + options
    with starting:
        child = subprocess.Popen(own_namespaces(command), stdin=subprocess.DEVNULL, cwd=folder,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 errors="replace")
        RUNNING[folder] = child
    try:
        text, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        text = f"FAIL {name}: not done after {seconds} s\n" + child.communicate()[0]
    lines = text.splitlines()
    if not any(line.startswith(("ok   ", "FAIL ", "skip ")) for line in lines):
        lines.insert(0, f"FAIL {name}: said nothing, status {child.returncode}")
    verdict = [line for line in lines if line.startswith(("ok   ", "FAIL ", "skip "))]
    rest = [line for line in lines if line not in verdict]
    with say:
        print("\n".join(verdict[:1] + rest + verdict[1:]))
        sys.stdout.flush()
    if "--keep" in options:
        print(f"note {name}: kept {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    del RUNNING[folder]
    return 1 if any(line.startswith("FAIL") for line in verdict) else 0


def peers_of_the_build():
    """Servers that ./check unpacked there instead of installing them."""
    peers = os.path.join(os.path.dirname(HERE), "..", "build", "peers", "usr")
    return [os.path.normpath(os.path.join(peers, place)) for place in ("sbin", "bin")]


def main(arguments):
    options = [a for a in arguments if a in ("--long", "--keep", "--list", "--inside", "--serial")]
    words = [a for a in arguments if a not in options]
    for name in {"TERN", "BUMP"} & set(os.environ):     # cases run in folders of their own
        os.environ[name] = os.path.abspath(os.environ[name])
    load()
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *peers_of_the_build()])
    if "--inside" in options:
        return inside(words[0], words[1], options)
    if set(a for a in words if a.startswith("-")):
        print(__doc__.strip())
        return 2
    chosen = [c for c in CASES.values() if not words or any(w in c.name for w in words)]
    if not chosen:
        print(f"run.py: no case has {' or '.join(words)} in its name; --list tells them",
              file=sys.stderr)
        return 2
    if "--list" in options:
        print("\n".join(c.name for c in chosen))
        return 0
    why = refusal()
    if why:
        for case in chosen:
            print(f"skip {case.name}: no namespaces here: {why}")
        return 0
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(1 if "--serial" in options else 2) as pool:
        waiting = [pool.submit(outside, c.name, options) for c in chosen if not c.alone]
        failed += sum(future.result() for future in waiting)
    failed += sum(outside(c.name, options) for c in chosen if c.alone)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
