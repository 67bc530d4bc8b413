"""Arrays from outside are checked where they enter: nothing wraps, rounds or reads beyond them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.sim.baselines.feed_forward_training import train_feed_forward
from toreq_hw.sim.baselines.float_eqprop import FloatNetwork
from toreq_hw.sim.baselines.float_training import float_accuracy, train_float
from toreq_hw.sim.campaign.critical import critical_weights
from toreq_hw.sim.campaign.recovery import EvaluationSet
from toreq_hw.sim.campaign.single_flips import single_flips
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.perturbation import relax_with
from toreq_hw.sim.perturbation.state_damage import StateBitFlip
from toreq_hw.sim.summary import summarise

NET = layered((4, 3, 2), WeightFormat.INT8, (4, 4))
INPUTS = np.array([[0, 1, 2, 255], [3, 4, 5, 6], [0, 0, 0, 0]])
LABELS = np.array([0, 1, 1])

WRONG_INPUTS = {
    "floats": INPUTS.astype(float),
    "fractions": INPUTS / 255,
    "truth values": INPUTS > 0,
    "too large": INPUTS + 1,
    "negative": INPUTS - 1,
    "beyond int16": INPUTS + (1 << 16),
    "beyond int64": INPUTS.astype(np.uint64) + np.uint64(1 << 63),
    "NaN": np.full((3, 4), np.nan),
    "complex": INPUTS.astype(complex),
    "text": INPUTS.astype(str),
    "spans of time": INPUTS.astype("timedelta64[s]"),
    "objects": INPUTS.astype(object),
    "too narrow": INPUTS[:, :3],
    "one image alone": INPUTS[0],
    "ragged": [[1, 2, 3, 4], [1, 2]],
    "masked": np.ma.masked_equal(INPUTS, 0),
}

WRONG_LABELS = {
    "negative": np.array([0, 1, -1]),
    "no class": np.array([0, 1, 2]),
    "floats": np.array([0.0, 1.0, 1.0]),
    "truth values": np.array([False, True, True]),
    "too few": LABELS[:1],
    "too many": np.array([0, 1, 1, 1]),
    "one hot": np.eye(2, dtype=int)[LABELS],
    "wraps to a class": LABELS + (1 << 32),
}


def free() -> sim.PhaseResult:
    return sim.free_phase(NET, INPUTS)


def learner() -> Trainer:
    return Trainer(NET, Rule(), seed=1)


TAKES_INPUTS: dict[str, Callable[..., object]] = {
    "relax": lambda x: sim.relax(NET, x),
    "nudged_phase": lambda x: sim.nudged_phase(NET, x, free(), LABELS, 1),
    "relax_with": lambda x: relax_with(NET, x, [StateBitFlip(0.1)]),
    "learn": lambda x: learner().learn(x, LABELS, np.arange(3)),
    "energy": lambda x: doubled_energy(NET, x, free().states),
    "feed-forward": lambda x: train_feed_forward(
        NET, x, LABELS, image_shape=(2, 2), augment=0, epochs=1, seed=1
    ),
}

TAKES_LABELS: dict[str, Callable[..., object]] = {
    "nudged_phase": lambda y: sim.nudged_phase(NET, INPUTS, free(), y, 1),
    "nudge": lambda y: sim.nudge(NET, free().states["output"], y),
    "summarise": lambda y: summarise(free(), y),
    "learn": lambda y: learner().learn(INPUTS, y, np.arange(3)),
    "evaluation_set": lambda y: EvaluationSet(INPUTS.astype(np.int16), y).accuracy(NET),
    "critical": lambda y: critical_weights(NET, INPUTS.astype(np.int16), y),
    "single flips": lambda y: single_flips(NET, INPUTS.astype(np.int16), y, sample=1),
    "train_float": lambda y: train_float(NET, INPUTS / 255, y, epochs=1, seed=1),
    "float_accuracy": lambda y: float_accuracy(FloatNetwork(NET, 1), INPUTS / 255, y),
    "feed-forward": lambda y: train_feed_forward(
        NET, INPUTS, y, image_shape=(2, 2), augment=0, epochs=1, seed=1
    ),
}


@pytest.mark.parametrize("kind", WRONG_INPUTS)
@pytest.mark.parametrize("taker", TAKES_INPUTS)
def test_wrong_inputs_are_one_line(taker: str, kind: str) -> None:
    with pytest.raises(InputError, match=r"states of 'input': must be|must have shape") as caught:
        TAKES_INPUTS[taker](WRONG_INPUTS[kind])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", WRONG_LABELS)
@pytest.mark.parametrize("taker", TAKES_LABELS)
def test_wrong_labels_are_one_line(taker: str, kind: str) -> None:
    with pytest.raises(InputError, match=r"labels: must"):
        TAKES_LABELS[taker](WRONG_LABELS[kind])


@pytest.mark.parametrize("order", [[3], [-1], [0.0], [[0]], [True], [1 << 40]])
def test_an_order_names_samples_that_are_there(order: object) -> None:
    """Compiled code would read beyond the arrays."""
    with pytest.raises(InputError, match="order: must"):
        learner().learn(INPUTS, LABELS, order)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, ">i4"])
def test_any_integers_in_range_are_taken(dtype: object) -> None:
    inputs = np.minimum(INPUTS, 100)
    expected = sim.relax(NET, inputs)
    assert sim.first_difference(sim.relax(NET, inputs.astype(dtype)), expected) is None
    whole = learner().learn(inputs.tolist(), LABELS.tolist(), [2, 0])
    assert whole == learner().learn(inputs.astype(dtype), LABELS.astype(dtype), np.array([2, 0]))


@pytest.mark.parametrize("factor", [-1, 1])
def test_a_drive_has_the_room_of_a_nudge(factor: int) -> None:
    """What is beyond is not proved to fit an accumulator of 32 bits."""
    limit = (255 << 4) >> NET.beta_shift
    most = np.full((3, 2), factor * limit)
    sim.relax(NET, INPUTS, drive=most)
    with pytest.raises(InputError, match="drive: must be in"):
        sim.relax(NET, INPUTS, drive=most + factor)
    with pytest.raises(InputError, match="drive: must have shape"):
        sim.relax(NET, INPUTS, drive=most[:1])


@pytest.mark.parametrize("engine", [e.value for e in sim.EngineName])
def test_an_engine_of_another_network_is_refused(engine: str) -> None:
    other = sim.make_engine(layered((4, 2, 2), WeightFormat.INT8, (4, 4)), engine)
    with pytest.raises(InputError, match="for this engine's network"):
        sim.relax(NET, INPUTS, engine=other)


def test_limits_are_whole_numbers_in_range() -> None:
    for value in (True, 1.0, 10**20, -1):
        with pytest.raises(InputError, match="threshold must be a whole number"):
            sim.relax(NET, INPUTS, threshold=value)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="max_sweeps must be a whole number"):
            sim.relax(NET, INPUTS, max_sweeps=value)  # type: ignore[arg-type]


def test_real_states_and_targets_are_finite_and_in_range() -> None:
    net, inputs, target = FloatNetwork(NET, 1), INPUTS / 255, np.eye(2)[LABELS]
    settled = net.relax(inputs)
    for wrong in (np.nan, np.inf, -0.1, 1.1):
        spoilt = np.where(inputs == 1, wrong, inputs)
        with pytest.raises(InputError, match="inputs: must be"):
            net.relax(spoilt)
        with pytest.raises(InputError, match="inputs: must be"):
            train_float(NET, spoilt, LABELS, epochs=1, seed=1)
        with pytest.raises(InputError, match="target: must be"):
            net.gradient(inputs, np.where(target == 1, wrong, 0), 0.5)
        with pytest.raises(InputError, match="target: must be"):
            net.exact_gradient(inputs, np.where(target == 1, wrong, 0), settled)
    with pytest.raises(InputError, match="states: must be finite"):
        net.relax(inputs, settled * np.nan)
    with pytest.raises(InputError, match="drive: must be finite"):
        net.relax(inputs, drive=target * np.nan)
    with pytest.raises(InputError, match=r"inputs: must have shape \(batch, 4\)"):
        net.relax(inputs[:, :2])


def biased(bias: int) -> Network:
    return replace(NET, biases={"hidden": np.full(3, bias, np.int32)})


@pytest.mark.parametrize("bias", [0, 5, -900, 1 << 22, 1 << 27, -(1 << 27)])
def test_fresh_training_starts_with_biases_of_zero(bias: int) -> None:
    """docs/numerics.md, section 6: whatever the biases of the network are that gives the shape."""
    trainer, fresh = Trainer(biased(bias), Rule(), 1), learner()
    assert trainer.network().sha256 == fresh.network().sha256
    assert not trainer.synapses.bias_latent.any()
    trainer.learn(INPUTS, LABELS, np.arange(3))
    fresh.learn(INPUTS, LABELS, np.arange(3))
    assert trainer.network().sha256 == fresh.network().sha256


def test_learning_goes_on_from_biases_that_a_latent_holds() -> None:
    most = (1 << 22) - 1
    for bias in (most, -most, 7, 0):
        going_on = Trainer.from_network(biased(bias), Rule(), 1)
        assert going_on.network().biases["hidden"].tolist() == [bias] * 3
    for bias in (most + 1, -most - 1, 1 << 27, -(1 << 27)):
        with pytest.raises(InputError, match="biases to be learned: must be in"):
            Trainer.from_network(biased(bias), Rule(), 1)


def test_latents_out_of_range_never_become_weights() -> None:
    for latent, bias, said in (
        (-32768, 0, "latents of coupling 'input-hidden': must be in -32767..32767"),
        (0, 1 << 26, "bias latents: must be in"),
        (0, -(1 << 26), "bias latents: must be in"),
    ):
        trainer = learner()
        trainer.latents(0)[0, 0] = latent
        trainer.synapses.bias_latent[0] = bias
        with pytest.raises(InputError, match=said):
            trainer.program()
        with pytest.raises(InputError, match=said):
            learner().take_over(trainer)


def test_a_loop_stays_mirrored() -> None:
    looped = layered(
        (4, 3, 2),
        WeightFormat.INT8,
        (4, 4),
        loop_fraction_bits=4,
        schedule=Schedule.SEQUENTIAL,
    )
    for row, column in ((0, 1), (1, 1)):
        trainer = Trainer(looped, Rule(), 1)
        trainer.latents(2)[row, column] += 1
        with pytest.raises(InputError, match="must be symmetric with a zero diagonal"):
            trainer.program()


def test_a_generator_at_zero_would_stay_there() -> None:
    trainer = learner()
    trainer.random_state = np.uint32(0)
    with pytest.raises(InputError, match="random_state must be"):
        trainer.program()
    trainer = learner()
    trainer.epoch = -1
    with pytest.raises(InputError, match="epoch must be"):
        trainer.program()
