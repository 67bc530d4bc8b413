"""A picture of the core map: the grid of every chip, and what travels between its cores."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch, Patch, Rectangle

from toreq_hw.records.chip import ChipMap, Core, Traffic
from toreq_hw.reports.chip_pictures import population_colours
from toreq_hw.reports.pictures import STYLE, svg

CHIPS_WIDE = 2
"""Grids side by side."""

MOST_ARROWS = 30
"""The busiest ways between cores; others are not drawn."""


def core_map(mapping: ChipMap, traffic: tuple[Traffic, ...]) -> str:
    """SVG text: one grid a chip; a core's fill is its fullest limit, an arrow its messages."""
    chip, cores, count = mapping.chip, mapping.cores, mapping.chips_used
    columns, rows = chip.columns, chip.rows
    wide = min(count, CHIPS_WIDE)
    high = -(-count // wide)
    colours = population_colours(list(dict.fromkeys(core.population for core in cores)))
    with mpl.rc_context({**STYLE, "font.size": 8}):
        size = (0.34 * columns * wide + 0.4, 0.34 * rows * high + 0.4 * high + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        axes = list(figure.subplots(high, wide, squeeze=False).ravel())
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
            ax.annotate(f"{fill:.0f}", _middle(core), ha="center", va="center", fontsize=6)
        _add_traffic(figure, axes, cores, traffic)
        handles = [Patch(fc=colour, alpha=0.75, label=name) for name, colour in colours.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        return svg(figure)


def _add_traffic(
    figure: Figure, axes: list[Axes], cores: tuple[Core, ...], traffic: tuple[Traffic, ...]
) -> None:
    """Arrows between cores, as wide as their messages; what stays within a core has none."""
    ways = [
        (way.messages, cores[way.source], cores[way.target])
        for way in traffic
        if way.source is not None and way.source != way.target and way.messages
    ]
    ways.sort(key=lambda way: -way[0])
    for messages, source, target in ways[:MOST_ARROWS]:
        arrow = ConnectionPatch(
            _middle(source),
            _middle(target),
            "data",
            "data",
            axesA=axes[source.chip],
            axesB=axes[target.chip],
            arrowstyle="-|>",
            connectionstyle="arc3,rad=0.45",
            mutation_scale=6,
            shrinkA=5,
            shrinkB=5,
            lw=0.5 + 2.5 * messages / ways[0][0],
            color="0.5",
            alpha=0.6,
        )
        figure.add_artist(arrow)


def _middle(core: Core) -> tuple[float, float]:
    return core.column + 0.5, core.row + 0.5
