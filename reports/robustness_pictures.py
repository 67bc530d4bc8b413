"""Pictures of damage: degradation curves with bands, settling times, critical inputs."""

import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from toreq_hw.reports.pictures import STYLE, svg

_SIZE = (4.6, 2.9)


def curves_with_bands(
    levels: Sequence[float],
    series: Mapping[str, Sequence[tuple[float, float, float]]],
    horizontal: str,
    vertical: str,
) -> str:
    """Per cent against level, one line with its confidence band per entry.

    series: per level (value, low, high), 0..1. The axis is logarithmic where levels span more
    than two decades; level 0 is left out there.
    """
    positive = [level for level in levels if level > 0]
    logarithmic = bool(positive) and max(positive) / min(positive) > 100
    with mpl.rc_context(STYLE):
        figure, axes = _figure(horizontal, vertical)
        if logarithmic:
            axes.set_xscale("log")
        for label, points in series.items():
            shown = [
                (x, *p) for x, p in zip(levels, points, strict=True) if x > 0 or not logarithmic
            ]
            x, middle, low, high = 100 * np.array(shown, dtype=np.float64).reshape(-1, 4).T
            axes.plot(x / 100, middle, marker=".", label=label)
            axes.fill_between(x / 100, low, high, alpha=0.25, linewidth=0)
        axes.legend(frameon=False)
        return _small(figure)


def share_lines(counts: Mapping[str, Sequence[int]], unit: str) -> str:
    """Shares of 1, 2, 3, .. `unit` in per cent, one line per entry; empty tails are cut."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(unit, "images, %")
        longest = max((np.flatnonzero(c)[-1] + 1 for c in counts.values() if np.any(c)), default=1)
        for label, values in counts.items():
            share = 100 * np.asarray(values[:longest], dtype=np.float64) / max(1, sum(values))
            axes.step(np.arange(1, longest + 1), share, where="mid", label=label)
        axes.legend(frameon=False, title="level")
        return _small(figure)


def heat_map(values: npt.NDArray[np.floating], label: str) -> str:
    """A matrix as colours, with its scale. values: (rows, columns)."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        shown = axes.imshow(values, cmap="viridis", interpolation="nearest")
        axes.set_axis_off()
        figure.colorbar(shown, ax=axes, label=label)
        return _small(figure)


def _small(figure: Figure) -> str:
    """The figure with coordinates to a tenth of a point, without metadata and indentation."""
    text = re.sub(r"<metadata>.*?</metadata>", "", svg(figure), flags=re.DOTALL)
    return re.sub(r"(\d\.\d)\d+", r"\1", re.sub(r"\n\s*", "\n", text))


def _figure(horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    return figure, figure.add_subplot(xlabel=horizontal, ylabel=vertical)
