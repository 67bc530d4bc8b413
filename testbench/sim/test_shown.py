"""What networks show of themselves: a line, a summary, a table, and pictures on axes."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from toreq_hw import network, plot, sim
from toreq_hw.errors import InputError
from toreq_hw.network import Encoding, FeedbackKind, WeightFormat

mpl.use("Agg")

NET = network.layered((4, 3, 2), WeightFormat.INT8, (4, 5))


def random_network(seed: int = 1) -> network.Network:
    random = np.random.default_rng(seed)
    couplings = tuple(
        c.with_parameters(random.integers(-90, 91, c.shape).astype(np.int8)) for c in NET.couplings
    )
    return replace(NET, couplings=couplings)


def test_a_line() -> None:
    assert repr(NET) == f"<Network 4-3-2 int8, 18 weights, {NET.sha256[:12]}>"


def test_a_summary() -> None:
    net = replace(NET, encoding=Encoding((0.0,), (1.0,)))
    lines = net.summary().splitlines()
    assert lines[0] == repr(net)
    assert lines[2].split() == ["population", "neurons", "role", "states", "shape", "F"]
    assert lines[4].split() == ["hidden", "3", "hidden", "8", "bits", "-", "5"]
    assert lines[8].split() == ["input-hidden", "dense", "int8", "4", "12", "100", "%"]
    assert lines[-2] == "schedule parity of 2 colours; readout relaxing; nudge 2^-1"
    assert lines[-1] == "features are scaled"


def test_a_table_of_a_notebook() -> None:
    shown = NET._repr_html_()
    assert shown.count("<tr>") == 2 + 3 + 2
    assert "<td>input-hidden</td><td>dense</td>" in shown
    assert "&lt;Network 4-3-2" in shown


def test_pictures_show_what_happened() -> None:
    net, axes = random_network(), Figure().subplots(2, 2)
    inputs = np.array([[200, 0, 255, 31]], dtype=np.int16)
    result = sim.relax(net, inputs, trace=True)
    assert result.trace is not None
    image = plot.states(result.trace, axes[0, 0], population="hidden")
    assert np.asarray(image.get_array()).T.tolist() == result.trace.states(0)["hidden"].tolist()
    plot.events(result.trace, axes[0, 1])
    assert len(axes[0, 1].lines[0].get_xdata()) == result.events[0] > 0
    found = plot.energy(net, inputs[0], axes[1, 0])
    assert len(found) == result.ticks[0] + 1
    assert (np.diff(found) <= 0).all()
    assert found[-1] < found[0]
    counts = plot.weights(net, "input-hidden", axes[1, 1])
    assert (plot.weights(net, "input-hidden") == counts).all()
    assert plot.states(result.trace).axes is not axes[0, 0]
    assert counts.sum() == 12
    assert sum(bar.get_height() for bar in axes[1, 1].patches) == 12


def test_what_cannot_be_drawn_is_refused() -> None:
    axes = Figure().subplots()
    result = sim.relax(NET, np.zeros((1, 4), dtype=np.int16), trace=True)
    assert result.trace is not None
    with pytest.raises(InputError, match="population must be one of hidden, output, not 'input'"):
        plot.states(result.trace, axes, population="input")
    with pytest.raises(InputError, match="coupling must be one of input-hidden, hidden-output"):
        plot.weights(NET, "hidden", axes)
    own = network.layered((4, 3, 2), WeightFormat.INT8, (4, 5), feedback=FeedbackKind.FIXED)
    with pytest.raises(InputError, match="network must have an energy"):
        plot.energy(own, np.zeros(4, dtype=np.int16), axes)
