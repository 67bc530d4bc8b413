"""Pictures from arrays, as SVG text that a page can hold."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    "svg.hashsalt": "toreq-hw",  # equal records give equal pages
}
_SMALL: dict[Any, Any] = {**_STYLE, "svg.fonttype": "none"}  # letters, not their outlines
_SIZE = (4.6, 2.9)


def learning_curve(series: Mapping[str, Sequence[float]]) -> str:
    """Accuracy in per cent against epoch, one line per entry (values 0..1)."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure("epoch", "accuracy, %")
        for label, values in series.items():
            axes.plot(np.arange(1, len(values) + 1), 100 * np.asarray(values), label=label)
        axes.legend(frameon=False)
        return _svg(figure)


def histogram(values: npt.NDArray[np.integer], unit: str) -> str:
    """How many samples took each whole number of `unit`."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(unit, "samples")
        found, count = np.unique(values, return_counts=True)
        axes.bar(found, count, width=0.8)
        return _svg(figure)


def bars(heights: Sequence[float], horizontal: str, vertical: str) -> str:
    """One bar for each of 1, 2, 3, ..."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(horizontal, vertical)
        axes.bar(np.arange(1, len(heights) + 1), heights, width=0.8)
        return _svg(figure)


def weight_map(weight: npt.NDArray[np.int8], shape: tuple[int, int], columns: int = 8) -> str:
    """What the first neurons look for: their input weights as little images, red and blue.

    weight: (rows * columns of an image, neurons).
    """
    count = min(weight.shape[1], 4 * columns)
    rows = -(-count // columns)
    gap = 1
    height, width = shape[0] + gap, shape[1] + gap
    sheet = np.zeros((rows * height - gap, columns * width - gap))
    for neuron in range(count):
        top, left = neuron // columns * height, neuron % columns * width
        sheet[top : top + shape[0], left : left + shape[1]] = weight[:, neuron].reshape(shape)
    reach = max(1, int(np.abs(sheet).max()))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_SIZE[0], _SIZE[0] * sheet.shape[0] / sheet.shape[1]))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(sheet, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
        axes.set_axis_off()
        return _svg(figure)


def _figure(horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot(xlabel=horizontal, ylabel=vertical)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


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
    with mpl.rc_context(_SMALL):
        figure, axes = _figure(horizontal, vertical)
        if logarithmic:
            axes.set_xscale("log")
        else:
            axes.xaxis.set_major_locator(MaxNLocator())
        for label, points in series.items():
            shown = [
                (x, *p) for x, p in zip(levels, points, strict=True) if x > 0 or not logarithmic
            ]
            x, middle, low, high = 100 * np.array(shown, dtype=np.float64).reshape(-1, 4).T
            axes.plot(x / 100, middle, marker=".", label=label)
            axes.fill_between(x / 100, low, high, alpha=0.25, linewidth=0)
        axes.legend(frameon=False)
        return _svg(figure)


def share_lines(counts: Mapping[str, Sequence[int]], unit: str) -> str:
    """Shares of 1, 2, 3, .. `unit` in per cent, one line per entry; empty tails are cut."""
    with mpl.rc_context(_SMALL):
        figure, axes = _figure(unit, "images, %")
        longest = max((np.flatnonzero(c)[-1] + 1 for c in counts.values() if np.any(c)), default=1)
        for label, values in counts.items():
            share = 100 * np.asarray(values[:longest], dtype=np.float64) / max(1, sum(values))
            axes.step(np.arange(1, longest + 1), share, where="mid", label=label)
        axes.legend(frameon=False, title="level")
        return _svg(figure)


def heat_map(values: npt.NDArray[np.floating], label: str) -> str:
    """A matrix as colours, with its scale. values: (rows, columns)."""
    with mpl.rc_context(_SMALL):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        shown = axes.imshow(values, cmap="viridis", interpolation="nearest")
        axes.set_axis_off()
        figure.colorbar(shown, ax=axes, label=label)
        return _svg(figure)
