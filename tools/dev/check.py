#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every test of the project, after ./check has built it.

    ./check             all of it
    ./check --quick     the unit tests and the static checks only
    ./check --long      all of it, with the lab's long transfers
    ./check PART...     these parts: unit static guard sanitize fuzz lab

Each meson test, each lab case and each static check counts as one. What each part says stands in
build/check/PART.log. The last line is `N passed, N failed`, and `, N skipped` where there are
such; the exit status is 0 only where nothing failed.
"""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build")
SANITIZED = os.path.join(TOP, "build-sanitize")
FUZZ = os.path.join(TOP, "build-fuzz")  # fuzz/campaign's as well
LOGS = os.path.join(BUILD, "check")
RESULT = re.compile(r"^(ok|FAIL|skip) +(.*)$")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


class Tally:
    """Results as they come in, from several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}
        self.words = {"FAIL": [], "skip": []}

    def add(self, part, verdict, text, detail=""):
        with self.lock:
            self.counts[verdict] += 1
            if verdict != "ok":
                self.words[verdict].append(f"{part}: {text}")
                print(f"{verdict} {part}: {text}")
                for line in detail.splitlines()[-40:]:
                    print(f"       {line}")
                sys.stdout.flush()

    def say(self, text):
        with self.lock:
            print(text)
            sys.stdout.flush()


CHILDREN = []


def start(command, **options):
    """A child in a process group of its own, so that ^C can take its children along."""
    child = subprocess.Popen(command, start_new_session=True, **options)
    CHILDREN.append(child)
    return child


def interrupted(_number, _frame):
    """^C: nothing is left running, whichever thread waits for it."""
    living = [child for child in CHILDREN if child.poll() is None]
    for how, seconds in ((signal.SIGTERM, 3), (signal.SIGKILL, 0)):
        for child in living:
            if child.poll() is None:
                os.killpg(child.pid, how)
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(child.poll() is None for child in living):
            time.sleep(0.05)
    print("interrupted", flush=True)
    os._exit(130)


def stop_group(child):
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def run_logged(log_name, command, seconds, env=None):
    """Exit status, with the output in a log; 124 where it took too long."""
    with open(os.path.join(LOGS, log_name), "ab") as log:
        child = start(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=log,
                      stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        try:
            return child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return 124
        finally:
            stop_group(child)


def tail(log_name, lines):
    with open(os.path.join(LOGS, log_name), errors="replace") as log:
        return "".join(log.readlines()[-lines:])


def last_words(entry):
    said = (entry.get("stdout") or "") + (entry.get("stderr") or "")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def meson_results(tally, part, directory):
    """Count the tests of a meson log; how many there were."""
    path = os.path.join(directory, "meson-logs", "testlog.json")
    if not os.path.exists(path):
        return 0
    count = 0
    with open(path, errors="replace") as log:
        for line in log:
            entry = json.loads(line)
            name = entry["name"].split(" / ")[-1]
            count += 1
            if entry["result"] in ("OK", "EXPECTEDFAIL"):
                tally.add(part, "ok", name)
            elif entry["result"] == "SKIP":
                tally.add(part, "skip", f"{name}: {last_words(entry)}")
            else:
                tally.add(part, "FAIL", f"{name}: {entry['result'].lower()}",
                          (entry.get("stdout") or "") + (entry.get("stderr") or ""))
    return count


def meson_tests(tally, part, directory, env=None, names=()):
    """Run the tests of a build directory: all, or some by their names."""
    results = os.path.join(directory, "meson-logs", "testlog.json")
    if os.path.exists(results):
        os.remove(results)
    command = ["meson", "test", "-C", directory, "--no-rebuild", "--num-processes", "2"]
    command += names
    if env:
        command += ["-t", "8"]
    status = run_logged(part + ".log", command, 1200, env)
    count = meson_results(tally, part, directory)
    if count == 0:
        tally.add(part, "FAIL", "no test ran", tail(part + ".log", 20))
    elif status == 124:
        tally.add(part, "FAIL", "the tests took more than 1200 s and were stopped")
    tally.say(f"{part}: {count} tests")


def unit(tally, _options):
    meson_tests(tally, "unit", BUILD)


def sanitize(tally, _options):
    """The same tests under AddressSanitizer and UndefinedBehaviorSanitizer. Warnings are errors in
    the true build; with sanitizers gcc invents some."""
    words = "top=$PWD; . tools/dev/setup; tern_configure \"$1\" -Dwerror=false -Db_lundef=false " \
            "-Db_sanitize=address,undefined -Doptimization=2 && tern_ninja \"$1\""
    status = run_logged("sanitize.log", ["bash", "-c", words, "-", SANITIZED], 600)
    if status != 0:
        tally.add("sanitize", "FAIL", "does not build", tail("sanitize.log", 40))
        return
    meson_tests(tally, "sanitize", SANITIZED, SANITIZER_ENV)


def fuzz(tally, _options):
    """The targets as campaigns build them, by clang and for libFuzzer, each over its corpus."""
    targets = sorted(name[len("fuzz_"):-len(".c")] for name in os.listdir(os.path.join(TOP, "fuzz"))
                     if name.startswith("fuzz_") and name.endswith(".c"))
    words = "top=$PWD; dir=$1; shift; . tools/dev/setup; " \
            "CC=clang tern_configure \"$dir\" -Dtests=false && tern_ninja \"$dir\" \"$@\""
    status = run_logged("fuzz.log", ["bash", "-c", words, "-", FUZZ] +
                        ["fuzz/fuzz_" + target for target in targets], 600)
    if status != 0:
        tally.add("fuzz", "FAIL", "does not build", tail("fuzz.log", 40))
        return
    meson_tests(tally, "fuzz", FUZZ, names=["sanitized_corpus_" + target for target in targets])


def lines_of(tally, part, command, seconds):
    """Count the result lines (ok, FAIL, skip) that a command prints."""
    count = 0
    pending = None
    detail = []

    def flush():
        if pending:
            tally.add(part, pending[0], pending[1], "\n".join(detail))

    child = start(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                  stderr=subprocess.STDOUT, text=True, errors="replace")
    timer = threading.Timer(seconds, lambda: os.killpg(child.pid, signal.SIGTERM))
    timer.start()
    try:
        with open(os.path.join(LOGS, part + ".log"), "w") as log:
            for line in child.stdout:
                log.write(line)
                found = RESULT.match(line)
                if found:
                    flush()
                    pending, detail = (found.group(1), found.group(2)), []
                    count += 1
                elif line.startswith("note "):
                    tally.say(f"{part}: {line[5:].rstrip()}")
                else:
                    detail.append(line.rstrip())
        flush()
        status = child.wait()
    finally:
        timer.cancel()
        stop_group(child)
    if count == 0 or status not in (0, 1):
        tally.add(part, "FAIL", f"ended with status {status} after {count} results",
                  tail(part + ".log", 20))
    tally.say(f"{part}: {count} results")


def static(tally, _options):
    lines_of(tally, "static", ["/usr/bin/python3", "tools/dev/static.py"], 300)


def guard(tally, _options):
    """Instructions of fixed scenarios against the table of this compiler."""
    lines_of(tally, "guard", ["/usr/bin/python3", "tests/guard/guard.py"], 600)


def lab(tally, options):
    lines_of(tally, "lab", ["/usr/bin/python3", "tests/lab/run.py"] + options,
             7200 if "--long" in options else 1800)


PARTS = {"unit": unit, "static": static, "guard": guard, "sanitize": sanitize,
         "fuzz": fuzz, "lab": lab}


def run_parts(tally, names, options):
    """The sanitizers' builds beside the quick parts; the lab alone, as it looks at the clock."""
    def several(which):
        for name in which:
            PARTS[name](tally, options)

    beside = threading.Thread(target=several, args=(
        [name for name in ("sanitize", "fuzz") if name in names],))
    beside.start()
    several([name for name in ("unit", "static", "guard") if name in names])
    beside.join()
    several([name for name in ("lab",) if name in names])


def main(arguments):
    if "--help" in arguments or "-h" in arguments:
        print(__doc__.strip())
        return 0
    names = [word for word in arguments if not word.startswith("-")]
    options = [word for word in arguments if word.startswith("-")]
    unknown = [n for n in names if n not in PARTS] + \
        [o for o in options if o not in ("--quick", "--long")]
    if unknown:
        print(f"check: what is {unknown[0]}? See ./check --help", file=sys.stderr)
        return 2
    if not names:
        names = ["unit", "static"] if "--quick" in options else list(PARTS)
    os.makedirs(LOGS, exist_ok=True)
    for name in names:
        open(os.path.join(LOGS, name + ".log"), "w").close()
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    began = time.monotonic()
    tally = Tally()
    run_parts(tally, names, [o for o in options if o != "--quick"])
    if tally.words["skip"]:
        print("skipped:")
        for words in tally.words["skip"]:
            print(f"  {words}")
    if tally.words["FAIL"]:
        print("failed:")
        for words in tally.words["FAIL"]:
            print(f"  {words}")
    print(f"{time.monotonic() - began:.0f} s; logs in build/check")
    counts = tally.counts
    last = f"{counts['ok']} passed, {counts['FAIL']} failed"
    if counts["skip"]:
        last += f", {counts['skip']} skipped"
    print(last)
    return 1 if counts["FAIL"] or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
