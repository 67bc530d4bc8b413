"""Track 17: what does analog noise in every update cost, at inference and in training?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from toreq_hw.data import Dataset, input_states
from toreq_hw.network import Network, Schedule, WeightFormat
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.sim.baselines.feed_forward import feed_forward
from toreq_hw.sim.perturbation import ThermalNoise, relax_with
from toreq_hw.sim.perturbation.noisy_training import NoisyTrainer
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import EPOCHS, HIDDEN, Case, Context
from toreq_hw.studies.tracks.rows import on_each, row, the
from toreq_hw.studies.tracks.subsets import few_of_each
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track
from toreq_hw.training.integer import IntegerSettings, begin, learn_epochs, training_samples

LEVELS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Standard deviation of the noise in each update, over the range of states."""

QUICK_LEVELS = (0.0, 0.05, 0.1)

CLAIMED, FULL = 0.05, 10.0
"""What was published as harmless; the most that the layer has, which must not be."""

INFERENCE = "EqProp, noise at inference"
TRAINED = "EqProp, noise in training and at inference"
FORWARD = "feed-forward, backpropagation, noise at inference"
FORWARD_TRAINED = "feed-forward, backpropagation, noise in training and at inference"

SWEEPS = 12
"""Sweeps after which a phase ends that noise keeps alive: those of the campaigns on noise."""

A_CLASS, QUICK_CLASS = 500, 50
"""Training samples of each class under noise, which makes a training a matter of seconds; of the
quick run."""

HARMLESS, HARM = 1.0, 30.0
"""Points of accuracy: that harmless noise may cost; that noise of ten times the range must cost."""

NO_NOISE = "no noise"


def accuracy(level: float) -> str:
    """The name of a figure."""
    return f"accuracy, noise {100 * level:g} %, %"


def measure(settings: Settings, place: Place) -> Measured:
    """Two nets under noise at inference, and two that also learned under it."""
    arms = {INFERENCE: False, TRAINED: False, FORWARD: True, FORWARD_TRAINED: True}
    cases = [Case(name, arm, control) for name in settings.data for arm, control in arms.items()]
    return measuring.measure(_disturb, cases, settings, place)


def _disturb(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Accuracy at every level."""
    off = context.settings.broken == NO_NOISE
    dataset = context.dataset(case.data)
    values = {}
    under = case.arm in (TRAINED, FORWARD_TRAINED)
    net = None if under else _network(case, seed, context)
    levels = QUICK_LEVELS if context.settings.quick else LEVELS
    for level in levels if under else (*levels, FULL):
        noise = _noise(0.0 if off else level, seed)
        tested = net or _learned(case, seed, noise, context)
        values[accuracy(level)] = _right(tested, dataset, noise, forward=case.control)
    return values


def _noise(level: float, seed: int) -> ThermalNoise:
    """Of every update up to the limit on sweeps."""
    return ThermalNoise(level, seed=seed, last_tick=2 * SWEEPS)


def _network(case: Case, seed: int, context: Context) -> Network:
    """Trained without noise."""
    if case.arm == INFERENCE:
        return context.trained(case.data, seed, weights=WeightFormat.INT8)
    from toreq_hw.quant.options import Rule

    return context.offline(case.data, seed, rule=Rule.BACKPROP)


def _learned(case: Case, seed: int, noise: ThermalNoise, context: Context) -> Network:
    """Trained under noise: the integer rule in all three phases, the other in its one pass."""
    name, few = case.data, QUICK_CLASS if context.settings.quick else A_CLASS
    dataset = few_of_each(measuring.load(name), few, seed)
    if case.control:
        from toreq_hw.quant.options import Rule

        rule = Rule.BACKPROP
        return context.offline(name, seed, dataset, rule=rule, update_noise=float(noise.level))
    settings = IntegerSettings(
        hidden=(HIDDEN[name],),
        weights=WeightFormat.INT8,
        schedule=Schedule.PARITY,
        epochs=EPOCHS[name],
    )
    begun = begin(dataset, settings, seed)
    layers = [replace(noise, seed=seed + 1000)]  # other draws than those of the test
    trainer = NoisyTrainer(begun.trainer, layers, max_sweeps=SWEEPS)
    samples = training_samples(trainer.blueprint, dataset, begun.recipe.augment, mirror=False)
    for _ in learn_epochs(trainer, samples, begun.epochs):
        pass
    return trainer.network()


def _right(net: Network, dataset: Dataset, noise: ThermalNoise, *, forward: bool) -> float:
    """Test accuracy under noise in per cent."""
    inputs = input_states(net, dataset.test.images, dataset.pixel_max)
    if forward:
        classes = feed_forward(net, inputs, [noise])
    else:
        classes = relax_with(net, inputs, [noise], max_sweeps=SWEEPS).classes
    return 100 * float(np.mean(classes == dataset.test.labels))


def _losses(rows: Sequence[TrackRow], arm: str, level: float) -> dict[str, TrackRow]:
    """By data set, what noise costs beside the same arm without noise, of equal seeds."""
    found = {}
    for one in (one for one in rows if (one.arm, one.quantity) == (arm, accuracy(level))):
        whole = the(rows, one.data, arm, accuracy(0))
        pairs = zip(whole.values, one.values, strict=True)
        found[one.data] = row(one.data, arm, "points lost", [a - b for a, b in pairs])
    return found


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    arms = (INFERENCE, TRAINED, FORWARD, FORWARD_TRAINED)
    lost, trained, forward, other = (_losses(rows, arm, CLAIMED) for arm in arms)
    drowned = [
        min(one.mean for one in _losses(rows, arm, FULL).values()) for arm in (INFERENCE, FORWARD)
    ]
    sentence = (
        f"Noise of {100 * CLAIMED:g} % in every update costs EqProp at inference "
        f"{on_each(lost)} points. Where it also learned under this noise, it loses "
        f"{on_each(trained)}. The feed-forward net loses {on_each(forward)}, and "
        f"{on_each(other)} where it learned under it. "
        f"Twice as much costs EqProp {on_each(_losses(rows, INFERENCE, 2 * CLAIMED))}, and the "
        f"feed-forward net {on_each(_losses(rows, FORWARD, 2 * CLAIMED))}. "
        f"Noise of ten times the range costs at least {min(drowned):.1f} points."
    )
    if min(drowned) < HARM:
        return Judged("not testable here", sentence, controlled=False)
    side = _side((lost, forward), (trained, other))
    every = (*lost.values(), *trained.values())
    if all(one.high <= HARMLESS for one in every):
        return Judged("holds", sentence, side)
    some = all(one.mean <= HARMLESS for one in lost.values())
    return Judged("holds within limits" if some else "refuted", sentence, side)


def _side(*pairs: tuple[Mapping[str, TrackRow], Mapping[str, TrackRow]]) -> Side:
    """Which net surely loses less somewhere, and nowhere surely more; at inference and learned."""
    wins = losses = 0
    for lost, forward in pairs:
        for data, own in lost.items():
            both = zip(own.values, forward[data].values, strict=True)
            gap = row(data, "", "", [a - b for a, b in both])
            wins += gap.high < 0
            losses += gap.low > 0
    if bool(wins) == bool(losses):
        return "neither"
    return "EqProp" if wins else "backpropagation"


TRACK = Track(
    ids=("17",),
    name="analog",
    setup=(
        "White noise of 0 to 20 % of the range of states, as standard deviation, on the "
        "accumulator in every update of every neuron, for 12 sweeps. INT8 nets trained without "
        f"noise; and nets of at most {A_CLASS} samples a class that learned under the same noise."
    ),
    control=(
        "A feed-forward net of backpropagation with the same shape and formats, under the same "
        "noise, at inference and in training. Noise of ten times the range, which must bring both "
        "near chance."
    ),
    thresholds=(
        f"Harmless: noise of {100 * CLAIMED:g} % costs at most {HARMLESS:g} point, which is what "
        "seeds differ by. Holds: surely so on every data set, at inference and where it also "
        "learned under noise. Within limits: in the mean at inference. Else refuted. Noise of ten "
        f"times the range must cost at least {HARM:g} points."
    ),
    sources="Layers of docs/robustness.md; integer rule and torch trainer of this project.",
    measure=measure,
    verdict=verdict,
    broken={NO_NOISE: "the noise has no effect"},
    picture=accuracy(CLAIMED),
    better="loses less accuracy to noise in every update",
)
