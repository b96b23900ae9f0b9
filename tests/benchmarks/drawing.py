"""Draws bars with matplotlib, which only its own environment has: sections as JSON in, a folder of SVG out.

One rule: nothing of the day or the machine gets into a picture.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
# Text stays text: small files that are searched like the page; ids are hashed from the content instead of at random.
mpl.rcParams.update({"svg.hashsalt": "seatline", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 8})

from matplotlib import pyplot as plt  # noqa: E402 - the back end is chosen first

_COLOURS = {"": "#8fa3b5", "met": "#4c9f70", "missed": "#c8553d"}
_GOAL = "#1f2933"
_INCHES, _INCHES_A_BAR, _INCHES_A_PANEL = 9.0, 0.19, 0.55
_LOGARITHMIC = 100  # from so many times the smallest bar on, the small ones would not be seen
_INCHES_A_LETTER = 0.062


def main() -> None:
    """Draw all sections that stand on standard input."""
    for section, panels in json.load(sys.stdin).items():
        draw(panels, Path(sys.argv[1]) / f"{section}.svg")


def draw(panels: list[dict[str, Any]], path: Path) -> None:
    """One picture: the panels below each other, as high as they have bars."""
    counts = [len(panel["bars"]) for panel in panels]
    height = sum(counts) * _INCHES_A_BAR + len(panels) * _INCHES_A_PANEL
    figure, axes = plt.subplots(
        len(panels), figsize=(_INCHES, height), squeeze=False, gridspec_kw={"height_ratios": [n + 1 for n in counts]}
    )
    letters = max(len(bar["name"]) for panel in panels for bar in panel["bars"])
    left = (letters * _INCHES_A_LETTER + 0.15) / _INCHES
    figure.subplots_adjust(left=left, right=0.97, top=1 - 0.12 / height, bottom=0.42 / height, hspace=0.42)
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        _panel(axis, panel["bars"], panel["unit"])
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _panel(axis: Any, bars: list[dict[str, Any]], unit: str) -> None:
    places = range(len(bars))
    medians = [bar["median"] for bar in bars]
    axis.barh(places, medians, height=0.62, color=[_COLOURS[bar["verdict"]] for bar in bars])
    for place, bar in zip(places, bars, strict=True):
        if bar["low"] != bar["high"]:
            axis.plot([bar["low"], bar["high"]], [place, place], color=_GOAL, linewidth=0.8, marker="|", markersize=4)
        if bar["goal"] is not None:
            axis.plot(
                [bar["goal"]] * 2, [place - 0.46, place + 0.46], color=_GOAL, linewidth=1.6, linestyle=(0, (2, 1))
            )
    positive = [median for median in medians if median > 0]
    if positive and min(medians) >= 0 and max(positive) > _LOGARITHMIC * min(positive):
        axis.set_xscale("log")
        axis.minorticks_off()
    axis.xaxis.set_major_formatter("{x:,g}")
    axis.set_yticks(places, [bar["name"] for bar in bars])
    axis.set_ylim(len(bars) - 0.4, -0.6)
    axis.set_xlabel(unit, labelpad=1)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="#d9dee3", linewidth=0.5)
    axis.set_axisbelow(True)


if __name__ == "__main__":
    main()
