# SPDX-License-Identifier: BSD-2-Clause
"""The list of cases. A case is a function of a world (world.py) that raises Failed or Skipped."""

CASES = {}


class Case:
    def __init__(self, name, run, alone, programs, seconds):
        self.name, self.run, self.alone = name, run, alone
        self.programs, self.seconds = programs, seconds


def case(name, alone=False, programs=(), seconds=None):
    """Register a function as a case. alone: nothing else of the lab runs beside it."""
    def register(function):
        if name in CASES:
            raise ValueError(f"two cases named {name}")
        CASES[name] = Case(name, function, alone, tuple(programs), seconds)
        return function
    return register
