"""Pictures of tracks: one quantity over arms and data sets, with intervals."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from toreq_hw.records.verification import Drawing, TrackRow
from toreq_hw.reports.pictures import COLOURS, STYLE, image_sheet, svg

_WIDTH, _LINE, _EDGES = 6.4, 0.24, 0.9
"""Inches: of the picture, of an arm, and of what lies above and below all arms."""


MOST_ARMS = 16
"""Of a picture; the table below it has all."""


def arms_picture(rows: Sequence[TrackRow]) -> str:
    """A point an arm with its interval and every seed's value, a colour a data set.

    rows: of one quantity, at least one; the first arms are shown. Controls have hollow points.
    """
    arms = list(dict.fromkeys(row.arm for row in rows))[:MOST_ARMS]
    rows = [row for row in rows if row.arm in arms]
    sets = list(dict.fromkeys(row.data for row in rows))
    with mpl.rc_context(STYLE):
        size = (_WIDTH, _EDGES + _LINE * len(arms) * max(1, len(sets)) ** 0.5)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot(xlabel=rows[0].quantity)
        for number, name in enumerate(sets):
            colour, labelled = COLOURS[number % len(COLOURS)], False
            aside = 0.6 * (number - (len(sets) - 1) / 2) / max(1, len(sets))
            own = [row for row in rows if row.data == name]
            heights = [arms.index(row.arm) + aside for row in own]
            _dots(axes, own, heights, colour)
            for row, height in zip(own, heights, strict=True):
                half = row.interval.half_width if row.interval else 0.0
                axes.errorbar(
                    [row.mean],
                    [height],
                    xerr=[half],
                    color=colour,
                    marker="o",
                    markersize=4,
                    markerfacecolor="none" if row.control else colour,
                    label="_" if labelled else name,
                )
                labelled = True
        axes.set_yticks(range(len(arms)), arms)
        axes.invert_yaxis()
        figure.legend(frameon=False, loc="outside lower center", ncols=4)
        return svg(figure)


def _dots(axes: Axes, rows: Sequence[TrackRow], heights: Sequence[float], colour: str) -> None:
    """A dot a value: all are one line of points with gaps, which is short as SVG."""
    places = [
        place
        for row, height in zip(rows, heights, strict=True)
        for value in row.values
        for place in ((value, height), (value, height), (np.nan, np.nan))
    ]
    across, up = zip(*places, strict=True)
    axes.plot(across, up, color=colour, alpha=0.35, linewidth=4, solid_capstyle="round")


def drawing_picture(drawing: Drawing) -> str:
    """Its images side by side, darker the larger a state; red and blue where states are signed."""
    images = np.array(drawing.images, dtype=np.int64)
    signed = bool((images < 0).any())
    return image_sheet(images, drawing.caption, drawing.columns, signed=signed)
