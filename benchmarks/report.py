# SPDX-License-Identifier: BSD-2-Clause
"""What came out: a line for each workload, and the files that were asked for.

A ratio is of one pair of runs, tern's and the rival's, one right after the other; the row's ratio
is the median of those, its spread the least and the greatest. Noise is how far the rival's own runs
lie apart, against their median: what the machine alone makes of the same program.
"""
import json
import statistics

from ground import Run, spread


def value(number):
    return Run(float(number))


class Row:
    """A workload that was measured."""

    def __init__(self, workload, tern, rival):
        self.workload = workload
        self.tern, self.rival = tern, rival
        self.ratios = [t.value / r.value for t, r in zip(tern, rival) if r.value]
        self.ratio = statistics.median(self.ratios) if self.ratios else None

    def measured(self):
        """What the targets are of."""
        return self.ratio if self.ratio is not None else middle(self.tern)

    def reaches(self, target):
        if target is None:
            return None
        if self.workload.better == "higher":
            return self.measured() >= target
        return self.measured() <= target

    def cpu(self):
        """Median CPU seconds a GB of both ends, tern's runs and the rival's; None: not bulk."""
        costs = self.costs()
        return [statistics.median(side) for side in costs] if costs else None

    def costs(self):
        """The same of each run: tern's, and the rival's."""
        costs = [[run.cpu_per_gb() for run in side] for side in (self.tern, self.rival)]
        return costs if all(side and all(side) for side in costs) else None

    def json(self):
        told = {"workload": self.workload.name, "link": self.workload.link,
                "unit": self.workload.unit, "better": self.workload.better,
                "tern": [run.value for run in self.tern],
                "rival": [run.value for run in self.rival],
                "rival_name": self.workload.rival_name, "ratio": self.ratio}
        costs = self.costs()
        if costs:
            told["cpu_seconds_per_gb"] = {"tern": costs[0], "rival": costs[1]}
        return told


class Missing:
    """A workload that could not be measured."""

    def __init__(self, workload, why):
        self.workload, self.why = workload, why


def middle(runs):
    return statistics.median(run.value for run in runs)


def head():
    print(f"{'workload':34} {'link':17} {'tern':>9} {'rival':>9}  {'unit':13} {'ratio':>6}"
          f" {'spread':>11} {'noise':>6} {'CPU s/GB':>11}  target")


def target_words(row):
    """The targets, and whether they are reached."""
    sign = ">=" if row.workload.better == "higher" else "<="
    if row.workload.must is None:
        return ""
    words = f"{sign} {row.workload.must:g} {'yes' if row.reaches(row.workload.must) else 'NO'}"
    if row.workload.stretch is not None:
        words += f", {row.workload.stretch:g} " \
                 f"{'yes' if row.reaches(row.workload.stretch) else 'no'}"
    return words


def short(number):
    return f"{number:.0f}" if number >= 1000 else f"{number:.3g}"


def line(row):
    if isinstance(row, Missing):
        print(f"{row.workload.name:34} {row.workload.link:17} not measured: {row.why}", flush=True)
        return
    w = row.workload
    cpu = row.cpu()
    print(f"{w.name:34} {w.link:17} {short(middle(row.tern)):>9}"
          f" {short(middle(row.rival)) if row.rival else '':>9}  {w.unit:13}"
          f" {f'{row.ratio:.2f}' if row.ratio is not None else '':>6}"
          f" {f'{min(row.ratios):.2f}-{max(row.ratios):.2f}' if row.ratios else '':>11}"
          f" {f'{100 * spread([r.value for r in row.rival]):.0f} %' if row.rival else '':>6}"
          f" {f'{cpu[0]:.2f} / {cpu[1]:.2f}' if cpu else '':>11}  {target_words(row)}", flush=True)


def finish(rows, options):
    """The last line, and the files. 0 where everything that was asked for was measured."""
    measured = [row for row in rows if isinstance(row, Row)]
    aims = [row for row in measured if row.workload.must is not None]
    reached = [row for row in aims if row.reaches(row.workload.must)]
    print(f"{len(measured)} measured, {len(rows) - len(measured)} not; of {len(aims)} targets "
          f"{len(reached)} reached")
    if options.json:
        with open(options.json, "w") as out:
            json.dump([row.json() for row in measured], out, indent=1)
            out.write("\n")
    if options.plot:
        import plot  # the library is needed here only
        plot.ratios(measured, options.plot)
    return 0 if rows and len(measured) == len(rows) else 1
