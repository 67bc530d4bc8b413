"""Attention learns by the written rule, along the true gradient; readouts of several classes."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case
from testbench.sim.test_learning import latents_of
from toreq_hw import data, sim
from toreq_hw.contract.readout import output_errors
from toreq_hw.data.sequences import reversal
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import (
    ClampedReadout,
    DenseCoupling,
    Network,
    Population,
    Role,
    WeightFormat,
    build,
)
from toreq_hw.network.file import from_header, header
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.generator import sample_order
from toreq_hw.sim.learning.reference import biases_of, update
from toreq_hw.sim.learning.session import LearningSession
from toreq_hw.sim.session import Session
from toreq_hw.sim.summary import summarise

Floats = npt.NDArray[np.float64]


def drawn(seed: int) -> Case:
    """A block or two of attention, relaxing or clamped, with one class or one a position."""
    rng = np.random.default_rng(seed)
    positions, channels, classes = (int(n) for n in rng.integers(2, 4, 3))
    words = [
        f"attention {rng.integers(1, 3)} heads {rng.integers(1, 3)} "
        f"rows {rng.choice(['softmax', 'sparsemax'])} temperature {rng.integers(1, 5)}/1 "
        f"bits {rng.integers(6, 10)} mask {rng.choice(['none', 'causal'])}"
        for _ in range(int(rng.integers(1, 3)))
    ]
    several = bool(rng.integers(2))
    readout = ClampedReadout((2, 1), rows=positions if several else 1)
    network = build(
        f"{positions}x{channels}",
        [*words, f"conv {classes} 1" if several else f"dense {classes}"],
        weight_format=rng.choice(np.array(WeightFormat)),
        readout=readout if several or rng.integers(2) else None,
        bias_per_channel=bool(rng.integers(2)),
        beta_shift=1,
    )
    inputs = rng.integers(0, 256, (3, network.input.size)).astype(np.int16)
    labels = rng.integers(0, classes, (3, positions) if several else 3)
    return Case(network, inputs, labels)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_kernel_is_the_written_rule(seed: int) -> None:
    case = drawn(seed)
    shifts = {c.name: 2 + k % 4 for k, c in enumerate(case.network.couplings)}
    rule = Rule(shift=0, bias_shift=2, theta=300, initial_reach=9000, shifts=shifts)
    trainer = Trainer(case.network, rule, seed=11)
    expected = latents_of(trainer)
    for k in range(len(case.inputs)):
        network, x, y = trainer.network(), case.inputs[k : k + 1], case.labels[k : k + 1]
        free = sim.free_phase(network, x, engine="reference")
        if network.readout is None or output_errors(network, free.readout, y).any():
            phases = (sim.nudged_phase(network, x, free, y, s, engine="reference") for s in (1, -1))
            positive, negative = ({n: s[0] for n, s in p.states.items()} for p in phases)
            every = dict.fromkeys(positive, 2)
            update(network, expected, x[0], positive, negative, shifts, every)
        progress = trainer.learn(case.inputs, case.labels, np.array([k]))
        assert progress.correct == int(np.all(free.classes == y))
        assert progress.unsettled == 0
        found = latents_of(trainer)
        for name, latents in expected.weight.items():
            assert np.array_equal(found.weight[name], latents), name
        for name, latents in expected.bias.items():
            assert np.array_equal(found.bias[name], latents), name
        assert found.random_state == expected.random_state
        for name, bias in biases_of(expected).items():
            own = trainer.network().population(name)
            assert np.array_equal(trainer.network().biases[name][: own.biases], bias)


def test_biases_of_rows_stand_still() -> None:
    case = drawn(5)
    trainer = Trainer(case.network, Rule(shift=1, bias_shift=0, initial_reach=20000), seed=3)
    trainer.learn(case.inputs, case.labels, np.tile(np.arange(3), 9))
    trained = trainer.network()
    assert any(trained.biases["query"]) or any(trained.biases["value"])
    assert not trained.biases["scores"].any()


def two_rows() -> Network:
    """x -(W 2)- h -(W 3 -1 1 2)- two parts of two outputs, all f 0."""
    populations = (
        Population("x", 1, Role.INPUT, 4),
        Population("h", 1, Role.HIDDEN, 4),
        Population("y", 4, Role.OUTPUT, 3, True),
    )
    couplings = (
        DenseCoupling("x", "h", np.array([[2]], np.int8), 0, WeightFormat.INT8),
        DenseCoupling("h", "y", np.array([[3, -1, 1, 2]], np.int8), 0, WeightFormat.INT8),
    )
    readout = ClampedReadout((1, 1), rows=2)
    return Network(populations, couplings, {}, beta_shift=0, readout=readout)


def test_several_classes_by_hand() -> None:
    # h = 6, z = 18 -6 | 6 12. U = 15: thresholds ceil(15 ln(1/6, 1/2, 5/6)) = -26 -10 -2.
    # First part: bids 18 + 26, + 10, + 2 and -6 + 26, + 10: 44 28 20 | 20 4; tie to index 0.
    # Second part: 6 + 26, + 10, + 2 and 12 + 26, + 10, + 2: 32 16 8 | 38 22 14: 1 2.
    network = two_rows()
    assert network.budget_table.tolist() == [-26, -10, -2]
    free = sim.free_phase(network, [[3]])
    assert free.readout.tolist() == [[18, -6, 6, 12]]
    assert free.classes.tolist() == [[0, 1]]
    errors = output_errors(network, free.readout, [[0, 0]])
    assert errors.tolist() == [[0, 0, 2, -2]]
    up = sim.nudged_phase(network, [[3]], free, [[0, 0]], 1)
    assert up.states["y"].tolist() == errors.tolist()
    assert summarise(free, [[0, 1]]).accuracy == 1
    assert summarise(free, [[0, 0]]).accuracy == 0
    with pytest.raises(InputError, match="labels"):
        sim.nudged_phase(network, [[3]], free, [0], 1)
    with pytest.raises(InputError, match=r"must be in 0..1"):
        sim.nudged_phase(network, [[3]], free, [[0, 2]], 1)


def test_a_file_keeps_the_rows_of_a_readout() -> None:
    network = two_rows()
    found = from_header(header(network), network.tensors())
    assert found.readout == network.readout
    assert found.sha256 == network.sha256
    assert "rows" not in ClampedReadout((1, 1)).describe()
    with pytest.raises(NetworkError, match="have 3 rows of equal size, found 4"):
        replace(network, readout=ClampedReadout((1, 1), rows=3))
    with pytest.raises(NetworkError, match="rows of a readout must be an integer"):
        ClampedReadout((1, 1), rows=0)


def test_a_learning_session_shows_what_the_trainer_learns() -> None:
    case = next(c for c in map(drawn, range(50)) if c.labels.ndim == 2)
    shown, alone = (Trainer(case.network, Rule(initial_reach=9000), seed=2) for _ in range(2))
    session = LearningSession(shown)
    for k in range(len(case.inputs)):
        session.present(case.inputs[k], case.labels[k])
        while not session.finished:
            session.step()
        session.learn()
    alone.learn(case.inputs, case.labels, np.arange(len(case.inputs)))
    assert shown.network().sha256 == alone.network().sha256


def test_a_colouring_with_a_clamped_output_settles() -> None:
    """The coupling into an output that never updates joins no colours."""
    case = next(c for c in map(drawn, range(50)) if c.network.readout)
    assert case.network.sweep.always_settles
    session = Session(case.network)
    session.start(case.inputs)
    assert not session.run().unsettled


# The gradient: a float twin of a small block, states in units of s_max.

LENGTH, SYMBOLS, WIDTH = 3, 3, 3


def small() -> tuple[Network, npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """Reversal of 3 with drawn weights and softmax rows, far from the rails."""
    rng = np.random.default_rng(1)
    blank = build(
        "3x6",
        ["attention 3 rows softmax bits 8", "conv 3 1"],
        weight_format=WeightFormat.INT8,
        fraction_bits=[8, 7],
        input_bits=7,
        readout=ClampedReadout((1, 1), rows=LENGTH),
        beta_shift=1,
    )
    couplings = tuple(
        c.with_parameters(rng.integers(-90, 91, c.parameters.shape).astype(np.int8))
        for c in blank.couplings
    )
    dataset = reversal(LENGTH, SYMBOLS, train=20, test=7)
    inputs = data.encode(dataset.train.images, 1, blank.input)
    return replace(blank, couplings=couplings), inputs, dataset.train.labels


def float_loss(weights: list[Floats], inputs: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Mean cross-entropy at the equilibrium: states real, rows an exact softmax at T = 1."""
    gain = 127 / 2**8
    x = inputs.reshape(len(inputs), LENGTH, -1)
    into_q, into_k, into_v = (x @ w for w in weights[:3])
    scores = np.full((len(x), LENGTH, LENGTH), 1 / LENGTH)
    query = key = value = attended = np.zeros_like(into_q)
    for _ in range(60):
        query = np.clip(into_q + gain * scores @ key, -1, 1)
        value = np.clip(into_v + gain * scores.swapaxes(1, 2) @ attended, -1, 1)
        key = np.clip(into_k + gain * scores.swapaxes(1, 2) @ query, -1, 1)
        attended = np.clip(gain * scores @ value, -1, 1)
        sums = gain * (query @ key.swapaxes(1, 2) + attended @ value.swapaxes(1, 2))
        scores = np.exp(sums - sums.max(axis=2, keepdims=True))
        scores /= scores.sum(axis=2, keepdims=True)
    logits = attended @ weights[3]
    logits -= logits.max(axis=2, keepdims=True)
    shares = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    return float(-np.take_along_axis(shares, labels[:, :, None], axis=2).mean())


def test_updates_follow_the_gradient_of_the_cross_entropy() -> None:
    network, inputs, labels = small()
    free = sim.free_phase(network, inputs)
    up, down = (sim.nudged_phase(network, inputs, free, labels, s).states for s in (1, -1))
    weights = [c.parameters[0] / 2.0**c.fraction_bits for c in network.couplings]
    for k, coupling in enumerate(network.couplings):
        products = []
        for states in (up, down):
            pre, post = (
                (inputs if name == "input" else states[name]).reshape(len(inputs) * LENGTH, -1)
                for name in (coupling.pre, coupling.post)
            )
            products.append(pre.astype(np.int64).T @ post.astype(np.int64))
        contrast = (products[0] - products[1]).ravel().astype(float)
        gradient = np.zeros_like(weights[k])
        for place in np.ndindex(*gradient.shape):
            kept = weights[k][place]
            around = []
            for step in (1e-5, -1e-5):
                weights[k][place] = kept + step
                around.append(float_loss(weights, inputs / 127, labels))
            weights[k][place] = kept
            gradient[place] = (around[0] - around[1]) / 2e-5
        wanted = -gradient.ravel()
        cosine = contrast @ wanted / np.sqrt((contrast @ contrast) * (wanted @ wanted))
        least = 0.97 if coupling.post in ("query", "key") else 0.995
        assert cosine > least, (coupling.name, cosine)


def test_reversal_of_four_is_learned() -> None:
    dataset = reversal(4, 4, train=150, test=100)
    network = build(
        "4x8",
        ["attention 8", "conv 4 1"],
        weight_format=WeightFormat.TERNARY,
        fraction_bits=[0, 1],
        input_bits=7,
        readout=ClampedReadout((1, 1), rows=4),
        beta_shift=1,
    )
    rule = Rule(shift=4, bias_shift=12, theta=8192, initial_reach=16384, decay_epochs=(10, 15, 20))
    trainer = Trainer(network, rule, seed=1)
    inputs = data.encode(dataset.train.images, 1, network.input)
    for epoch in range(25):
        trainer.epoch = epoch
        trainer.learn(inputs, dataset.train.labels, sample_order(len(inputs), 1, epoch))
    test = data.encode(dataset.test.images, 1, network.input)
    found = sim.free_phase(trainer.network(), test)
    assert summarise(found, dataset.test.labels).accuracy > 0.95
