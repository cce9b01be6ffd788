#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run a stranger's packetdrill scripts against tern, and say which pass.

    run.py [options] PACKETDRILL SCRIPTS...

PACKETDRILL is the program, built by the reader; SCRIPTS are .pkt files or folders of them. Each
script runs in a network namespace of its own with a device tun0, since scripts call sysctl, tc and
ip: nothing of the machine's is touched. That takes root, or user namespaces.

A script is left out of the count where it depends on what is not TCP's but one kernel's: a sysctl,
a device (tc, ip, ethtool), the kernel's own files, or an option of Linux's that has no meaning
elsewhere (MSG_ZEROCOPY, SO_TIMESTAMPING, TCP-MD5, splice, sendfile). Those run as well, and are
counted apart ("also"). What a script sources from defaults.sh is nobody's dependence.

The exit status is 0 where at least --need percent of those that count pass.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLUGIN = os.path.join(TOP, "build", "libtern_packetdrill.so")
# What the scripts' own runner passes for IPv4, and for IPv4 within IPv6 sockets. The cookie is
# SipHash of both addresses under the key that the scripts set.
COMMON = ["--local_ip=192.168.0.1", "--gateway_ip=192.168.0.1", "--netmask_ip=255.255.0.0",
          "--remote_ip=192.0.2.1", "-D", "TFO_COOKIE=3021b9d889017eeb",
          "-D", "CODE=host_unreachable"]
FAMILIES = {
    "ipv4": ["--ip_version=ipv4", *COMMON, "-D", "CMSG_LEVEL_IP=SOL_IP",
             "-D", "CMSG_TYPE_RECVERR=IP_RECVERR"],
    "mapped": ["--ip_version=ipv4-mapped-ipv6", *COMMON, "-D", "CMSG_LEVEL_IP=SOL_IPV6",
               "-D", "CMSG_TYPE_RECVERR=IPV6_RECVERR"],
}
# One kernel's facilities: a word of a script, and what it stands for.
PRIVATE = {
    "SO_ZEROCOPY": "MSG_ZEROCOPY", "MSG_ZEROCOPY": "MSG_ZEROCOPY",
    "SO_TIMESTAMPING": "SO_TIMESTAMPING", "md5 ": "TCP-MD5 in the kernel",
    "splice(": "splice", "sendfile(": "sendfile", "TCP_FASTOPEN_KEY": "a sysctl's key",
}
DEVICE = ("tc ", "ip ", "ethtool ", "ifconfig ")
SETUP = ("ip link set lo up; ip tuntap add tun0 mode tun 2>/dev/null || "
         "ip link add tun0 type dummy 2>/dev/null; ip link set tun0 up 2>/dev/null; exec \"$@\"")


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


def commands(text):
    """The shell commands of a script, but for the settings that all share and their undoing."""
    found = []
    for block in re.findall(r"`([^`]*)`", text, flags=re.DOTALL):
        for line in re.split(r"\n|;", block.replace("\\\n", " ")):
            line = line.strip()
            shared = re.fullmatch(r"\S*/common/defaults\.sh", line) or "sysctl_restore" in line
            if line and not line.startswith("#") and not shared:
                found.append(line)
    return found


def why_out(text):
    """Why a script is not about TCP alone; None: it counts."""
    text = without_comments(text)
    for word, reason in PRIVATE.items():
        if word in text:
            return reason
    if re.search(r"^--mss=", text, flags=re.MULTILINE):
        return "a device: tun's own joining of segments (packetdrill --mss)"
    for line in commands(text):
        names = re.findall(r"(?:net[./]ipv4[./])([\w]+)", line)
        if names:
            return "sysctl " + ", ".join(dict.fromkeys(names))
        if line.startswith(DEVICE):
            return "a device: " + line.split()[0]
        return "the kernel's own: " + line.split()[0]
    return None


def collect(paths):
    for path in paths:
        if os.path.isdir(path):
            for folder, names, files in sorted(os.walk(path)):
                names.sort()
                yield from (os.path.join(folder, f) for f in sorted(files) if f.endswith(".pkt"))
        else:
            yield path


def namespace():
    """The words that put a command into a network namespace of its own."""
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-r", "-n"]


def run(options, script, family):
    command = [*namespace(), "sh", "-c", SETUP, "sh", options.packetdrill, *FAMILIES[family],
               "--so_filename=" + options.plugin, "--so_flags=" + options.flags,
               os.path.basename(script)]
    try:
        done = subprocess.run(command, cwd=os.path.dirname(script), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=options.timeout, check=False)
        return done.returncode == 0, done.stdout.strip()
    except subprocess.TimeoutExpired:
        return False, f"no end within {options.timeout} s"


def judge(options, script, root):
    with open(script, errors="replace") as text:
        reason = why_out(text.read())
    words = {}
    for family in options.family:
        passed, said = run(options, script, family)
        if not passed:
            words[family] = said
    return {"script": os.path.relpath(script, root), "left_out": reason, "passed": not words,
            "words": words}


def common_folder(scripts):
    folder = os.path.commonpath([os.path.dirname(s) for s in scripts])
    return os.path.dirname(folder) if len(scripts) == 1 else folder


def table(results):
    """Passed of counted, and of those left out, by folder."""
    rows = {}
    for r in results:
        row = rows.setdefault(os.path.dirname(r["script"]) or ".", [0, 0, 0, 0])
        column = 0 if r["left_out"] is None else 2
        row[column] += r["passed"]
        row[column + 1] += 1
    return rows


def report(results, verbose):
    for r in results:
        state = "pass" if r["passed"] else "FAIL"
        out = "" if r["left_out"] is None else f"  [left out: {r['left_out']}]"
        print(f"{state}  {r['script']}{out}")
        if verbose and not r["passed"]:
            for family, said in r["words"].items():
                print(f"      {family}: " + said.replace("\n", "\n      "))
    rows = table(results)
    width = max(len(name) for name in rows)
    print(f"\n{'folder':{width}}  passed       also, of those left out")
    total = [sum(row[i] for row in rows.values()) for i in range(4)]
    for name, row in [*sorted(rows.items()), ("all", total)]:
        also = f"{row[2]} of {row[3]}" if row[3] else ""
        counted = f"{row[0]} of {row[1]}" if row[1] else ""
        print(f"{name:{width}}  {counted:11}  {also}")
    return 100.0 * total[0] / total[1] if total[1] else 100.0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("packetdrill")
    parser.add_argument("scripts", nargs="+")
    parser.add_argument("--plugin", default=PLUGIN)
    parser.add_argument("--flags", default="local=192.168.0.1,remote=192.0.2.1,sysctl=1",
                        help="for --so_flags (default: %(default)s)")
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES),
                        help="default: ipv4; give it twice for both")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for a script")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--need", type=float, default=90, help="percent (default: 90)")
    parser.add_argument("--json", help="write the results there as well")
    parser.add_argument("--verbose", "-v", action="store_true", help="what packetdrill said")
    options = parser.parse_args()
    options.family = options.family or ["ipv4"]
    options.packetdrill = os.path.abspath(options.packetdrill)
    options.plugin = os.path.abspath(options.plugin)
    return options


def main():
    options = arguments()
    scripts = [os.path.abspath(s) for s in collect(options.scripts)]
    for path in [options.packetdrill, options.plugin]:
        if not os.path.exists(path):
            sys.exit(f"run.py: {path} does not exist")
    if not scripts:
        sys.exit("run.py: no scripts there")
    root = common_folder(scripts)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda s: judge(options, s, root), scripts))
    percent = report(results, options.verbose)
    if options.json:
        with open(options.json, "w") as out:
            json.dump({"percent": percent, "results": results}, out, indent=1)
    print(f"{percent:.1f} % of those that count")
    return 0 if percent >= options.need else 1


if __name__ == "__main__":
    sys.exit(main())
