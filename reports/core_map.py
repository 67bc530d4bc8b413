"""A picture of the core map: the grid of every chip, coloured by population and fill."""

import matplotlib as mpl
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from toreq_hw.records.chip import ChipMap
from toreq_hw.reports.pictures import svg

CHIPS_WIDE = 2
"""Grids side by side."""


def core_map(mapping: ChipMap) -> str:
    """SVG text of a mapping's record: one grid a chip; a core's fill is its fullest limit."""
    chip, cores, count = mapping.chip, mapping.cores, mapping.chips_used
    columns, rows = chip.columns, chip.rows
    wide = min(count, CHIPS_WIDE)
    high = -(-count // wide)
    names = list(dict.fromkeys(core.population for core in cores))
    colours = {name: colormaps.get_cmap("tab10")(k % 10) for k, name in enumerate(names)}
    with mpl.rc_context({"svg.hashsalt": "toreq-hw", "font.size": 8}):
        size = (0.34 * columns * wide + 0.4, 0.34 * rows * high + 0.4 * high + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(high, wide, squeeze=False).ravel()
        for number, ax in enumerate(axes):
            ax.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", xticks=[], yticks=[])
            ax.set_visible(number < count)
            ax.set_title(f"{chip.name}, chip {number}")
            ax.vlines(range(1, columns), 0, rows, color="0.88", lw=0.5)
            ax.hlines(range(1, rows), 0, columns, color="0.88", lw=0.5)
        for core in cores:
            fill = max(core.percent.values())
            height = min(fill, 100) / 100
            corner = (core.column, core.row + 1 - height)
            colour = colours[core.population]
            ax = axes[core.chip]
            ax.add_patch(Rectangle(corner, 1, height, fc=colour, alpha=0.75, zorder=2))
            middle = (core.column + 0.5, core.row + 0.5)
            ax.annotate(f"{fill:.0f}", middle, ha="center", va="center", fontsize=6)
        handles = [Patch(fc=colours[name], alpha=0.75, label=name) for name in names]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(names))
        return svg(figure)
