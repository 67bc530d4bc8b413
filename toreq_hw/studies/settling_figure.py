"""One image of a data set while it settles: states over ticks, and energy."""

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from toreq_hw import plot, sim
from toreq_hw.data import Dataset
from toreq_hw.network import Network
from toreq_hw.reports.page import caption
from toreq_hw.reports.pictures import STYLE, svg

_STYLE = {**STYLE, "svg.fonttype": "none"}
_SIZE = (4.6, 2.9)

PERCENTILE = 95
"""Of the sweeps that images take: one that takes so many has something to show."""


def settling_figures(
    network: Network,
    dataset: Dataset,
    inputs: npt.NDArray[np.int16],
    relaxation: sim.PhaseResult,
) -> tuple[str, ...]:
    """The first image, of those read right, that takes more sweeps than 95 % do.

    inputs: int16 (samples, input.size), the test images of `dataset`. relaxation: of them, with
    its trace. Returns SVG: the image, states, and energy with a caption.
    """
    long = relaxation.sweeps >= np.percentile(relaxation.sweeps, PERCENTILE)
    right = relaxation.classes == dataset.test.labels
    number = int(np.argmax(long & right if (long & right).any() else long))
    trace = relaxation.trace
    assert trace is not None
    label, said = int(dataset.test.labels[number]), int(relaxation.classes[number])
    hidden, output = network.populations[1].name, network.output.name
    with mpl.rc_context(_STYLE):
        shown = Figure(figsize=_SIZE, layout="constrained")
        image = shown.add_subplot()
        image.imshow(dataset.test.images[number].reshape(dataset.shape), cmap="gray_r")
        image.set_title(f"test image {number}: a {label}")
        image.set_axis_off()
        drawn = [svg(shown, f"test image {number}, a {label}")]
        for name in (hidden, output):
            figure = Figure(figsize=_SIZE, layout="constrained")
            axes = figure.add_subplot()
            states = plot.states(trace, axes, population=name, sample=number)
            figure.colorbar(states, ax=axes, label="state")
            drawn.append(svg(figure, f"states of {name} over ticks"))
        figure = Figure(figsize=_SIZE, layout="constrained")
        found = plot.energy(network, inputs[number], figure.add_subplot())
        falling = svg(figure, "energy over ticks, falling")
    words = (
        f"Test image {number}, a {label}, settles in {relaxation.sweeps[number]} sweeps, "
        f"{len(found) - 1} ticks; the largest output is class {said}. States are integers, and so "
        "is twice the energy; neither has a unit."
    )
    return (*drawn, caption(falling, words))
