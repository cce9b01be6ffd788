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

# name, path in the build directory, its arguments for N runs
PROGRAMS = [
    ("engine", "benchmarks/engine/engine", lambda runs: ["--json", "--runs", str(runs)]),
]
# What the project set itself: must and stretch of the value where there is no rival.
TARGETS = {"engine-bulk": (200, 120)}


def titles():
    return [f"{name} memory" for name, path, _ in PROGRAMS
            if os.path.exists(os.path.join(BUILD, path))]


def rows_of(text):
    """The rows that a program printed."""
    for entry in json.loads(text):
        must, stretch = TARGETS.get(entry["workload"], (None, None))
        workload = Workload(entry["workload"], entry["link"], entry["unit"], None,
                            entry.get("rival"), entry["better"], entry.get("rival_name", ""),
                            must, stretch)
        yield report.Row(workload, [report.value(v) for v in entry["tern"]],
                         [report.value(v) for v in entry.get("rival") or []])


def measure(options):
    """Rows of all programs that were asked for."""
    for name, path, words in PROGRAMS:
        program = os.path.join(BUILD, path)
        if not os.path.exists(program) or \
                (options.only and not any(w in f"{name} memory" for w in options.only)):
            continue
        try:
            done = subprocess.run([program, *words(options.pairs)], stdout=subprocess.PIPE,
                                  timeout=600, check=True, text=True)
            yield from rows_of(done.stdout)
        except (subprocess.SubprocessError, ValueError, KeyError) as why:
            yield report.Missing(Workload(name, "memory", "", None), str(why))
        except world.Failed as why:
            yield report.Missing(Workload(name, "memory", "", None), str(why))
