# SPDX-License-Identifier: BSD-2-Clause
"""The list of workloads. To add one: a line in a module's ALL; a new module goes into everything().

A workload has two sides, tern's and a rival's: functions of the ground that do one run and return
it (ground.Run). must and stretch are what the project set itself, of the ratio tern/rival, or,
where there is no rival, of the value itself.
"""


class Workload:
    def __init__(self, name, link, unit, tern, rival=None, better="higher", rival_name="kernel",
                 must=None, stretch=None, before=None, after=None, needs_tap=False):
        self.name, self.link, self.unit, self.better = name, link, unit, better
        self.tern, self.rival, self.rival_name = tern, rival, rival_name
        self.must, self.stretch = must, stretch
        self.before, self.after = before, after  # functions of the ground around all its runs
        self.needs_tap = needs_tap

    def title(self):
        return f"{self.name} {self.link}"


def everything():
    import bulk
    import connections
    import fetch
    import lwip
    import roundtrips
    import serve
    return [*bulk.ALL, *roundtrips.ALL, *connections.ALL, *fetch.ALL, *serve.ALL, *lwip.ALL]
