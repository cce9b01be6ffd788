# SPDX-License-Identifier: BSD-2-Clause
"""Some thousands of connections at once; benchmarks/crowd.py has the form with a million."""
import os

import world
from case import case
from crowd_world import Crowd
from world import equal, hold

FOLDER = os.path.join(os.path.dirname(world.TERN), "benchmarks", "crowd")
CONNECTIONS = 5000


@case("crowd: five thousand callers at once, of whom most rest, and each is answered")
def five_thousand(lab):
    if not os.path.exists(os.path.join(FOLDER, "crowd")):
        raise world.Skipped(f"{FOLDER}/crowd is not built")
    # All of them say goodbye at once: with few control blocks most of that would be lost, and come
    # again by the callers' timers, for a minute.
    crowd = Crowd(lab, FOLDER, CONNECTIONS, awake=750)
    crowd.connect(10)
    before = crowd.figures()
    crowd.connect(CONNECTIONS)
    idle = crowd.figures()
    equal("connections", idle["connections"], CONNECTIONS)
    hold("most of them rest", idle["resting"] > CONNECTIONS * 0.8, str(idle))
    bytes_each = (idle["rss_bytes"] - before["rss_bytes"]) / (CONNECTIONS - 10)
    hold("an idle connection takes less than 1 KiB", bytes_each < 1024, f"{bytes_each:.0f}")
    talk = crowd.chat(CONNECTIONS, CONNECTIONS)
    hold("those who rested woke", talk["wakes"] > CONNECTIONS * 0.8, str(talk))
    crowd.chat(50, 5000)
    equal("connections still", crowd.figures()["connections"], CONNECTIONS)
    crowd.close()
    lab.note(f"{bytes_each:.0f} bytes an idle connection")
