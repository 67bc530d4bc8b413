"""Pictures of designs on boards: what they fill, how fast they are, and how long an image takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from toreq_hw.reports.pictures import STYLE, svg

_WIDTH = 7.6
_ROW_HEIGHT = 0.42


def utilisation_bars(shares: Mapping[str, Mapping[str, float]]) -> str:
    """Per design, a bar for each resource: used part of what there is, in per cent.

    shares: by design, then by resource; 0..1.
    """
    names = list(dict.fromkeys(name for share in shares.values() for name in share))
    with mpl.rc_context(STYLE):
        figure, axes = _rows(shares, extra=0.6)
        thickness = 0.8 / len(names)
        for k, resource in enumerate(names):
            heights = [100 * share.get(resource, 0.0) for share in shares.values()]
            at = np.arange(len(shares)) + (k - (len(names) - 1) / 2) * thickness
            axes.barh(at, heights, height=0.9 * thickness, label=resource)
        axes.set(xlabel="used, %", xlim=(0, 100))
        figure.legend(loc="outside upper center", ncols=len(names), frameon=False)
        return svg(figure)


def fmax_spread(reached: Mapping[str, Sequence[float]], asked: Mapping[str, float]) -> str:
    """Per design, what each seed reached (dots, MHz) and what was asked for (bars)."""
    with mpl.rc_context(STYLE):
        figure, axes = _rows(reached)
        for row, (name, values) in enumerate(reached.items()):
            axes.plot(values, [row] * len(values), "o", ms=4, alpha=0.6, color="C0")
            axes.plot(asked[name], row, "|", ms=14, mew=2, color="C4")
        axes.set(xlabel="MHz: each seed (dots), the constraint (bar)", xlim=(0, None))
        return svg(figure)


def latencies(distributions: Mapping[str, tuple[Sequence[float], Sequence[int]]]) -> str:
    """Per design, how many test images took how long, on a logarithmic axis.

    distributions: edges in us (one more than counts) and counts.
    """
    with mpl.rc_context(STYLE):
        figure, axes = _rows(distributions)
        for row, (edges, counts) in enumerate(distributions.values()):
            heights = 0.85 * np.asarray(counts) / max(1, *counts)
            axes.fill_between(
                np.asarray(edges),
                row + 0.42,
                row + 0.42 - np.append(heights, heights[-1]),
                step="post",
                alpha=0.7,
            )
        axes.set(xscale="log", xlabel="us an image")
        return svg(figure)


def accuracy_against_luts(
    ours: Mapping[str, tuple[float, float, str]],
    others: Mapping[str, tuple[float, float, float]],
) -> str:
    """Accuracy in per cent over LUT4 (logarithmic).

    ours: LUT4, accuracy (0..1) and test set by design, full where that is MNIST; others: low and
    high LUT4, and accuracy on MNIST.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 4.4), layout="constrained")
        axes = figure.add_subplot(xscale="log", xlabel="LUT4", ylabel="accuracy on its test set, %")
        for k, (name, (luts, accuracy, dataset)) in enumerate(ours.items()):
            inside = f"C{k}" if dataset == "mnist" else "none"
            axes.plot(luts, 100 * accuracy, "o", color=f"C{k}", mfc=inside, label=name)
        for name, (low, high, accuracy) in others.items():
            y = 100 * accuracy
            axes.plot([low, high], [y, y], "-", lw=2, color="0.6")
            axes.annotate(
                name, (high, y), xytext=(4, 0), textcoords="offset points", va="center", color="0.4"
            )
        axes.margins(x=0.2)
        if ours:
            figure.legend(loc="outside lower center", ncols=2, frameon=False)
        return svg(figure)


def _rows(designs: Mapping[str, object], extra: float = 0.0) -> tuple[Figure, Any]:
    """Axes with a line for each design, the first on top."""
    size = (_WIDTH, 1.0 + extra + _ROW_HEIGHT * len(designs))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot(ylim=(len(designs) - 0.5, -0.5))
    axes.set_yticks(range(len(designs)), list(designs))
    return figure, axes
