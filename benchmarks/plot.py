# SPDX-License-Identifier: BSD-2-Clause
"""The ratios as a picture: one bar a workload, from what equals the rival to what was measured,
with the spread of the pairs and the targets."""
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

FASTER, SLOWER, TARGET = "#2a7f62", "#b5523b", "#333333"


def better_by(row, ratio):
    """Above 1: tern is ahead, whichever way the unit points."""
    return ratio if row.workload.better == "higher" else 1 / ratio


def ratios(rows, path):
    rows = [row for row in rows if row.ratios][::-1]
    plt.rcParams["svg.hashsalt"] = "tern"  # the same figures make the same file
    plt.rcParams["font.size"] = 9
    figure, axis = plt.subplots(figsize=(9, 0.8 + 0.28 * len(rows)))
    for y, row in enumerate(rows):
        ahead = better_by(row, row.ratio)
        around = sorted(better_by(row, ratio) for ratio in row.ratios)
        axis.barh(y, ahead - 1, left=1, height=0.6, color=FASTER if ahead >= 1 else SLOWER)
        axis.plot([around[0], around[-1]], [y, y], color=TARGET, linewidth=1)
        if row.workload.must is not None:
            axis.plot([better_by(row, row.workload.must)] * 2, [y - 0.4, y + 0.4], color=TARGET,
                      linewidth=2)
        axis.text(1.01, y, f"{row.ratio:.2f} of {row.workload.rival_name}", va="center",
                  transform=axis.get_yaxis_transform())
    axis.set_yticks(range(len(rows)),
                    [f"{row.workload.name} ({row.workload.link})" for row in rows])
    axis.set_xscale("log")
    ticks = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axis.minorticks_off()
    axis.axvline(1, color=TARGET, linewidth=1)
    axis.set_xlabel("how far ahead of its rival tern is (1: equal; upright marks: targets; "
                    "at the right: tern / rival)")
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
