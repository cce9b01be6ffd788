# SPDX-License-Identifier: BSD-2-Clause
"""The event log of real runs against the kernel's TCP: it keeps to its schema, agrees with the
capture of the same run segment by segment, and has the milestones of DNS, TLS and HTTP."""
import os
import sys

from case import case
from peers import Tern, certificates, nginx, python_server, url
from world import SERVER, Skipped, equal, hold, sha256

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "events"))
import judge  # noqa: E402

BAD = ["--impair", "loss 2% reorder 2% delay 5ms", "--seed", "5"]


def judged(lab, log="log.sqlog", capture="log.pcapng"):
    """The records, after both files were judged."""
    if judge.jsonschema is None:
        raise Skipped("python3-jsonschema is not installed")
    schema, causes = judge.read_schema(TOP), judge.read_causes(TOP)
    records = judge.read_log(lab.path(log))
    frames = judge.read_capture(lab.path(capture))
    try:
        judge.hold_schema(schema, records)
        sent, again = judge.compare_sent(records, frames, causes)
        received = judge.compare_received(records, frames)
        judge.hold_comments(frames, causes)
    except judge.Wrong as why:
        hold("log and capture agree", False, str(why))
    lab.note(f"{len(records)} records; {sent} segments sent, {again} again, {received} received")
    return records, again


def data_of(records, name):
    found = [r["data"] for r in records if r["name"] == name]
    hold(f"the log has {name}", found)
    return found


@case("events: a page by name and TLS, milestones and all", programs=["tshark"])
def milestones(lab):
    client, server = lab.pair()
    ca = certificates(lab)
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server, tls=True)
    python_server(lab, server, "peer_dns", SERVER, f"lab.test={SERVER}", port=53)
    tern = Tern(client, flags=["--dns", SERVER])
    result = tern.get("-sS", "-o", "f", "--sqlog", "log.sqlog", "--pcap", "log.pcapng",
                      "--cacert", ca, "https://lab.test/1k.bin")
    hold("exit 0", result.code == 0, result.text())
    records, _ = judged(lab)
    equal("asked for", data_of(records, "dns:query_sent")[0]["query"], "lab.test")
    equal("answered", data_of(records, "dns:answer_received")[0]["addresses"], [SERVER])
    hold("TLS", "TLS" in data_of(records, "tls:handshake_done")[0]["cipher"])
    equal("target", data_of(records, "http:request_sent")[0]["target"], "/1k.bin")
    equal("status", data_of(records, "http:response_received")[0]["status"], 200)
    equal("body", data_of(records, "http:body_received")[0]["length_bytes"], 1000)


@case("events: an upload over a bad path, every retransmission in log and capture alike",
      programs=["tshark"])
def upload(lab):
    client, server = lab.pair(offloads=False)
    whole = lab.noise("www/up.bin", 400000)
    nginx(lab, server)
    result = Tern(client, flags=BAD).get("-sS", "-T", whole, "--sqlog", "log.sqlog", "--pcap",
                                         "log.pcapng", url("/up/up.bin"))
    hold("exit 0", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("up/up.bin")), sha256(whole))
    _, again = judged(lab)
    hold("something was sent again", again > 0)


@case("events: a download over a bad path, with super-segments", programs=["tshark"])
def download(lab):
    client, server = lab.pair()
    lab.noise("www/down.bin", 2000000)
    nginx(lab, server)
    result = Tern(client, flags=BAD).get("-sS", "-o", "f", "--sqlog", "log.sqlog", "--pcap",
                                         "log.pcapng", url("/down.bin"))
    hold("exit 0", result.code == 0, result.text())
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/down.bin")))
    judged(lab)


@case("events: a log that cannot be written is told, and a full disk stops only the log")
def unwritable(lab):
    client, server = lab.pair(offloads=False)
    lab.noise("www/1k.bin", 1000)
    nginx(lab, server)
    result = Tern(client).get("-sS", "-o", "f", "--sqlog", "/nowhere/log", url("/1k.bin"))
    equal("exit", result.code, 23)
    hold("one line", len(result.lines()) == 1 and "/nowhere/log" in result.text(), result.text())
    hold("nothing was fetched", not os.path.exists(lab.path("f")))
    # A disk that is full after the log's first records: all else goes on, to its end.
    lab.noise("www/3M.bin", 3000000)
    os.mkdir(lab.path("full"))
    lab.sh("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", lab.path("full"))
    result = Tern(client).get("-sS", "-o", "f", "--sqlog", "full/log", url("/3M.bin"))
    equal("exit", result.code, 23)
    hold("one line", len(result.lines()) == 1 and "full/log" in result.text(), result.text())
    equal("sha256", sha256(lab.path("f")), sha256(lab.path("www/3M.bin")))
    hold("the first records are there, whole", judge.read_log(lab.path("full/log")))
