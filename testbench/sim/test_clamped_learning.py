"""Learning with a clamped readout: the written rule, the known answer, the true gradient."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.clamped_networks import by_hand, clamped_case
from testbench.networks import Case
from testbench.sim.test_learning import latents_of, learn_by_reference
from toreq_hw import sim
from toreq_hw.contract.phases import Phase
from toreq_hw.contract.readout import output_errors
from toreq_hw.network import ClampedReadout, Network, WeightFormat, layered
from toreq_hw.sim.baselines.feed_forward_training import FeedForwardTrainer
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.learning.session import LearningSession

Floats = npt.NDArray[np.float64]


def test_an_update_by_hand() -> None:
    # See test_phases_by_hand: x = 3, h+ = 0, h- = 15, y = -3, 3 and then 3, -3; all k are 0.
    # x-h: 3 (0 - 15) = -45. h-y: e (h+ + h-) = -45, 45. Biases: 15 (0 - 15) = -225 and
    # A 2 e = 3 (-6) = -18, 18. Latents start at 256 W and (b << 4) + 8.
    trainer = Trainer.from_network(by_hand(), Rule(shift=0, bias_shift=0), seed=1)
    progress = trainer.learn([[3]], [1], [0])
    assert (progress.correct, progress.sweeps, progress.events) == (0, 2 + 2 + 2, 1 + 3 + 3)
    assert trainer.latents(0).tolist() == [[512 - 45]]
    assert trainer.latents(1).tolist() == [[768 - 45, -256 + 45]]
    assert trainer.synapses.bias_latent.tolist() == [8 - 225, 8 - 18, 8 + 18]
    assert {n: b.tolist() for n, b in trainer.network().biases.items()} == {
        "h": [-14],
        "y": [-1, 1],
    }


def test_a_sample_without_an_error_ends_after_its_free_phase() -> None:
    trainer = Trainer.from_network(by_hand(), Rule(shift=0, bias_shift=0), seed=1)
    before, state = trainer.network().sha256, trainer.random_state
    progress = trainer.learn([[3]], [0], [0])
    assert (progress.correct, progress.sweeps, progress.events) == (1, 2, 1)
    assert trainer.network().sha256 == before
    assert trainer.random_state == state
    session = LearningSession(trainer)
    session.present([3], 0)
    while not session.finished:
        session.step()
    assert list(session.results) == [Phase.FREE]
    session.learn()
    assert trainer.random_state == state


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_kernel_is_the_written_rule(seed: int) -> None:
    case = clamped_case(seed)
    shifts = {c.name: 3 + k for k, c in enumerate(case.network.couplings)}
    rule = Rule(shift=0, bias_shift=2, theta=300, initial_reach=900, shifts=shifts)
    trainer = Trainer(case.network, rule, seed=11)
    expected = latents_of(trainer)
    for sample in range(len(case.inputs)):
        correct, sweeps, events = counted(trainer.network(), case, sample)
        learn_by_reference(trainer.network(), expected, case, sample, shifts)
        progress = trainer.learn(case.inputs, case.labels, np.array([sample]))
        assert (progress.correct, progress.sweeps, progress.events) == (correct, sweeps, events)
        found = latents_of(trainer)
        for name, latents in expected.weight.items():
            assert np.array_equal(found.weight[name], latents), name
        for name, latents in expected.bias.items():
            assert np.array_equal(found.bias[name], latents), name
        assert found.random_state == expected.random_state


def counted(network: Network, case: Case, sample: int) -> tuple[int, int, int]:
    """Correct free phases, sweeps and events of a sample, by the reference engine."""
    x, y = case.inputs[sample : sample + 1], case.labels[sample : sample + 1]
    free = sim.free_phase(network, x, engine="reference")
    results = [free]
    if output_errors(network, free.readout, y).any():
        results += [sim.nudged_phase(network, x, free, y, s, engine="reference") for s in (1, -1)]
    correct = int(free.classes[0] == y[0])
    sums = (sum(int(one.sum()) for one in c) for c in zip(*_counters(results), strict=True))
    sweeps, events = sums
    return correct, sweeps, events


def _counters(results: list[sim.PhaseResult]) -> list[tuple[npt.NDArray[np.int64], ...]]:
    return [(r.sweeps.astype(np.int64), r.events) for r in results]


def test_a_checkpoint_keeps_the_readout(tmp_path: Path) -> None:
    case = clamped_case(3)
    trainer = Trainer(case.network, Rule(), seed=2)
    trainer.learn(case.inputs, case.labels, np.arange(len(case.inputs)))
    checkpoint.save(trainer, tmp_path / "t.checkpoint", {})
    resumed, _ = checkpoint.load(tmp_path / "t.checkpoint")
    assert resumed.blueprint.readout == case.network.readout
    assert resumed.network().sha256 == trainer.network().sha256


def test_a_learning_session_shows_what_the_trainer_learns() -> None:
    case = clamped_case(8)
    shown, alone = (Trainer(case.network, Rule(), seed=2) for _ in range(2))
    session = LearningSession(shown)
    for sample in range(len(case.inputs)):
        session.present(case.inputs[sample], int(case.labels[sample]))
        while not session.finished:
            session.step()
        session.learn()
    alone.learn(case.inputs, case.labels, np.arange(len(case.inputs)))
    assert shown.network().sha256 == alone.network().sha256


def test_its_feed_forward_baseline_has_the_same_shape() -> None:
    network, _, _ = example()
    assert FeedForwardTrainer(network, seed=1).network().describe() == network.describe()


def example() -> tuple[Network, npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """A network of one hidden population whose hidden neurons are seldom at a rail."""
    rng = np.random.default_rng(7)
    blank = layered((8, 12, 5), WeightFormat.INT8, (8, 7), state_bits=8, beta_shift=0)
    output = replace(blank.output, signed=True)
    weights = [rng.integers(-60, 61, c.shape).astype(np.int8) for c in blank.dense_couplings]
    network = replace(
        blank,
        populations=(*blank.populations[:-1], output),
        couplings=tuple(
            replace(c, weight=w) for c, w in zip(blank.dense_couplings, weights, strict=True)
        ),
        biases={"hidden": np.full(12, 128 << 8, np.int32)},
        readout=ClampedReadout((1, 2)),
        beta_shift=1,
    )
    inputs = rng.integers(0, 256, (120, 8)).astype(np.int16)
    return network, inputs, rng.integers(0, 5, 120)


def loss(network: Network, weights: list[Floats], inputs: Floats, labels: Floats) -> float:
    """Mean cross-entropy of the float twin: states in units of s_max, no rounding."""
    bias = network.biases["hidden"] / float(255 << network.accumulator_fraction_bits("hidden"))
    hidden = np.clip(inputs @ weights[0] + bias, 0, 1)
    logits = hidden @ weights[1] / (1 / 2)
    logits -= logits.max(axis=1, keepdims=True)
    shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-shares[np.arange(len(labels)), labels].mean())


def true_gradient(network: Network, inputs: Floats, labels: Floats) -> list[Floats]:
    """Central differences of `loss` by every weight."""
    weights = [c.weight / 2.0**c.fraction_bits for c in network.dense_couplings]
    gradients = []
    for weight in weights:
        gradient = np.zeros_like(weight)
        for place in np.ndindex(*weight.shape):
            kept = weight[place]
            weight[place] = kept + 1e-5
            above = loss(network, weights, inputs, labels)
            weight[place] = kept - 1e-5
            gradient[place] = (above - loss(network, weights, inputs, labels)) / 2e-5
            weight[place] = kept
        gradients.append(gradient)
    return gradients


def contrasts(network: Network, inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64]):
    """What an update moves latents by on average, times 2^k: sum of s+ s+ - s- s-."""
    free = sim.relax(network, inputs)
    up, down = (sim.nudged_phase(network, inputs, free, labels, s).states for s in (1, -1))
    x = inputs.astype(np.int64)
    h = [s["hidden"].astype(np.int64) for s in (up, down)]
    y = [s["output"].astype(np.int64) for s in (up, down)]
    return [x.T @ (h[0] - h[1]), h[0].T @ y[0] - h[1].T @ y[1]]


@pytest.mark.parametrize(("feedback_shift", "least"), [(0, (0.99, 0.999)), (-2, (0.985, 0.995))])
def test_updates_follow_the_gradient_of_the_cross_entropy(
    feedback_shift: int, least: tuple[float, float]
) -> None:
    # A drive of 2^2 moves hidden states four times as far, some to a rail.
    network, inputs, labels = example()
    first, second = network.couplings
    network = replace(network, couplings=(first, replace(second, feedback_shift=feedback_shift)))
    found = contrasts(network, inputs, labels)
    wanted = true_gradient(network, inputs / 255, labels)
    for contrast, gradient, bound in zip(found, wanted, least, strict=True):
        a, b = contrast.ravel().astype(float), -gradient.ravel()
        cosine = float(a @ b / np.sqrt((a @ a) * (b @ b)))
        assert cosine > bound, (cosine, bound)
