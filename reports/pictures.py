"""Pictures from arrays, as SVG text that a page can hold."""

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import MaxNLocator

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C8C8C")
"""Told apart with any kind of sight: M. Okabe and K. Ito, Color Universal Design (2008); the black
of theirs is a grey, which shows on dark paper too.
"""

STYLE: dict[Any, Any] = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    "svg.hashsalt": "toreq-hw",  # equal records give equal pages
    "svg.fonttype": "none",  # letters, not their outlines: a page holds many pictures
    "font.sans-serif": ["DejaVu Sans"],  # every text names the fonts it may have
}
"""Of every picture; one that wants more adds to it."""

_SIZE = (4.6, 2.9)

_DECIMALS = re.compile(r"\b([1-9]\d*\.\d{2})\d+")
"""Of lengths above a point: no eye sees thousandths, and a page holds many pictures."""

_INDENT = re.compile(r"\n +")


def learning_curve(series: Mapping[str, Sequence[float]]) -> str:
    """Accuracy in per cent against epoch, one line per entry (values 0..1)."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure("epoch", "accuracy, %")
        for label, values in series.items():
            axes.plot(np.arange(1, len(values) + 1), 100 * np.asarray(values), label=label)
        axes.legend(frameon=False)
        return svg(figure)


def recovery_curves(before: float, series: Mapping[str, Sequence[float]]) -> str:
    """Accuracy in per cent (values 0..1): `before` damage at -1, right after it at 0, then epochs.

    series: one line per entry, from right after the damage on; dotted where it would have stayed.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _figure("epochs after the damage", "accuracy, %", (5.6, 4.2))
        for label, values in series.items():
            curve = 100 * np.array([before, *values])
            (line,) = axes.plot(np.arange(-1, len(values)), curve, label=label)
            axes.hlines(curve[1], 0, len(values) - 1, colors=line.get_color(), linestyles=":")
        figure.legend(frameon=False, loc="outside lower center", ncols=2)
        return svg(figure)


def histogram(values: npt.NDArray[np.integer], unit: str) -> str:
    """How many samples took each whole number of `unit`.

    values: integers (n,). Returns SVG text.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _figure(unit, "samples")
        found, count = np.unique(values, return_counts=True)
        axes.bar(found, count, width=0.8)
        return svg(figure)


def bars(heights: Sequence[float], horizontal: str, vertical: str) -> str:
    """One bar for each of 1, 2, 3, ..."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(horizontal, vertical)
        axes.bar(np.arange(1, len(heights) + 1), heights, width=0.8)
        return svg(figure)


def weight_map(weight: npt.NDArray[np.int8], shape: tuple[int, int], columns: int = 8) -> str:
    """What the first neurons look for: their input weights as little images, red and blue.

    weight: (rows * columns of an image, neurons).
    """
    count = min(weight.shape[1], 4 * columns)
    images = np.moveaxis(weight[:, :count].reshape(*shape, count), -1, 0)
    return image_sheet(images, f"input weights of {count} hidden neurons, an image each", columns)


def image_sheet(
    images: npt.NDArray[np.integer], label: str, columns: int = 8, *, signed: bool = True
) -> str:
    """Images side by side: red above 0 and blue below, or darker the larger where not `signed`.

    images: integers (images, rows, columns of an image).
    """
    rows = -(-len(images) // columns)
    gap = 1
    height, width = images.shape[1] + gap, images.shape[2] + gap
    sheet = np.zeros((rows * height - gap, columns * width - gap))
    for number, image in enumerate(images):
        top, left = number // columns * height, number % columns * width
        sheet[top : top + images.shape[1], left : left + images.shape[2]] = image
    largest = max(1, int(np.abs(sheet).max()))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_SIZE[0], _SIZE[0] * sheet.shape[0] / sheet.shape[1]))
        axes = figure.add_axes((0, 0, 1, 1))
        colours, least = ("RdBu_r", -largest) if signed else ("Greys", 0)
        axes.imshow(sheet, cmap=colours, vmin=least, vmax=largest, interpolation="nearest")
        axes.set_axis_off()
        return svg(figure, label)


def _figure(
    horizontal: str, vertical: str, size: tuple[float, float] = _SIZE
) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot(xlabel=horizontal, ylabel=vertical)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes


def svg(figure: Figure, description: str = "") -> str:
    """The figure as an SVG element with role=img; equal figures give equal text.

    description: what is read aloud in its place; else the titles, axes and legends of the figure.
    """
    text = io.StringIO()
    unknown = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(text, format="svg", metadata=unknown)
    drawn = _INDENT.sub("\n", _DECIMALS.sub(r"\1", text.getvalue()))
    label = escape(description or _described(figure), quote=True)
    return drawn[drawn.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _described(figure: Figure) -> str:
    """What a figure shows, by the words in it."""
    parts = []
    for axes in figure.axes:
        labels = axes.get_legend_handles_labels()[1]
        title = axes.get_title() or axes.get_title("left")
        shown = [title.replace("\n", ", "), " against ".join(filter(None, _of_axes(axes)))]
        shown.append(", ".join(label for label in labels if not label.startswith("_")))
        parts.append(": ".join(filter(None, shown)))
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "; ".join(filter(None, [*parts, ", ".join(legends)])) or "picture"


def _of_axes(axes: Axes) -> tuple[str, str]:
    """Words upright and along; a panel that shares an axis has the words that are beside it."""
    upright = axes.get_shared_y_axes().get_siblings(axes)
    along = axes.get_shared_x_axes().get_siblings(axes)
    words = axes.get_ylabel() or next(filter(None, (one.get_ylabel() for one in upright)), "")
    return words, axes.get_xlabel() or next(filter(None, (one.get_xlabel() for one in along)), "")
