# SPDX-License-Identifier: BSD-2-Clause
"""Programs that measure by themselves and print rows as JSON, as `./bench --json` writes them (a
rival is optional). To add one: a line in PROGRAMS; where it was not built it is passed over.
"""
import json
import os
import subprocess

import report
import world
from ground import BUILD
from workloads import Workload

# What the project set itself: must and stretch, of the ratio, or of the value where there is no
# rival.
TARGETS = {"engine-bulk": (200, 120), "engine-bulk-lent": (200, 120), "idle connection": (512, 320),
           "segment, few of many": (1.5, 1.2), "segment, a hundredth of many": (1.5, 1.2)}


def engine_words(options):
    return ["--json", "--runs", str(options.pairs)]


def many_words(options):
    if options.quick:
        return ["--json", "--connections", "100000", "--messages", "100000", "--turnover", "0",
                "--rounds", str(options.pairs)]
    return ["--json", "--huge", "--turnover", "0", "--rounds", str(options.pairs)]


def many_rows(text):
    """Of many connections in one stack: what an idle one takes, and what a segment costs against
    what it costs among ten."""
    told = json.loads(text)
    few = told["few"]
    yield {"workload": "idle connection", "link": "memory", "unit": "B", "better": "lower",
           "tern": told["idle_bytes"]}
    for name, kind in (("segment, few of many", "lone"), ("segment, a hundredth of many", "many")):
        yield {"workload": name, "link": "memory", "unit": "ns", "better": "lower",
               "tern": told[kind], "rival": few, "rival_name": "ten alone"}


def turnover_words(options):
    return ["--json", "--seconds", "1", "--rounds", "1" if options.quick else str(options.pairs)]


def turnover_rows(text):
    """What a connection that comes and goes costs at 100,000 a second."""
    for told in json.loads(text):
        yield {"workload": f"turnover, {told['workload']}", "link": "memory", "unit": "ns",
               "better": "lower", "tern": told["ns"]}


# name, path in the build directory, its arguments by the options, what makes rows of its output
PROGRAMS = [
    ("engine", "benchmarks/engine/engine", engine_words, json.loads),
    ("many", "benchmarks/many/many", many_words, many_rows),
    ("turnover", "benchmarks/turnover/turnover", turnover_words, turnover_rows),
]


def titles():
    return [f"{name} memory" for name, path, *_ in PROGRAMS
            if os.path.exists(os.path.join(BUILD, path))]


def rows_of(entries):
    """The rows of what a program printed."""
    for entry in entries:
        must, stretch = TARGETS.get(entry["workload"], (None, None))
        workload = Workload(entry["workload"], entry["link"], entry["unit"], None,
                            entry.get("rival"), entry["better"], entry.get("rival_name", ""),
                            must, stretch)
        yield report.Row(workload, [report.value(v) for v in entry["tern"]],
                         [report.value(v) for v in entry.get("rival") or []])


def measure(options):
    """Rows of all programs that were asked for."""
    for name, path, words, rows in PROGRAMS:
        program = os.path.join(BUILD, path)
        if not os.path.exists(program) or \
                (options.only and not any(w in f"{name} memory" for w in options.only)):
            continue
        try:
            done = subprocess.run([program, *words(options)], stdout=subprocess.PIPE,
                                  timeout=600, check=True, text=True)
            yield from rows_of(rows(done.stdout))
        except (subprocess.SubprocessError, ValueError, KeyError) as why:
            yield report.Missing(Workload(name, "memory", "", None), str(why))
        except world.Failed as why:
            yield report.Missing(Workload(name, "memory", "", None), str(why))
