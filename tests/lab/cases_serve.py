# SPDX-License-Identifier: BSD-2-Clause
"""tern serve against curl, wget, wrk and the kernel's sockets, at the other end of a cable."""
import os
import signal

import cases_tap
import world
from case import case
from peers import PYTHON, Tern, curl
from wire import clean
from world import TERN_IP, equal, hold, sha256


def serve(lab, client, *arguments, port=80, root="www"):
    """tern serve of www/, once it listens; its access log is serve.err."""
    os.makedirs(lab.path(root), exist_ok=True)
    with open(lab.path("serve.err"), "wb") as err:
        child = Tern(client).start("serve", "-p", port, *arguments, lab.path(root), stderr=err)

    def ready():
        with open(lab.path("serve.err"), errors="replace") as words:
            return child.poll() is not None or "^C ends it" in words.read()
    world.wait_for("tern serve to listen", ready)
    hold("it listens", child.poll() is None, said(lab))
    return child


def said(lab):
    with open(lab.path("serve.err"), errors="replace") as words:
        return words.read()


def ended(lab, child):
    """^C, and a good end."""
    equal("exit status after ^C", lab.stop(child, signal.SIGINT), 0)


def url(path, port=80):
    return f"http://{TERN_IP}{'' if port == 80 else f':{port}'}{path}"


@case("serve: curl gets a page, a file and what is not there", programs=["curl"])
def serve_curl(lab):
    client, server = lab.pair()
    lab.write("www/index.html", "<p>hello</p>\n")
    big = lab.noise("www/big.bin", 3_000_000)
    child = serve(lab, client)
    equal("the index", curl(server, "-i", url("/")).out.split(b"\r\n\r\n", 1)[1], b"<p>hello</p>\n")
    result = curl(server, "-o", "got", url("/big.bin"))
    hold("curl", result.code == 0, result.text())
    equal("the file", sha256(lab.path("got")), sha256(big))
    equal("nothing there", curl(server, "-f", url("/none")).code, 22)
    ended(lab, child)


@case("serve: on a link that nobody can come in by it says so")
def serve_out_of_reach(lab):
    alone = lab.node("alone")
    os.makedirs(lab.path("www"), exist_ok=True)
    for flags, link in (([], "slirp"), (["--link", "lab"], "lab")):
        with open(lab.path("serve.err"), "wb") as err:
            child = alone.start(world.TERN, "serve", *flags, lab.path("www"), stderr=err)
        words = f"nobody can reach an address behind {link}"
        world.wait_for(words, lambda: child.poll() is not None or words in said(lab))
        hold("it serves all the same", child.poll() is None, said(lab))
        ended(lab, child)


def raw(node, *requests, wait=5, port=80):
    """Say each request on a connection of its own, in the kernel's node; what came, up to the
    server's FIN."""
    script = ("import socket, sys\n"
              "for r in sys.argv[3:]:\n"
              f"    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout={wait})\n"
              "    s.sendall(r.encode('latin-1').decode('unicode_escape').encode('latin-1'))\n"
              "    got = b''\n"
              "    while d := s.recv(65536):\n        got += d\n"
              "    print(repr(got))\n"
              "    s.close()\n")
    result = node.run(PYTHON, "-c", script, TERN_IP, str(port), *requests, seconds=60)
    hold("the raw client", result.code == 0, result.text())
    return [eval(line) for line in result.out.decode().splitlines()]  # pylint: disable=eval-used


def request(target, method="GET", more=""):
    return rf"{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{more}\r\n"


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@case("serve: ranges, resumption and conditions, as curl asks for them", programs=["curl"])
def serve_parts(lab):
    client, server = lab.pair()
    whole = lab.noise("www/f.bin", 300_000)
    os.utime(whole, (784111777, 784111777))
    with open(whole, "rb") as text:
        data = text.read()
    child = serve(lab, client)
    equal("one range", curl(server, "-r", "100-199", url("/f.bin")).out, data[100:200])
    equal("the end", curl(server, "-r", "-7", url("/f.bin")).out, data[-7:])
    parts = curl(server, "-r", "0-99,1000-1999,-3", url("/f.bin")).out
    hold("several ranges", all(p in parts for p in (data[:100], data[1000:2000], data[-3:])))
    equal("their boundary", parts.count(b"Content-Range: bytes"), 3)
    lab.write("resumed", data[:123_456])
    curl(server, "-C", "-", "-o", "resumed", url("/f.bin"))
    equal("resumed", sha256(lab.path("resumed")), sha256(whole))
    equal("beyond the end", curl(server, "-f", "-r", "300000-", url("/f.bin")).code, 22)
    code = ("-w", "%{http_code} %{size_download}", "-o", "/dev/null")
    equal("not modified since", curl(server, *code, "-z", whole, url("/f.bin")).out, b"304 0")
    curl(server, "--etag-save", "tag", "-o", "/dev/null", url("/f.bin"))
    equal("the same tag", curl(server, *code, "--etag-compare", "tag", url("/f.bin")).out, b"304 0")
    os.utime(whole)
    equal("touched", curl(server, *code, "--etag-compare", "tag", url("/f.bin")).out, b"200 300000")
    equal("HEAD", curl(server, "-I", *code, url("/f.bin")).out.split()[-2:-1], [b"200"])
    ended(lab, child)


@case("serve: a thousand small files over one connection each way of asking", programs=["curl"])
def serve_many(lab):
    client, server = lab.pair()
    for i in range(1000):
        lab.write(f"www/{i}", f"file {i}\n" * (i % 50))
    child = serve(lab, client)
    os.makedirs(lab.path("got"))
    result = curl(server, "-o", "got/#1", "-w", "%{num_connects}\n", url("/[0-999]"))
    hold("curl", result.code == 0, result.text())
    # --requests is 1000: the last answer closes what the first one opened
    equal("connections", sum(map(int, result.out.split())), 1)
    for i in range(1000):
        with open(lab.path(f"got/{i}")) as text:
            equal(f"file {i}", text.read(), f"file {i}\n" * (i % 50))
    result = curl(server, "-Z", "--parallel-max", "20", "-o", "got/#1", url("/[0-999]"))
    hold("twenty at a time", result.code == 0, result.text())
    for i in range(1000):
        with open(lab.path(f"got/{i}")) as text:
            equal(f"file {i} again", text.read(), f"file {i}\n" * (i % 50))
    ended(lab, child)
    equal("lines of the log", said(lab).count('HTTP/1.1" 200 '), 2000)


@case("serve: wget follows the listings through a tree of odd names", programs=["wget"])
def serve_wget(lab):
    client, server = lab.pair()
    names = ["a.txt", "b c.txt", "d/e&f.txt", "d/g?h#i.txt", "d/ä ö.txt", "d/<k>'\".txt",
             "l/m/n/o.txt"]
    for name in names:
        lab.write("www/" + name, name)
    os.symlink("../../secret", lab.path("www/d/out"))
    os.mkfifo(lab.path("www/d/fifo"))
    lab.write("secret", "secret")
    lab.write("www/p/100%20", "percent")    # which wget would write to another name
    child = serve(lab, client)
    equal("a name with %", curl(server, url("/p/100%2520")).out, b"percent")
    result = server.run("wget", "-q", "-r", "-np", "-nH", "--no-iri",
                        "--restrict-file-names=nocontrol", "-P", lab.path("got"), url("/"),
                        seconds=60)
    hold("wget", result.code == 0, result.text())
    for name in names:
        with open(lab.path("got/" + name)) as text:
            equal(name, text.read(), name)
    hold("nothing else", not os.path.exists(lab.path("got/d/out"))
         and not os.path.exists(lab.path("got/d/fifo")))
    ended(lab, child)


@case("serve: no way out of the directory, and nothing special within")
def serve_traversal(lab):
    client, server = lab.pair()
    lab.write("secret", "SECRET")
    lab.write("www/d/f", "inside")
    lab.write("www/.git/config", "SECRET")
    for name, target in (("out", "../secret"), ("absolute", lab.path("secret")),
                         ("slash", "/"), ("up", ".."), ("d/up", "../.."), ("self", "/proc/self")):
        os.symlink(target, lab.path("www/" + name))
    os.mkfifo(lab.path("www/fifo"))
    child = serve(lab, client)
    ways = ["/../secret", "/d/../../secret", "/%2e%2e/secret", "/.%2e/secret", "/%2e%2e%2fsecret",
            "/..%2fsecret", "/..%5csecret", r"/..\\\\secret", "/d/%2e%2e/%2e%2e/secret",
            "/%252e%252e/secret", "/out", "/absolute", "/slash/etc/passwd", "/up/secret",
            "/d/up/secret", "/self/environ", "/self/root/etc/passwd", "//etc/passwd",
            "/%2fetc%2fpasswd", "/./../secret", "/d/f/../../../secret", "/secret%00", "/d/f%00.txt",
            "http://h/../secret", "http://h/%2e%2e/secret", "/.git/config", "/%2egit/config",
            "/%c0%ae%c0%ae/secret", "/..;/secret", "/fifo", "/d/f/"]
    for way, answer in zip(ways, raw(server, *map(request, ways))):
        hold(f"{way} is refused", status_of(answer) in (400, 403, 404), repr(answer[:60]))
        hold(f"{way} tells nothing", b"SECRET" not in answer and b"root:" not in answer)
    equal("what is inside", raw(server, request("/d/f"))[0].split(b"\r\n\r\n")[1], b"inside")
    ended(lab, child)


@case("serve: odd requests get the answer that RFC 9110 has for them")
def serve_odd(lab):
    client, server = lab.pair()
    lab.write("www/f", "inside")
    child = serve(lab, client, "--header-bytes", 2048)
    long_target = request("/" + "x" * 3000)
    long_field = request("/f", more="X: " + "x" * 3000 + r"\r\n")
    rows = [(405, request("/f", "POST")), (405, request("/f", "DELETE")),
            (501, request("/f", "BREW")),
            (400, r"GET /f HTTP/1.1\r\n\r\n"), (400, r"nonsense\r\n\r\n"), (414, long_target),
            (431, long_field), (505, r"GET /f HTTP/3.7\r\nHost: h\r\n\r\n"),
            (417, request("/f", more=r"Expect: wonders\r\n")), (204, request("*", "OPTIONS")),
            (413, request("/f", "PUT", r"Content-Length: 99999999\r\n").replace("PUT", "GET")),
            (400, request("/f", more=r"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
            (400, request("/f", more=r"X : a\r\n")), (400, r"GET /f HTTP/1.1\r\nHost: a b\r\n\r\n"),
            (200, r"GET /f HTTP/1.0\r\n\r\n")]
    answers = raw(server, *[text for _, text in rows])
    equal("statuses", [status_of(a) for a in answers], [status for status, _ in rows])
    hold("Allow", b"Allow: GET, HEAD" in answers[0])
    equal("pipelined", raw(server, r"GET /f HTTP/1.1\r\nHost: h\r\n\r\n" * 3 + request("/f"))[0]
          .count(b"\r\n\r\ninside"), 4)
    ended(lab, child)


@case("serve: slow-loris clients are let go, and others are served meanwhile", programs=["curl"])
def serve_loris(lab):
    client, server = lab.pair()
    lab.write("www/f", "inside")
    child = serve(lab, client, "--header-time", 2, "--connections", 64)
    script = ("import socket, sys, time\n"
              f"there = ('{TERN_IP}', 80)\n"
              "held = [socket.create_connection(there, timeout=20) for _ in range(60)]\n"
              "for s in held:\n    s.sendall(b'GET / HTTP/1.1\\r\\nX: ')\n"
              "print('held', flush=True)\n"
              "while True:\n"
              "    time.sleep(0.2)\n"
              "    try:\n"
              "        for s in held:\n            s.sendall(b'x')\n"
              "    except OSError:\n        break\n"
              "answers = set()\n"
              "for s in held:\n"
              "    try:\n        answers.add(s.recv(16))\n"
              "    except ConnectionResetError:\n        answers.add(b'reset')\n"
              "print(answers, flush=True)\n")
    with open(lab.path("loris"), "wb") as out:
        loris = server.start(PYTHON, "-c", script, stdout=out, stderr=out)

    def words():
        with open(lab.path("loris")) as text:
            return text.read()
    world.wait_for("the slow ones", lambda: "held" in words())
    equal("others are served", curl(server, "--max-time", "5", url("/f")).out, b"inside")
    world.wait_for("their end", lambda: loris.poll() is not None, 20)
    hold("they were told 408, or reset where they went on", "held" in words()
         and ("408" in words() or "reset" in words()), words())
    equal("served again", curl(server, "--max-time", "5", url("/f")).out, b"inside")
    hold("the log tells", '" 408 ' in said(lab), said(lab)[-300:])
    ended(lab, child)


def holders(lab, server, count, asked, answered):
    """A Python client that keeps so many connections, on each of which it said that, and then maybe
    saw the beginning of an answer by 200. Its process, once all stand."""
    script = ("import resource, socket, sys, time\n"
              f"resource.setrlimit(resource.RLIMIT_NOFILE, ({count + 100},) * 2)\n"
              "held = []\n"
              f"for i in range({count}):\n"
              f"    s = socket.create_connection(('{TERN_IP}', 80), timeout=60)\n"
              "    held.append(s)\n"
              f"    s.sendall({asked!r})\n"
              f"    if {answered} and not s.recv(1000).startswith(b'HTTP/1.1 200 '):\n"
              "        sys.exit(f'{i} was refused')\n"
              "print('held', flush=True)\n"
              "time.sleep(600)\n")
    with open(lab.path("held"), "wb") as out:
        child = server.start(PYTHON, "-c", script, stdout=out, stderr=out)

    def words():
        with open(lab.path("held")) as text:
            return text.read()
    world.wait_for(f"{count} connections", lambda: words() or child.poll() is not None, 60)
    equal("the holder", words(), "held\n")
    return child


@case("serve: twelve hundred connections, silent or idle, shut nobody out", programs=["curl"])
def serve_shut_out(lab):
    """More than the places, and than the stack's own; no time limit opens any of them again."""
    client, server = lab.pair()
    lab.write("www/f", "inside")
    child = serve(lab, client, "--quiet", "--header-time", 600, "--idle-time", 600)
    for asked in (b"", b"GET /f HTTP/1.1\r\nX: ", b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n"):
        whole = asked.endswith(b"\r\n\r\n")
        holder = holders(lab, server, 1200, asked, whole)
        for _ in range(3):
            result = curl(server, "--max-time", "30", url("/f"))
            hold(f"served beside {asked!r}", result.out == b"inside", result.text())
        lab.stop(holder, signal.SIGKILL)
    ended(lab, child)


@case("serve: clients that never close hold no place of the stack for long", programs=["curl"])
def serve_never_closed(lab):
    client, server = lab.pair()
    lab.write("www/f", "inside")
    child = serve(lab, client, "--quiet", "--grace", 1)
    last = b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    holder = holders(lab, server, 1200, last, False)
    world.wait_for("room", lambda: curl(server, "--max-time", "5", url("/f")).out == b"inside", 40)
    hold("they are still there", holder.poll() is None)
    lab.stop(holder, signal.SIGKILL)
    ended(lab, child)


@case("serve: where --connections answers are being sent callers are told 503", programs=["curl"])
def serve_crowd(lab):
    client, server = lab.pair()
    lab.write("www/f", "inside")
    lab.noise("www/big.bin", 30_000_000)
    child = serve(lab, client, "--connections", 4, "--least-rate", 0)
    holder = holders(lab, server, 4, b"GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n", True)
    answer = curl(server, "-w", "%{http_code}", "-o", "/dev/null", url("/f"))
    equal("the fifth", answer.out, b"503")
    lab.stop(holder, signal.SIGKILL)
    world.wait_for("room again", lambda: curl(server, url("/f")).out == b"inside")
    ended(lab, child)


def slow_curl(lab, server, rate):
    """curl, which takes /big.bin to slow.bin at this rate, in the background."""
    with open(lab.path("slow.err"), "wb") as err:
        return server.start("curl", "-q", "-sS", "--limit-rate", rate, "-o", "slow.bin",
                            url("/big.bin"), stderr=err)


@case("serve: a slow reader gets every byte, and its neighbours do not wait", programs=["curl"])
def serve_slow(lab):
    client, server = lab.pair()
    big = lab.noise("www/big.bin", 6_000_000)
    lab.write("www/f", "inside")
    child = serve(lab, client)
    slow = slow_curl(lab, server, "2M")
    for _ in range(20):
        result = curl(server, "--max-time", "5", url("/f"))
        hold("a neighbour", result.out == b"inside", result.text())
    equal("the slow one", slow.wait(timeout=30), 0)
    equal("what it got", sha256(lab.path("slow.bin")), sha256(big))
    ended(lab, child)


@case("serve: a long file, sha256; the capture of it is clean", programs=["curl", "tshark"])
def serve_long(lab):
    client, server = lab.pair()
    size = 1 << 30 if lab.long_runs else 50_000_000
    big = lab.noise("www/big.bin", size)
    child = serve(lab, client)
    result = server.run("sh", "-c", f"curl -qsS {url('/big.bin')} | sha256sum", seconds=300)
    equal("the long file", result.out.split()[0].decode(), sha256(big))
    ended(lab, child)
    lab.noise("www/small.bin", 2_000_000)
    child = serve(lab, client, "--pcap", lab.path("serve.pcapng"))
    equal("the small one", curl(server, "-o", "got", url("/small.bin")).code, 0)
    ended(lab, child)
    equal("its bytes", sha256(lab.path("got")), sha256(lab.path("www/small.bin")))
    clean(lab.path("serve.pcapng"))


@case("serve: a file that shrinks meanwhile ends short, and the server lives", programs=["curl"])
def serve_shrinks(lab):
    client, server = lab.pair()
    big = lab.noise("www/big.bin", 20_000_000)
    lab.write("www/f", "inside")
    child = serve(lab, client)
    slow = slow_curl(lab, server, "1M")
    world.wait_for("it begins", lambda: os.path.exists(lab.path("slow.bin"))
                   and os.path.getsize(lab.path("slow.bin")) > 0)
    os.truncate(big, 1000)
    equal("curl knows that it has not all", slow.wait(timeout=60), 18)
    equal("the server lives", curl(server, url("/f")).out, b"inside")
    ended(lab, child)


@case("serve: wrk finds no error", programs=["wrk"])
def serve_wrk(lab):
    client, server = lab.pair()
    lab.noise("www/1k.bin", 1024)
    child = serve(lab, client, "--quiet", "--requests", 1000)
    result = server.run("wrk", "-t", "1", "-c", "16", "-d", "2s", url("/1k.bin"), seconds=30)
    text = result.out.decode()
    hold("wrk", result.code == 0 and "requests in" in text, text)
    hold("no error", "Socket errors" not in text and "Non-2xx" not in text, text)
    hold("some requests", int(text.split(" requests in")[0].split()[-1]) > 1000, text)
    ended(lab, child)


@case("serve: ^C lets a transfer end and closes idle connections with FIN; twice, it does not wait",
      programs=["curl"])
def serve_interrupted(lab):
    client, server = lab.pair()
    idle = ("import socket\n"
            f"s = socket.create_connection(('{TERN_IP}', 80), timeout=20)\n"
            "print('open', flush=True)\n"
            "print(s.recv(1), flush=True)\n")
    for times, size in ((1, 4_000_000), (2, 40_000_000)):    # the second: more than buffers hold
        big = lab.noise("www/big.bin", size)
        child = serve(lab, client, "--grace", 20)
        with open(lab.path("idle"), "wb") as out:
            waits = server.start(PYTHON, "-c", idle, stdout=out, stderr=out)
        world.wait_for("the idle one", lambda: os.path.getsize(lab.path("idle")) > 0)
        slow = server.start("curl", "-q", "-sS", "--limit-rate", "1M", "-o", "slow.bin",
                            url("/big.bin"), stderr=open(lab.path("slow.err"), "wb"))
        world.wait_for("it begins", lambda: os.path.exists(lab.path("slow.bin"))
                       and os.path.getsize(lab.path("slow.bin")) > 0)
        for _ in range(times):
            child.send_signal(signal.SIGINT)
            waits.wait(timeout=10)
        code = slow.wait(timeout=40)
        equal("the server's end", child.wait(timeout=30), 0)
        with open(lab.path("idle")) as text:
            equal("the idle one got FIN", text.read().split(), ["open", "b''"])
        if times == 1:
            equal("the transfer", (code, sha256(lab.path("slow.bin"))), (0, sha256(big)))
        else:
            hold("the second one was cut off", code in (18, 56), str(code))
        hold("no socket of the kernel's is left", not server.states(), str(server.states()))
        os.unlink(lab.path("slow.bin"))


@case("serve: tern get fetches from tern serve, across a bridge")
def serve_get(lab):
    _, client, _, _, other = lab.lan()
    big = lab.noise("www/big.bin", 10_000_000)
    child = serve(lab, client)
    getter = Tern(other, address="10.77.0.6/24", interface="vO")
    getter.fetch(url("/big.bin"), "got")
    equal("what came", sha256(lab.path("got")), sha256(big))
    getter.fetch(url("/"), "page")
    with open(lab.path("page")) as text:
        hold("the listing", 'href="./big.bin"' in text.read())
    ended(lab, child)


@case("serve: over a TAP, to the host's own kernel", programs=["curl"])
def serve_tap(lab):
    node = lab.node("host")
    cases_tap.tap(lab, node)
    big = lab.noise("www/big.bin", 20_000_000)
    with open(lab.path("serve.err"), "wb") as err:
        child = node.start(world.TERN, "serve", "--link", "tap:tap0", "--address",
                           f"{cases_tap.OWN}/24", lab.path("www"), stderr=err)
    world.wait_for("tern serve to listen", lambda: "^C ends it" in said(lab))
    equal("curl", curl(node, "-o", "got", f"http://{cases_tap.OWN}/big.bin").code, 0)
    equal("the file", sha256(lab.path("got")), sha256(big))
    ended(lab, child)


@case("serve: mistakes on the command line")
def serve_mistakes(lab):
    client, _ = lab.pair()
    for arguments, code, words in (([], 2, "give the directory"), (["a", "b"], 2, "one directory"),
                                   (["-p", "0", "."], 2, "-p takes"), (["-x", "."], 2, "-x"),
                                   (["--connections", "0", "."], 2, "--connections takes"),
                                   (["--idle-time", "x", "."], 2, "--idle-time takes"),
                                   (["--header-bytes", "99999", "."], 2, "--header-bytes takes"),
                                   (["none"], 1, "cannot serve none: No such file"),
                                   (["--log", "/none/log", "."], 1, "cannot write /none/log"),
                                   (["/dev/null"], 1, "Not a directory")):
        result = client.run(*Tern(client).command("serve", *arguments), seconds=10)
        hold(" ".join(arguments), result.code == code and words in result.text(), result.text())
