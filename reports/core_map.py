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


LARGEST_CORE, WIDEST, NARROWEST = 0.7, 7.2, 2.6
"""Inches: of a side of a core, and of all grids or of one."""

POINTS = 72
"""Of an inch."""

_ABOVE = 0.6
"""Room over a grid for arrows, in sides of a core."""

_FREE = 0.3
"""Of a side, around the number in a core."""


def core_map(mapping: ChipMap, traffic: tuple[Traffic, ...]) -> str:
    """SVG text: a grid a chip, around its used cores; fills are fullest limits, arrows messages."""
    chip, cores, count = mapping.chip, mapping.cores, mapping.chips_used
    left, right = _window([core.column for core in cores], chip.columns)
    top, bottom = _window([core.row for core in cores], chip.rows)
    columns, rows = right - left, bottom - top
    shown = ""
    if (columns, rows) != (chip.columns, chip.rows):
        shown = f"\ncolumns {left}..{right - 1}, rows {top}..{bottom - 1} of "
        shown += f"{chip.columns} x {chip.rows} cores"
    wide = min(count, CHIPS_WIDE)
    side = min(LARGEST_CORE, WIDEST / (columns * wide))
    high = -(-count // wide)
    colours = population_colours(list(dict.fromkeys(core.population for core in cores)))
    with mpl.rc_context({**STYLE, "font.size": 8}):
        width = max(side * columns, NARROWEST) * wide + 0.4
        size = (width, (side * (rows + _ABOVE) + 0.6) * high + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        axes = list(figure.subplots(high, wide, squeeze=False).ravel())
        for number, ax in enumerate(axes):
            ax.set(xlim=(left, right), ylim=(bottom, top - _ABOVE), aspect="equal")
            ax.set_axis_off()
            ax.set_visible(number < count)
            ax.set_title(f"{chip.name}, chip {number}{shown}")
            ax.vlines(range(left, right + 1), top, bottom, color="0.8", lw=0.5)
            ax.hlines(range(top, bottom + 1), left, right, color="0.8", lw=0.5)
        for core in cores:
            fill = max(core.percent.values())
            height = min(fill, 100) / 100
            corner = (core.column, core.row + 1 - height)
            colour = colours[core.population]
            ax = axes[core.chip]
            ax.add_patch(Rectangle(corner, 1, height, fc=colour, alpha=0.75, zorder=2))
            ax.annotate(f"{fill:.0f}", _middle(core), ha="center", va="center")
        _add_traffic(figure, axes, cores, traffic, side)
        handles = [Patch(fc=colour, alpha=0.75, label=name) for name, colour in colours.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        return svg(figure)


def _window(used: list[int], size: int) -> tuple[int, int]:
    """First and end of what is drawn of a row or column of `size`: what is used, and a border."""
    return max(0, min(used) - 1), min(size, max(used) + 2)


def _add_traffic(
    figure: Figure,
    axes: list[Axes],
    cores: tuple[Core, ...],
    traffic: tuple[Traffic, ...],
    side: float,
) -> None:
    """Arrows between cores, as wide as their messages; what stays within a core has none.

    side: of a core, inches; an arrow leaves the number in its middle free.
    """
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
            shrinkA=_FREE * side * POINTS,
            shrinkB=_FREE * side * POINTS,
            lw=0.5 + 2.5 * messages / ways[0][0],
            color="0.5",
            alpha=0.6,
        )
        figure.add_artist(arrow)


def _middle(core: Core) -> tuple[float, float]:
    return core.column + 0.5, core.row + 0.5
