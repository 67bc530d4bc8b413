"""The gradient of the real-valued network, contrasts, and the angle between them."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from testbench.own_feedback import own_feedback_case
from toreq_hw import sim
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import (
    ClampedReadout,
    Network,
    Normalisation,
    Schedule,
    WeightFormat,
    build,
    layered,
)
from toreq_hw.sim.baselines.real_network import RealNetwork
from toreq_hw.sim.gradient_cosine import alignment
from toreq_hw.sim.learning.contrast import contrasts

STEP = 1e-4

SHAPES = {
    "relaxing, shifted": (["conv 3 3x3 pad 1", "dense 6", "dense 4"], (0, 2, 2), None),
    "clamped with a drive": (["conv 3 3x3 pad 1", "dense 6", "dense 4"], (0, 1, -1), (1, 4)),
    "a lattice": (["lattice 2x2x2", "dense 4"], (0, 0), (1, 4)),
}


def example(name: str) -> tuple[Network, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """A network of one shape whose states are seldom at a rail, inputs and labels."""
    layers, shifts, temperature = SHAPES[name]
    rng = np.random.default_rng(5)
    blank = build(
        "16" if "lattice" in layers[0] else "4x4x1",
        layers,
        feedback_shifts=shifts,
        fraction_bits=[7] * len(layers),
        readout=ClampedReadout(temperature) if temperature else None,
        bias_per_channel=False,
    )
    couplings = [
        c.with_parameters(rng.integers(-30, 31, c.parameters.shape).astype(np.int8))
        for c in blank.couplings
    ]
    bits = {p.name: blank.accumulator_fraction_bits(p.name) for p in blank.relaxing}
    biases = {
        p.name: rng.integers(60 << bits[p.name], 130 << bits[p.name], p.size).astype(np.int32)
        for p in blank.relaxing
    }
    network = replace(blank, couplings=tuple(couplings), biases=biases)
    return network, rng.integers(0, 256, (5, 16)), rng.integers(0, 4, 5)


@pytest.mark.parametrize("name", SHAPES)
def test_the_gradient_is_that_of_finite_differences(name: str) -> None:
    network, inputs, labels = example(name)
    real = RealNetwork(network, inputs)
    free = sim.free_phase(network, inputs)
    states, settled = real.relax(real.layout.join(free.states))
    adjoint, solved = real.adjoint(states, labels)
    assert settled.all()
    assert solved.all()
    found = real.gradient(states, adjoint)
    for coupling in network.couplings:
        weights = coupling.parameters / 2.0**coupling.fraction_bits
        wanted = np.zeros_like(weights)
        for place in np.ndindex(*weights.shape):
            losses = []
            for step in (STEP, -STEP):
                moved = weights.copy()
                moved[place] += step
                other = RealNetwork(network, inputs, {coupling.name: moved})
                losses.append(other.losses(other.relax(states)[0], labels).sum())
            wanted[place] = (losses[0] - losses[1]) / (2 * STEP)
        assert np.count_nonzero(wanted) > wanted.size / 3, coupling.name
        apart = np.abs(found[coupling.name] - wanted).max()
        assert apart < 1e-3 * np.abs(wanted).max(), coupling.name


@pytest.mark.parametrize("name", SHAPES)
def test_contrasts_are_sums_over_samples_and_edges(name: str) -> None:
    network, inputs, labels = example(name)
    free = sim.free_phase(network, inputs)
    found = contrasts(network, inputs, free, labels)
    for coupling in network.couplings:
        wanted = [0] * coupling.parameters.size
        for sign in (1, -1):
            nudged = sim.nudged_phase(network, inputs, free, labels, sign).states
            states = {"input": inputs, **nudged}
            for i, j, k in zip(*coupling.edges(), strict=True):
                pre, post = states[coupling.pre][:, i], states[coupling.post][:, j]
                ways = 2 if coupling.is_self_coupling else 1
                wanted[k] += (
                    sign * ways * sum(int(a) * int(b) for a, b in zip(pre, post, strict=True))
                )
        assert found[coupling.name].dtype == np.int64
        assert found[coupling.name].ravel().tolist() == wanted


@pytest.mark.parametrize("name", ["relaxing, shifted", "clamped with a drive"])
def test_learning_goes_downhill(name: str) -> None:
    network, inputs, labels = example(name)
    found = alignment(network, inputs, labels, (0, 2))
    assert (found.asked, found.compared, found.apart) == (5, 5, 0)
    assert [(one.coupling, one.beta_shift) for one in found.cosines[:2]] == [
        (network.couplings[0].name, 0),
        (network.couplings[0].name, 2),
    ]
    assert min(one.cosine or 0 for one in found.cosines) > 0.7
    real = RealNetwork(network, inputs)
    standing = real.layout.join(sim.free_phase(network, inputs).states)
    assert found.loss == pytest.approx(real.losses(real.relax(standing)[0], labels).mean())


def test_contrasts_of_other_labels_do_not_follow_the_gradient() -> None:
    """The cosine can be low: it is that of these labels alone."""
    network, inputs, labels = example("clamped with a drive")
    free = sim.free_phase(network, inputs)
    real = RealNetwork(network, inputs)
    states, _ = real.relax(real.layout.join(free.states))
    gradient = real.gradient(states, real.adjoint(states, labels)[0])
    wrong = contrasts(network, inputs, free, (labels + 1) % 4)
    for name, slope in gradient.items():
        downhill, moved = -slope.ravel(), wrong[name].ravel()
        assert downhill @ moved < 0.5 * np.linalg.norm(downhill) * np.linalg.norm(moved)


def test_parts_of_a_batch_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import toreq_hw.sim.gradient_cosine as module

    network, inputs, labels = example("clamped with a drive")
    whole = alignment(network, inputs, labels)
    monkeypatch.setattr(module, "PART", 2)
    parts = alignment(network, inputs, labels)
    assert parts.loss == pytest.approx(whole.loss)
    for one, other in zip(parts.cosines, whole.cosines, strict=True):
        assert one.cosine == pytest.approx(other.cosine)


def test_samples_that_do_not_settle_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few sweeps are allowed that only the dark image settles."""
    import toreq_hw.sim.baselines.real_network as module

    network, inputs, labels = example("clamped with a drive")
    blank = replace(network, biases={})
    dark = np.concatenate([inputs, np.zeros((1, 16), np.int64)])
    monkeypatch.setattr(module, "MOST_SWEEPS", 2)
    found = alignment(blank, dark, [*labels, 1])
    assert (found.asked, found.compared) == (6, 1)
    assert all(one.cosine is None or abs(one.cosine) <= 1 for one in found.cosines)
    with pytest.raises(InputError, match="must have a real-valued equilibrium for a gradient"):
        alignment(network, inputs, labels)


def test_networks_without_such_a_gradient_are_refused() -> None:
    own = next(
        case.network for case in map(own_feedback_case, range(20)) if not case.network.has_energy
    )
    sparsemax = ClampedReadout((1, 4), Normalisation.SPARSEMAX)
    for network, must in (
        (own, "feedback must be symmetric for a gradient"),
        (layered((4, 3, 2), WeightFormat.INT8, (3, 3), readout=sparsemax), "must be a softmax"),
    ):
        with pytest.raises(InputError, match=must):
            alignment(network, np.zeros((1, network.input.size), np.int64), [0])
        if network is own:
            with pytest.raises(NetworkError, match="symmetric for a contrast"):
                contrasts(own, np.zeros((1, own.input.size)), None, [0])  # type: ignore[arg-type]


def test_a_cycle_is_no_equilibrium() -> None:
    """`synchronous` may cycle: then there is nothing to differentiate."""
    network = layered((4, 3, 2), WeightFormat.INT8, (0, 0), schedule=Schedule.SYNCHRONOUS)
    first, second = network.couplings
    couplings = (first, second.with_parameters(np.full((3, 2), -9, np.int8)))
    biases = {"hidden": np.full(3, 90, np.int32), "output": np.full(2, 90, np.int32)}
    cycling = replace(network, couplings=couplings, biases=biases)
    with pytest.raises(InputError, match="found none in 1"):
        alignment(cycling, np.zeros((1, 4), np.int64), [0])
