"""Pictures of a search: its fronts, and all of its points as lines from axis to axis."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from toreq_hw.reports.pictures import COLOURS, STYLE, svg

_FRONT, _OTHER, _PICK = COLOURS[0], COLOURS[6], COLOURS[4]


@dataclass(frozen=True)
class Drawn:
    """A point of a picture. values: one an axis. said: what is shown beside the pointer."""

    number: int
    values: tuple[float, ...]
    on_front: bool
    picked: bool
    said: str


@dataclass(frozen=True)
class Axis:
    """An axis of lines. texts: what its numbers stand for; none where they stand for themselves."""

    name: str
    texts: tuple[str, ...] = ()

    def label(self, value: float) -> str:
        """What stands at a value."""
        return self.texts[int(value)] if self.texts else f"{value:.4g}"


def front_picture(name: str, axes_names: tuple[str, str], points: Sequence[Drawn]) -> str:
    """Points by two figures; those on the front stand out. name: of this picture on its page."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.8, 3.4), layout="constrained")
        axes = figure.add_subplot(xlabel=axes_names[0], ylabel=axes_names[1])
        for group, colour, size in ((0, _OTHER, 4), (1, _FRONT, 7), (2, _PICK, 9)):
            first = True
            for point in points:
                if point.on_front + point.picked != group:
                    continue
                label = ("another point", "front", "recommended")[group] if first else None
                first = False
                axes.plot(
                    *point.values,
                    marker="o",
                    linestyle="",
                    color=colour,
                    markersize=size,
                    label=label,
                    gid=f"{name}-{point.number}",
                )
        axes.margins(0.08)
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
        return _with_titles(svg(figure), name, points)


def parallel_picture(name: str, axes_drawn: Sequence[Axis], points: Sequence[Drawn]) -> str:
    """A line a point over axes of their own scales; values are those of each axis."""
    columns = np.array([point.values for point in points], dtype=float)
    low, high = columns.min(axis=0), columns.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(5.0, 1.0 * len(axes_drawn) + 1.0), 4.0), layout="constrained")
        axes = figure.add_subplot()
        for point, row in sorted(zip(points, columns, strict=True), key=lambda p: p[0].on_front):
            place = np.where(high > low, (row - low) / span, 0.5)
            colour = _PICK if point.picked else _FRONT if point.on_front else _OTHER
            axes.plot(
                place,
                color=colour,
                linewidth=2.2 if point.on_front else 0.8,
                alpha=1.0 if point.on_front else 0.5,
                gid=f"{name}-{point.number}",
            )
        for number, (bottom, top) in enumerate(zip(low, high, strict=True)):
            axes.axvline(number, color=_OTHER, linewidth=0.8)
            axes.text(number, 1.03, axes_drawn[number].label(top), ha="center")
            axes.text(number, -0.07, axes_drawn[number].label(bottom), ha="center")
        names = [axis.name for axis in axes_drawn]
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
        axes.tick_params(axis="x", pad=14)
        axes.set(xlim=(-0.3, len(names) - 0.7), ylim=(-0.02, 1.02), yticks=[])
        axes.spines.left.set_visible(False)
        axes.spines.bottom.set_visible(False)
        return _with_titles(svg(figure, f"points over {', '.join(names)}"), name, points)


def _with_titles(picture: str, name: str, points: Sequence[Drawn]) -> str:
    """The picture, each point of which says what it is where a pointer rests on it."""
    said = {f"{name}-{point.number}": point.said for point in points}

    def titled(match: re.Match[str]) -> str:
        return (
            f"{match[0]}<title>{escape(said[match[1]])}</title>" if match[1] in said else match[0]
        )

    return re.sub(rf'<g id="({re.escape(name)}-\d+)">', titled, picture)
