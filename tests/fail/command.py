#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tern get and tern nc over slirp to a server on the loopback, with their n-th call failing.

    command.py PROGRAM                 some 60 calls, spread over the run, and its last ones
    command.py PROGRAM --all           every call, each error that it has, once and for good
    command.py PROGRAM --verb get      one verb only
    command.py PROGRAM --at N          one call only, told one by one

PROGRAM is build/tests/fail/fail_tern. Judged each time: it ends by itself, with an exit code that
its manual names; with 0 only where every byte is right, and with an error line otherwise.
"""
import argparse
import hashlib
import os
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading

BYTES = 300_000
SECONDS = 30  # far beyond every time limit that the command is given
SAMPLES = 60
ENDING = 24
GET_CODES = {2, 3, 6, 7, 18, 22, 23, 26, 27, 28, 35, 45, 47, 52, 55, 56, 60}
NC_CODES = {1, 2}
DATA = hashlib.shake_128(b"tern").digest(BYTES)


class Pages(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                             % BYTES + DATA)
        except OSError:
            pass  # a client that gave up


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            self.wfile.write(self.rfile.read())
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


def serve(handler):
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Get:
    name, codes = "get", GET_CODES

    def __init__(self, folder):
        self.port = serve(Pages)
        self.file = os.path.join(folder, "page")

    def command(self):
        if os.path.exists(self.file):
            os.remove(self.file)
        return ["get", "-sS", "--connect-timeout", "3", "-m", "6", "-o", self.file,
                "--impair", "delay 1ms", "--pcap", self.file + ".pcapng", "--secrets", "--stats",
                self.file + ".json", "--draw", self.file + ".svg", "--draw", self.file + ".html",
                f"http://10.0.2.2:{self.port}/page"]

    def right(self, _done):
        with open(self.file, "rb") as page:
            return page.read() == DATA

    stdin = b""


class Nc:
    name, codes = "nc", NC_CODES

    def __init__(self, folder):
        self.port = serve(Echo)
        self.folder = folder

    def command(self):
        return ["nc", "-v", "-N", "-w", "3", "10.0.2.2", str(self.port)]

    def right(self, done):
        """With -w silence is no failure, but nc says that it ended for that."""
        return done.stdout == DATA or b"nothing moved for 3 s" in done.stderr

    stdin = DATA


class Runs:
    def __init__(self, program, folder, aloud):
        self.program, self.folder, self.aloud = program, folder, aloud
        self.count = self.good = self.told = 0
        self.failures = []

    def one(self, verb, n, flavour, mode):
        """One run. Calls made, calls failed, errors that the call has."""
        report = os.path.join(self.folder, "report")
        if os.path.exists(report):
            os.remove(report)
        env = {**os.environ, "TERN_FAULT": f"{n} {flavour} {mode}", "TERN_FAULT_REPORT": report}
        try:
            done = subprocess.run([self.program] + verb.command(), input=verb.stdin, env=env,
                                  capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            self.tell(verb, n, flavour, mode, "?", "still running after %d s" % SECONDS)
            return 0, 1, 1
        calls, hits, flavours, call = 0, 1, 1, "?"
        if os.path.exists(report):  # none where the process ends without its handlers
            with open(report) as text:
                calls, hits, flavours, call = text.read().split()
        self.tell(verb, n, flavour, mode, call, self.judge(verb, done, int(hits), mode, call), done)
        return int(calls), int(hits), int(flavours)

    def judge(self, verb, done, hits, mode, call):
        """What is wrong; None: nothing."""
        self.count += 1
        if done.returncode == 0:
            self.good += hits > 0
            return None if verb.right(done) else "exit 0 with wrong bytes"
        self.told += 1
        if mode == 1 and call == "write" and not done.stderr:
            return None  # its words could not be written either
        if done.returncode not in verb.codes:
            return f"exit {done.returncode}"
        return None if done.stderr.strip() else f"exit {done.returncode} without a word"

    def tell(self, verb, n, flavour, mode, call, wrong, done=None):
        words = f"{verb.name}: call {n} ({call}), flavour {flavour}, mode {mode}: {wrong}"
        if done is not None:
            words += f"; exit {done.returncode}, " + done.stderr.decode(errors="replace")[-400:]
        if wrong is not None:
            self.failures.append(words)
        if wrong is not None or self.aloud:
            print(words, flush=True)

    def nth(self, verb, n):
        """Each error of the n-th call, once and for good; how many were met."""
        flavour, flavours, met = 0, 1, 0
        while flavour < flavours:
            for mode in (0, 1):
                _calls, hits, has = self.one(verb, n, flavour, mode)
                met += hits
                flavours = max(flavours, has) if hits else flavours
            flavour += 1
        return met

    def all(self, verb):
        n = 1
        while self.nth(verb, n):
            n += 1

    def some(self, verb, samples):
        calls = self.one(verb, 0, 0, 0)[0]
        for i in range(samples):
            self.one(verb, 1 + i * calls // samples, i // 2, i % 2)
        for n in range(max(1, calls - ENDING), calls + 1):  # where all is given back
            self.one(verb, n, n, 1)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("program")
    words.add_argument("--all", action="store_true")
    words.add_argument("--verb", choices=["get", "nc"])
    words.add_argument("--at", type=int)
    words.add_argument("--samples", type=int, default=SAMPLES)
    options = words.parse_args()
    folder = tempfile.mkdtemp(prefix="tern-fail-")
    runs = Runs(options.program, folder, options.at is not None)
    try:
        for verb in (Get(folder), Nc(folder)):
            if options.verb not in (None, verb.name):
                continue
            if options.at is not None:
                runs.nth(verb, options.at)
            elif options.all:
                runs.all(verb)
            else:
                runs.some(verb, options.samples // 2)
            runs.one(verb, 0, 0, 0)
    finally:
        shutil.rmtree(folder)
    print(f"{runs.count} runs: {runs.good} went well in spite of it, {runs.told} said why not, "
          f"{len(runs.failures)} failures")
    return 1 if runs.failures else 0


if __name__ == "__main__":
    sys.exit(main())
