# SPDX-License-Identifier: BSD-2-Clause
"""Peers of many breeds beside lwIP: the kernel by CUBIC and by BBR, h2o, socat and libslirp, both
ways, over good networks and bad; and many short conversations with the kernel. What arrives is
judged by its sha256."""
import os
import subprocess

import churn
import world
from bump import bumped_pair
from case import case
from cases_rootless import PLAIN, Here, get, served
from peers import Tern, certificates, curl, listening, nginx, url, wait_listening
from world import SERVER, TERN_IP, equal, hold, sha256

SIZES = {"1": 1, "1k": 1000, "1M": 1000000, "8M": 8000000}

# The kernel's side sends over BBR or CUBIC; over veth its BBR needs no help to be slow, so that
# nothing is said of speeds here.
MATRIX_BAD = "loss 0.5% delay 2ms reorder 1%"


def goes_by(lab, server, congestion):
    """The kernel's side has this controller."""
    if congestion not in lab.sh("cat", "/proc/sys/net/ipv4/tcp_available_congestion_control"):
        raise world.Skipped(f"this kernel has no {congestion}")
    server.sh("ip", "route", "replace", "10.77.0.0/24", "dev", "vB", "src", SERVER,
              "congctl", congestion)


def kernel(lab, congestion, offloads):
    client, server = lab.pair(offloads=offloads)
    goes_by(lab, server, congestion)
    sizes = dict(SIZES, **{"20M": 20000000}, **({"1G": 10**9} if lab.long_runs else {}))
    for name, size in sizes.items():
        lab.noise(f"www/{name}.bin", size)
    nginx(lab, server)
    sends_by(lab, client, server, congestion)
    for impair in ([], ["--impair", MATRIX_BAD, "--seed", "3"]):
        for name in sizes:
            if name == "1G" and impair:
                continue
            there_and_back(lab, Tern(client, flags=impair), name)


def there_and_back(lab, tern, name):
    """A page down, and the same up."""
    whole = lab.path(f"www/{name}.bin")
    tern.fetch(url(f"/{name}.bin"), "f", seconds=400)
    equal(f"sha256 of {name} down {tern.flags}", sha256(lab.path("f")), sha256(whole))
    result = tern.get("-sS", "-T", whole, url("/up/f.bin"), seconds=400)
    hold(f"tern get -T {tern.flags}", result.code == 0, result.text())
    equal(f"sha256 of {name} up {tern.flags}", sha256(lab.path("up/f.bin")), sha256(whole))
    os.unlink(lab.path("up/f.bin"))


def sends_by(lab, client, server, congestion):
    """The server's socket says what it goes by."""
    child = Tern(client).start("get", "-sS", "-o", "f", url("/limited/20M.bin"),
                               stderr=subprocess.DEVNULL)
    world.wait_for("the connection", lambda: child.poll() is not None or server.states())
    told = server.sh("ss", "-Htin")
    hold(f"{congestion} it is", f" {congestion} " in f" {told} ", told)
    lab.stop(child)


@case("kernel: CUBIC, offloads on, 1 byte to 20 MB both ways, impaired and not", seconds=240)
def kernel_cubic(lab):
    kernel(lab, "cubic", True)


@case("kernel: CUBIC, offloads off, 1 byte to 20 MB both ways, impaired and not", seconds=240)
def kernel_cubic_plain(lab):
    kernel(lab, "cubic", False)


@case("kernel: BBR, offloads on, 1 byte to 20 MB both ways, impaired and not", seconds=240)
def kernel_bbr(lab):
    kernel(lab, "bbr", True)


@case("kernel: BBR, offloads off, 1 byte to 20 MB both ways, impaired and not", seconds=240)
def kernel_bbr_plain(lab):
    kernel(lab, "bbr", False)


@case("kernel: BBR over a bump that loses and reorders, 1 byte to 8 MB both ways", seconds=240)
def kernel_bbr_bumped(lab):
    client, server, bump = bumped_pair(lab, MATRIX_BAD, seed=22)
    goes_by(lab, server, "bbr")
    for name, size in SIZES.items():
        lab.noise(f"www/{name}.bin", size)
    nginx(lab, server)
    for name in SIZES:
        there_and_back(lab, Tern(client), name)
    counts = bump.stop()
    hold("both ways lost something", counts["out"]["lost"] > 0 and counts["in"]["lost"] > 0,
         str(counts))


H2O = """
num-threads: 1
pid-file: {folder}/h2o.pid
error-log: {folder}/h2o-error.log
ssl-session-resumption: {{mode: off}}
hosts:
  default:
    listen: {{host: {address}, port: 8080}}
    paths:
      /: {{file.dir: {folder}/www}}
  secure:
    listen:
      host: {address}
      port: 8443
      ssl:
        certificate-file: {folder}/tls/server.pem
        key-file: {folder}/tls/server.key
        ocsp-update-interval: 0
        neverbleed: OFF
    paths:
      /: {{file.dir: {folder}/www}}
"""


@case("h2o: pages by HTTP/1.1 and HTTP/2, in the clear and over TLS, impaired and not",
      programs=["h2o"], seconds=180)
def h2o(lab):
    client, server = lab.pair()
    ca = certificates(lab)
    for name, size in SIZES.items():
        lab.noise(f"www/{name}.bin", size)
    conf = lab.write("h2o.conf", H2O.format(folder=lab.folder, address=SERVER))
    log = lab.path("h2o.log")
    # Root it would try to become somebody else, which a plain user's namespace does not allow.
    with open(log, "wb") as words:
        child = server.start("unshare", "--user", "--map-user=1000", "--map-group=1000", "h2o",
                             "-c", conf, stdout=words, stderr=words)
    wait_listening(server, 8443, child, log)
    for impair in ([], ["--impair", MATRIX_BAD, "--seed", "5"]):
        tern = Tern(client, flags=impair)
        for scheme, version, told in (("http", "--http1.1", "HTTP/1.1"),
                                      ("https", "--http1.1", "HTTP/1.1"),
                                      ("https", "--http2", "HTTP/2")):
            port = 8443 if scheme == "https" else 8080
            names = list(SIZES)
            result = tern.get("-sS", "-v", version, "--cacert", ca, *[
                word for name in names
                for word in ("-o", f"f{name}", url(f":{port}/{name}.bin", scheme=scheme))],
                seconds=90)
            hold(f"{scheme} {version} {impair}", result.code == 0, result.text())
            hold(f"it is {told}", f"< {told} 200" in result.err.decode(errors="replace"),
                 result.text())
            for name in names:
                equal(f"sha256 of {name}, {scheme} {version} {impair}",
                      sha256(lab.path(f"f{name}")), sha256(lab.path(f"www/{name}.bin")))
    equal("curl agrees", curl(client, "-o", "g", "--cacert", ca, "--http2",
                              url(":8443/1M.bin", scheme="https")).code, 0)
    lab.stop(child)


@case("socat: an echo with small segments and small buffers, called and calling",
      programs=["socat"])
def socat(lab):
    client, server = lab.pair()
    data = lab.noise("data", 1000000)
    log = lab.path("socat.log")
    narrow = "mss=536,rcvbuf=4608,sndbuf=4608,nodelay"
    with open(log, "wb") as words:
        child = server.start("socat", "-t", "30", f"TCP-LISTEN:7000,bind={SERVER},{narrow}",
                             "EXEC:cat", stdout=words, stderr=words)
    wait_listening(server, 7000, child, log)
    with open(data, "rb") as says:
        whole = says.read()
    result = client.run(*Tern(client).command("nc", "-N", SERVER, 7000), stdin=whole)
    hold("tern nc", result.code == 0, result.text())
    hold("the echo is what was said", result.out == whole, f"{len(result.out)} bytes")
    with open(lab.path("got"), "wb") as got, open(data, "rb") as says:
        answers = listening(lab, client, stdin=says, stdout=got)
    with open(log, "wb") as words:
        child = server.start("socat", "-t", "30", f"TCP:{TERN_IP}:7000,{narrow}", "EXEC:cat",
                             stdout=words, stderr=words)
    equal("tern nc -l", answers.wait(timeout=60), 0)
    equal("the echo of socat, who called", sha256(lab.path("got")), sha256(data))


SLIRP_BAD = "loss 1% delay 5ms reorder 1%"


@case("slirp: down and up over a bad link to the host's loopback", seconds=180)
def slirp_bad(lab):
    served(lab)
    size = 50000000 if lab.long_runs else 2000000
    whole = lab.noise("www/some.bin", size)
    flags = ["--link", "slirp", "--impair", SLIRP_BAD, "--seed", "5"]
    down = get(lab, *flags, "-sS", "-o", "f", "http://10.0.2.2/some.bin", seconds=150)
    hold("tern get", down.code == 0, down.text())
    equal("sha256 down", sha256(lab.path("f")), sha256(whole))
    up = get(lab, *flags, "-sS", "-T", whole, "http://10.0.2.2/up/f.bin", seconds=150)
    hold("tern get -T", up.code == 0, up.text())
    equal("sha256 up", sha256(lab.path("up/f.bin")), sha256(whole))
    lab.note(f"{size} bytes, '{SLIRP_BAD}': {down.seconds:.1f} s down, {up.seconds:.1f} s up")


@case("slirp: nc, both ways at once and half-closed, on a good link and a bad one", seconds=180)
def slirp_nc(lab):
    here = Here(lab)
    for impair in ([], ["--impair", SLIRP_BAD, "--seed", "6"]):
        there, back = lab.noise("there", 1500000), lab.noise("back", 1000000)
        log = lab.path("peer.log")
        # Speaks from the start, and goes on hearing after its own end.
        with open(log, "wb") as words, open(back, "rb") as says, \
                open(lab.path("heard"), "wb") as heard:
            child = here.start("socat", "-t", "30", "TCP-LISTEN:7000,bind=127.0.0.1,reuseaddr",
                               "STDIO", stdin=says, stdout=heard, stderr=words)
        wait_listening(here, 7000, child, log)
        with open(there, "rb") as data:
            result = here.run(*PLAIN, world.TERN, "nc", "-N", "--link", "slirp", *impair,
                              "10.0.2.2", "7000", stdin=data.read(), seconds=80)
        hold(f"tern nc {impair}", result.code == 0, result.text())
        equal("socat's end", child.wait(timeout=40), 0)
        lab.write("got", result.out)
        equal(f"what tern heard {impair}", sha256(lab.path("got")), sha256(back))
        equal(f"what the host heard {impair}", sha256(lab.path("heard")), sha256(there))


@case("churn: 100 calls a second both ways with the kernel over a bad link, every byte judged")
def some_churn(lab):
    seconds = 60 if lab.long_runs else 6
    client, server = churn.network(lab)
    children = churn.start(lab, client, server, seconds, 100, churn.IMPAIR, every=2)
    churn.judge_ends(lab, children, seconds)
