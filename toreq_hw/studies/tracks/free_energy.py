"""Track 18: does learning minimise free energy, and what does a correct answer cost?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.data import Dataset
from toreq_hw.network import Network, Role, WeightFormat
from toreq_hw.records.verification import Side, TrackRow
from toreq_hw.sim.baselines.feed_forward import feed_forward
from toreq_hw.sim.learning.recipes import decay_epochs, recipe
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.answer_costs import ACCURACY, ANSWER, CHIP, LEAST, MOST, costs
from toreq_hw.studies.tracks.measuring import Case, Context, Tests, in_other_order
from toreq_hw.studies.tracks.rows import data_of, differences, figure, of, the
from toreq_hw.studies.tracks.track import CHANGED_LATER, Judged, Measured, Settings, Track
from toreq_hw.targets.chip_activity import rates_by_population

ENERGY, ERROR = "energy of equilibria, state steps squared", "output error, % of the range"
EVENTS = "events an image"

TRUE, COSTED, SHUFFLED = "true labels", "with an activity cost", "shuffled labels"
LOSSY, BACKPROP = "true labels, lossy {}", "backpropagation"
AFTER = "{}, epoch {}"

PASSES = {"digits": 10}
OTHER_PASSES, QUICK_PASSES = 3, 4
"""Epochs of digits, of larger data sets, and of quick runs."""

COST = 2
"""State steps by which the biases of hidden neurons fall after each epoch."""

THRESHOLD = 16
"""Of the lossy mode, in state steps."""

SAMPLES = 1000
"""Test images at most, the first ones."""

SLACK = 0.02
"""Of the whole fall, by which the last epoch may lie above the lowest: rounding is random."""

CHANCE = 25.0
"""Per cent that shuffled labels may reach: chance of ten classes, with room."""

_RATES = ("shift", "output_shift", "bias_shift")

SIGN, LABELS = "sign", "labels"


def epochs_of(settings: Settings, name: str) -> int:
    """Epochs on a data set."""
    return QUICK_PASSES if settings.quick else PASSES.get(name, OTHER_PASSES)


def measure(settings: Settings, place: Place) -> Measured:
    """Every epoch of three trainings; the lossy mode and a feed-forward net at their ends."""
    cases = []
    for name in settings.data:
        last = epochs_of(settings, name)
        cases += [
            Case(name, AFTER.format(arm, epoch), arm == SHUFFLED)
            for arm in (TRUE, COSTED, SHUFFLED)
            for epoch in range(last + 1)
        ]
        cases += [Case(name, LOSSY.format(THRESHOLD)), Case(name, BACKPROP, control=True)]
    return measuring.measure(_count, cases, settings, place)


def _count(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Energy, error, events and cost on the first test images."""
    whole = context.dataset(case.data)
    tests = replace(whole, test=whole.test.take(slice(0, SAMPLES)))
    if case.arm == BACKPROP:
        return _fed_forward(case, seed, context, tests)
    lossy = case.arm == LOSSY.format(THRESHOLD)
    last = str(epochs_of(context.settings, case.data))
    arm, epoch = (TRUE, last) if lossy else case.arm.split(", epoch ")
    net = _trained(case.data, arm, seed, int(epoch), context)
    shown = Tests(tests, net)
    threshold = THRESHOLD if lossy else 0
    found = sim.relax(net, shown.inputs, threshold=threshold, trace=True)
    sign = -1 if context.settings.broken == SIGN else 1
    rates = rates_by_population(found, shown.inputs)
    accuracy = shown.accuracy(found.classes)
    return costs(net, rates, float(found.ticks.mean()), accuracy) | {
        ENERGY: sign * float(energies(net, shown.inputs, found.states).mean()),
        ERROR: _error(net, found.states[net.output.name], shown.labels),
        EVENTS: float(np.mean(found.events + found.input_events)),
    }


def _trained(name: str, arm: str, seed: int, epochs: int, context: Context) -> Network:
    """After so many epochs, one after another, each from the weights of the one before.

    Learning rates fall as the recipe has them fall in all epochs of the track.
    """
    whole, broken = measuring.load(name), context.settings.broken
    shuffled = arm == SHUFFLED and broken != LABELS
    learned = in_other_order(whole, seed) if shuffled else whole
    usual = recipe(WeightFormat.INT8, whole.pixels)
    falls = decay_epochs(usual.decay, epochs_of(context.settings, name))
    net = context.trained_on(learned, name, seed, epochs=0, weights=WeightFormat.INT8)
    for epoch in range(epochs):
        later = sum(epoch >= fall for fall in falls)
        rates = {one: getattr(usual, one) + later for one in _RATES}
        new = 100 * seed + epoch  # another order of samples
        net = context.trained_on(learned, name, new, epochs=1, start=net, **rates)
        net = _quieter(net) if arm == COSTED else net
    return net


def _quieter(net: Network) -> Network:
    """Each hidden neuron needs a sum that is `COST` steps larger for the same state."""
    biases = dict(net.biases)
    for population in net.updating:
        if population.role is Role.HIDDEN:
            one = 1 << net.accumulator_fraction_bits(population.name)
            biases[population.name] = biases[population.name] - np.int32(COST * one)
    return replace(net, biases=biases)


def energies(
    net: Network, inputs: npt.NDArray[np.int16], states: dict[str, npt.NDArray[np.int16]]
) -> npt.NDArray[np.float64]:
    """The energy of docs/numerics.md, section 4, in state steps squared, float64 (batch,)."""
    bits = [net.accumulator_fraction_bits(p.name) + net.depths[p.name] for p in net.updating]
    doubled = doubled_energy(net, inputs, states).astype(np.float64)
    return np.ldexp(doubled, -1 - max(bits))


def _error(net: Network, outputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64]) -> float:
    """Root mean square of target less output, per cent of the largest state."""
    targets = np.eye(net.output.size)[labels]
    return 100 * float(np.sqrt(np.mean((targets - outputs / net.output.state_max) ** 2)))


def _fed_forward(case: Case, seed: int, context: Context, tests: Dataset) -> Mapping[str, float]:
    """One pass of a net of the same shape that backpropagation trained; zeros are left out.

    In the first sweep from states of 0 each layer sees the layers before it alone. Its output
    sends to nobody.
    """
    from toreq_hw.quant.options import Rule

    epochs = epochs_of(context.settings, case.data)
    net = context.offline(case.data, seed, rule=Rule.BACKPROP, epochs=epochs)
    shown = Tests(tests, net)
    found = sim.relax(net, shown.inputs, max_sweeps=1, trace=True)
    rates = rates_by_population(found, shown.inputs)
    rates[net.output.name] = np.zeros(net.output.size)
    sent = sum(float(one.sum()) for one in rates.values())
    accuracy = shown.accuracy(feed_forward(net, shown.inputs))
    return costs(net, rates, float(found.ticks.mean()), accuracy) | {EVENTS: sent}


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    ends = {name: _last(rows, name) for name in data_of(rows)}
    lowest = all(_ends_lowest(rows, name, last) for name, last in ends.items())
    chance = max(the(rows, *_end(name, SHUFFLED, ends), ACCURACY).mean for name in ends)
    below = {name: _below(rows, name, last) for name, last in ends.items()}
    sentence = " ".join(
        [
            _finding(below),
            *(_energy(rows, name, ends) for name in ends),
            *(_cost(rows, name, ends) for name in ends),
        ]
    )
    if chance > CHANCE:
        return Judged("not testable here", sentence, controlled=False)
    dearer = [
        gap
        for name, last in ends.items()
        for _, gap in differences(_only(rows, name), ANSWER, AFTER.format(TRUE, last), BACKPROP)
    ]
    side: Side = "neither"
    if all(gap.low > 0 for gap in dearer):
        side = "backpropagation"
    elif all(gap.high < 0 for gap in dearer):
        side = "EqProp"
    if lowest and all(gap.high < 0 for gap in below.values()):
        return Judged("holds", sentence, side)
    return Judged("holds within limits" if lowest else "refuted", sentence, side)


def _only(rows: Sequence[TrackRow], name: str) -> list[TrackRow]:
    return [row for row in rows if row.data == name]


def _last(rows: Sequence[TrackRow], name: str) -> int:
    """The last epoch of the training with true labels."""
    arms = [row.arm for row in of(rows, ENERGY, data=name) if row.arm.startswith(f"{TRUE}, epoch")]
    return max(int(arm.split()[-1]) for arm in arms)


def _end(name: str, arm: str, ends: Mapping[str, int]) -> tuple[str, str]:
    return name, AFTER.format(arm, ends[name])


def _ends_lowest(rows: Sequence[TrackRow], name: str, last: int) -> bool:
    """Whether the energy has fallen in every seed, and ends within `SLACK` of its least mean."""
    path = [the(rows, name, AFTER.format(TRUE, epoch), ENERGY) for epoch in range(last + 1)]
    pairs = zip(path[-1].values, path[0].values, strict=True)
    means = [one.mean for one in path]
    near = means[-1] - min(means) <= SLACK * (means[0] - min(means))
    return near and all(end < start for end, start in pairs)


def _below(rows: Sequence[TrackRow], name: str, last: int) -> TrackRow:
    """Energy at the end with true labels less that with shuffled ones."""
    arms = AFTER.format(TRUE, last), AFTER.format(SHUFFLED, last)
    return next(gap for _, gap in differences(_only(rows, name), ENERGY, *arms))


def _finding(below: Mapping[str, TrackRow]) -> str:
    """How far the energy ends below that of shuffled labels."""
    parts = ", ".join(f"{figure(gap, 0)} ({name})" for name, gap in below.items())
    return f"At the end of training energies less those under shuffled labels are {parts}."


def _energy(rows: Sequence[TrackRow], name: str, ends: Mapping[str, int]) -> str:
    start = the(rows, name, AFTER.format(TRUE, 0), ENERGY)
    true, shuffled, costed = (
        the(rows, *_end(name, arm, ends), ENERGY) for arm in (TRUE, SHUFFLED, COSTED)
    )
    return (
        f"On {name} the energy of equilibria goes from {figure(start, 0)} to {figure(true, 0)} in "
        f"{ends[name]} epochs. Shuffled labels end at {figure(shuffled, 0)}, an activity cost at "
        f"{figure(costed, 0)}."
    )


def _cost(rows: Sequence[TrackRow], name: str, ends: Mapping[str, int]) -> str:
    arms = {
        "EqProp": AFTER.format(TRUE, ends[name]),
        "with the cost": AFTER.format(COSTED, ends[name]),
        "lossy": LOSSY.format(THRESHOLD),
        "a feed-forward pass": BACKPROP,
    }
    parts = [
        f"{said} {the(rows, name, arm, ANSWER).mean:,.0f} synops ("
        f"{the(rows, name, arm, LEAST).mean:.2g} to {the(rows, name, arm, MOST).mean:.2g} uJ, "
        f"{the(rows, name, arm, ACCURACY).mean:.1f} % right)"
        for said, arm in arms.items()
    ]
    return f"Estimates for a correct answer on {name}: {'; '.join(parts)}."


TRACK = Track(
    ids=("18",),
    name="free_energy",
    setup=(
        "INT8 networks of the integer rule, an epoch at a time; on up to "
        f"{SAMPLES:,} test images the energy of settled states, events, and synops and estimated "
        f"joules a correct answer. No activity cost exists in this project's rule. Biases of "
        f"hidden neurons that fall by {COST} steps after each epoch stand in for one, and the "
        f"lossy mode at {THRESHOLD} steps."
    ),
    control=(
        "Shuffled labels, which leave nothing to learn; one forward pass of a net of the same "
        "shape and epochs that backpropagation trained, zeros left out."
    ),
    thresholds=(
        f"Minimised: the energy falls in every seed, and ends within {100 * SLACK:g} % of the fall "
        "from its least epoch. Holds: so, and surely lower than with shuffled labels, "
        "else it is weights that grow. Within limits: the first alone. Else refuted. Shuffled "
        f"labels may be right in {CHANCE:g} %. An efficiency of 26.89 has no unit, and is not "
        "judged." + CHANGED_LATER
    ),
    sources=(
        "Integer simulator; docs/numerics.md, section 4. Joules are estimates: counted operations "
        f"times published figures of {CHIP} (lava_backend/chips), nothing was measured on silicon."
    ),
    measure=measure,
    verdict=verdict,
    broken={
        SIGN: "the energy has the wrong sign",
        LABELS: "the control learns true labels",
    },
    picture=ENERGY,
    better="needs fewer operations for a correct answer",
)
