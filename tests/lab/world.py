# SPDX-License-Identifier: BSD-2-Clause
"""A small network of namespaces for one case: nodes, cables, bridges, and what runs on them.

A case runs in namespaces of its own (run.py made them): its own process table, mounts and
network. All that it starts dies with it, and nothing of it is seen outside. Inside, each node is
one more network namespace, entered with nsenter.
"""
import hashlib
import os
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TERN = os.environ.get("TERN", os.path.join(TOP, "build", "tern"))
SERVER, TERN_IP, HOST_IP = "10.77.0.2", "10.77.0.5", "10.77.0.9"
GATEWAY, OTHER_IP = "10.77.0.1", "10.77.0.3"


class Failed(Exception):
    """What had to hold did not."""


class Skipped(Exception):
    """This machine lacks what the case needs."""


def hold(what, truth, detail=""):
    if not truth:
        raise Failed(f"{what}{': ' if detail else ''}{detail}")


def equal(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}: {got!r}, not {wanted!r}")


def wait_for(what, condition, seconds=10.0):
    """Poll until condition() is true; what it returned."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise Failed(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.02)


def unmoved(lab, node, names, act, rounds=3):
    """Do something that must not move counters of a node. On a machine that is busy with other
    things the kernel's timers fire now and then, and frames overtake each other between
    processors, whoever the peer is; so a round is excused twice, and noted. What a stack does wrong
    by itself it does in every round."""
    for i in range(rounds):
        before = [node.counter(name) for name in names]
        act()
        after = [node.counter(name) for name in names]
        if after == before:
            return
        lab.note(f"round {i + 1} moved {', '.join(names)} by "
                 f"{[b - a for a, b in zip(before, after)]}")
    raise Failed(f"{', '.join(names)} moved in each of {rounds} rounds, the last time by "
                 f"{[b - a for a, b in zip(before, after)]}")


def one_processor():
    """Keep this case and all that it starts on one processor, where frames on a veth stay in
    order: two that send at once on two processors may overtake each other."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as data:
        for block in iter(lambda: data.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Result:
    """How a command ended, and what it said."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def text(self):
        return f"exit {self.code}; {self.err.decode(errors='replace').strip()[-600:]}"

    def lines(self):
        return [line for line in self.err.decode(errors="replace").splitlines() if line.strip()]


class Node:
    """One network namespace."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        world.sh("ip", "netns", "add", name)
        self.sh("ip", "link", "set", "lo", "up")
        # Addresses that nobody asked for would only add noise to captures and counters.
        self.sysctl("net/ipv6/conf/all/disable_ipv6", 1)
        self.sysctl("net/ipv6/conf/default/disable_ipv6", 1)

    def enter(self, command):
        return ["nsenter", f"--net=/run/netns/{self.name}", "--"] + list(command)

    def sh(self, *command):
        return self.world.sh(*self.enter(command))

    def sysctl(self, key, value):
        path = "/proc/sys/" + key
        self.sh("sh", "-c", f"[ ! -e {path} ] || echo {value} > {path}")

    def start(self, *command, **options):
        return self.world.start(self.enter(command), **options)

    def run(self, *command, **options):
        return self.world.run(self.enter(command), **options)

    def address(self, interface, cidr, route=""):
        """An address; route: words for its connected route, such as `initcwnd 100`. Congestion
        control is always CUBIC's: with BBR over veth the kernel hobbles itself."""
        self.sh("ip", "address", "add", cidr, "dev", interface)
        net = ".".join(cidr.split(".")[:3]) + ".0/" + cidr.split("/")[1]
        self.sh("ip", "route", "replace", net, "dev", interface, "src", cidr.split("/")[0],
                "congctl", "cubic", *route.split())

    def offloads(self, interface, on):
        state = "on" if on else "off"
        self.sh("ethtool", "-K", interface, "tx", state, "tso", state, "gso", state, "gro", state)

    def counter(self, name):
        """A counter as nstat names it."""
        text = self.sh("nstat", "-asz", name)
        for line in text.splitlines():
            if line.startswith(name + " "):
                return int(line.split()[1])
        raise Failed(f"no counter {name}")

    def states(self):
        """The TCP sockets of this node that neither listen nor wait out their time."""
        text = self.sh("ss", "-Htan", "state", "all")
        return [line for line in text.splitlines()
                if line.split()[0] not in ("LISTEN", "UNCONN", "TIME-WAIT")]

    def mac(self, interface):
        text = self.sh("ip", "-o", "link", "show", interface)
        return text.split("link/ether ")[1].split()[0]

    def neighbours(self):
        """{address: MAC} of what this node believes."""
        rows = [line.split() for line in self.sh("ip", "-4", "neigh", "show").splitlines()]
        return {row[0]: row[row.index("lladdr") + 1] for row in rows if "lladdr" in row}


class World:
    """Everything of one case. folder: its own, removed afterwards."""

    def __init__(self, folder, long_runs=False):
        self.folder, self.long_runs = folder, long_runs
        self.children = []
        self.notes = []

    # Programs

    def sh(self, *command):
        """A command that must succeed; its output."""
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}: {done.stdout.strip()}")
        return done.stdout

    def start(self, command, **options):
        """A child that lives until it ends or the case does."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("cwd", self.folder)
        child = subprocess.Popen(command, **options)
        self.children.append(child)
        return child

    def run(self, command, seconds=60, stdin=None, env=None, cwd=None):
        """A command to its end, its output caught; killed (and failed) after `seconds`."""
        began = time.monotonic()
        child = self.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                           env={**os.environ, **(env or {})}, cwd=cwd or self.folder)
        try:
            out, err = child.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            raise Failed(f"{' '.join(command[-8:])}: still running after {seconds} s; "
                         f"{err.decode(errors='replace')[-300:]}") from None
        return Result(child.returncode, out, err, time.monotonic() - began)

    def stop(self, child, how=signal.SIGTERM, seconds=10):
        if child.poll() is None:
            child.send_signal(how)
        return child.wait(timeout=seconds)

    def close(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.kill()
            child.wait()

    # Networks

    def node(self, name):
        return Node(self, name)

    def cable(self, a, a_name, b, b_name):
        """A veth pair between two nodes, both ends up."""
        self.sh("ip", "link", "add", a_name, "netns", a.name, "type", "veth",
                "peer", "name", b_name, "netns", b.name)
        a.sh("ip", "link", "set", a_name, "up")
        b.sh("ip", "link", "set", b_name, "up")

    def pair(self, offloads=True, route=""):
        """client vA ── vB server. tern drives vA, where the kernel has an address as well."""
        client, server = self.node("client"), self.node("server")
        self.cable(client, "vA", server, "vB")
        client.address("vA", f"{HOST_IP}/24")
        server.address("vB", f"{SERVER}/24", route)
        client.offloads("vA", offloads)
        server.offloads("vB", offloads)
        return client, server

    def lan(self):
        """client vA, server vB, router vR and other vO on one bridge."""
        hub = self.node("hub")
        hub.sh("ip", "link", "add", "br0", "type", "bridge")
        hub.sh("ip", "link", "set", "br0", "up")
        nodes = []
        for name, port, ip in (("client", "vA", HOST_IP), ("server", "vB", SERVER),
                               ("router", "vR", GATEWAY), ("other", "vO", OTHER_IP)):
            node = self.node(name)
            self.cable(node, port, hub, "p" + port)
            hub.sh("ip", "link", "set", "p" + port, "master", "br0")
            node.address(port, f"{ip}/24")
            nodes.append(node)
        return [hub] + nodes

    # Files

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data if isinstance(data, bytes) else data.encode())
        return path

    def noise(self, name, size):
        """A file of bytes that look random, and are the same each time."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            maker = subprocess.Popen(
                ["openssl", "enc", "-aes-128-ctr", "-nosalt", "-K", "7465726e" * 4,
                 "-iv", f"{size:032x}", "-in", "/dev/zero"],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            left = size
            while left > 0:
                block = maker.stdout.read(min(left, 1 << 20))
                out.write(block)
                left -= len(block)
            maker.kill()
            maker.wait()
        return path

    def note(self, text):
        self.notes.append(text)
