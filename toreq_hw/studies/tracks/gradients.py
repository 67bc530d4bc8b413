"""Track 9: do contrasts follow the gradient? Takes in `gradients`, and measures here besides."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.data import input_states
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.gradients import Gradients
from toreq_hw.records.verification import TrackRow
from toreq_hw.reports.gradients import settings_of
from toreq_hw.sim.baselines.float_eqprop import FloatNetwork
from toreq_hw.sim.baselines.real_network import RealNetwork
from toreq_hw.sim.learning.contrast import contrasts
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.bits import fraction_bits
from toreq_hw.studies.tracks.lattice import SMALL, shape_of
from toreq_hw.studies.tracks.measuring import Case, Context
from toreq_hw.studies.tracks.published import published
from toreq_hw.studies.tracks.rows import figure, of, row
from toreq_hw.studies.tracks.track import CHANGED_LATER, Judged, Measured, Settings, Track

Integers = npt.NDArray[np.int16]

LEAST, MEAN = "least cosine", "mean cosine"
LIVE, LOOPED = "trained here, s 0, beta 2^-{}", "trained here with a lattice, s 0, beta 2^-0"
NARROW = "trained here, {} bits of state, s 0, beta 2^-0"
FEW = "trained here, over 100 images, s 0, beta 2^-0"
WRONG, SLOPES = "trained here, wrong sign", "finite differences of the loss"
SHIFTS, STATES = (0, 1, 2), (2, 4, 6)
"""Nudges of the networks that are trained here, as those of the published record; bits of state of
some besides, the others have 8."""

RATIO = "finite difference over predicted change"
REAL, SUM = "largest cosine, real numbers, beta 10^-6", "cosines of both signs, largest sum"

ALIGNED = 0.7
"""45 degrees: a small step along such a contrast keeps 0.7 of what the gradient's would gain."""

CLOSE = 0.05
"""Of a finite difference to the slope that it must have."""

OPPOSITE, ROUNDED = -0.99, 1e-9
"""Cosine that the wrong sign must stay below in real numbers; what two signs may add up to."""

PLAIN, CONVOLUTIONS = ("s 0, g 0, beta 2^-0", "s 0, beta 2^-0"), "s 3, g 3, beta 2^-0"
"""Settings that trainings use: of `toreq-hw train` unless told otherwise, of docs/networks.md."""

SIGN = "sign"

_SAMPLES, _LOOPED, _DIRECTIONS, _STEP, _BETA = 100, 300, 5, 1e-5, 1e-6

_EPOCHS = 2
"""Of the network that is trained here: later its training images have hardly an error left."""


def measure(settings: Settings, place: Place) -> Measured:
    """The published cosines; those of networks trained here, and with the wrong sign."""
    rows: list[TrackRow] = []
    for case in published("gradients", Gradients).gradient_cases:
        for setting in settings_of(case):
            sign = -1 if settings.broken == SIGN else 1
            arm = f"{case.name}, {setting.text}"
            rows.append(
                row(case.data, arm, LEAST, [min(sign * setting.least, sign * setting.mean)])
            )
            rows.append(row(case.data, arm, MEAN, [sign * setting.mean]))
    arms = [LIVE.format(shift) for shift in SHIFTS]
    arms += [LOOPED, *(NARROW.format(bits) for bits in STATES), FEW]
    cases = [Case("digits", arm) for arm in arms]
    cases += [Case("digits", arm, control=True) for arm in (WRONG, SLOPES)]
    live = measuring.measure(_measure, cases, settings, place)
    return Measured((*rows, *live.rows), live.seconds)


def _measure(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Cosines of one small network's couplings on training images, or their control."""
    net, dataset = _network(case.arm, seed, context), context.dataset(case.data)
    few = _LOOPED if case.arm == LOOPED else None
    few = _SAMPLES if case.arm in (FEW, WRONG, SLOPES) else few
    some = slice(0, few)
    inputs = input_states(net, dataset.train.images[some], dataset.pixel_max)
    labels = dataset.train.labels[some]
    if case.arm == SLOPES:
        return {RATIO: _slopes(net, inputs, labels, seed)}
    sign = -1 if (case.arm == WRONG) != (context.settings.broken == SIGN) else 1
    cosines = _cosines(net, inputs, labels, sign)
    found = {LEAST: min(cosines), MEAN: float(np.mean(cosines))}
    if case.arm == WRONG:
        other = _cosines(net, inputs, labels, -sign)
        found[SUM] = max(abs(a + b) for a, b in zip(cosines, other, strict=True))
        found[REAL] = max(_in_real_numbers(net, inputs, labels, sign))
    return found


def _network(arm: str, seed: int, context: Context) -> Network:
    """As an arm says, trained on digits."""
    train = partial(context.trained, "digits", seed, weights=WeightFormat.INT8, epochs=_EPOCHS)
    bits = next((bits for bits in STATES if arm == NARROW.format(bits)), 8)
    if arm == LOOPED:
        net = train(shape=shape_of(SMALL))
    elif bits < 8:
        width = fraction_bits("digits", WeightFormat.INT8, bits)
        net = train(state_bits=bits, fraction_bits=width)
    else:
        net = train()
    shift = arm.rpartition("beta 2^-")[2] if "beta" in arm else "0"
    return replace(net, beta_shift=int(shift))


def _in_real_numbers(
    net: Network, inputs: Integers, labels: npt.NDArray[np.int64], sign: int
) -> list[float]:
    """Cosines of the rule without rounding, with a nudge so small that they are 1 of the right
    sign. Of the samples whose equilibrium has a gradient. With beta 0.001 states of one seed in
    five cross a rail, and its cosine is 0.65.
    """
    kept, _, slopes = _gradient(net, inputs, labels)
    rule = FloatNetwork(net, 1)
    rule.weights = {c.name: c.parameters / 2.0**c.fraction_bits for c in net.couplings}
    for p in net.relaxing:
        unit = 2.0 ** net.accumulator_fraction_bits(p.name) * p.state_max
        rule.biases[p.name] = net.biases[p.name] / unit
    shown, target = inputs[kept] / net.input.state_max, np.eye(net.output.size)[labels[kept]]
    found, _ = rule.gradient(shown, target, _BETA, tolerance=1e-12, max_sweeps=2000)
    return [_cosine(-sign * found.weights[name], -slopes[name]) for name in slopes]


def _cosine(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """0 where one of them is 0."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one.ravel() @ other.ravel()) / lengths if lengths else 0.0


def _gradient(
    net: Network, inputs: Integers, labels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], dict[str, npt.NDArray[np.float64]]]:
    """Samples whose real-valued equilibrium has a gradient, all equilibria, and its sum of them."""
    real = RealNetwork(net, inputs)
    states, settled = real.relax(real.layout.join(sim.free_phase(net, inputs).states))
    adjoint, solved = real.adjoint(states, labels)
    kept = settled & solved
    return kept, states, real.gradient(states, adjoint * kept[:, None])


def _cosines(
    net: Network, inputs: Integers, labels: npt.NDArray[np.int64], sign: int
) -> list[float]:
    """Of each coupling: between `sign` times its contrast and minus the gradient; 0 without one."""
    kept, _, slopes = _gradient(net, inputs, labels)
    inputs, labels = inputs[kept], labels[kept]
    free = sim.free_phase(net, inputs)
    moved = contrasts(net, inputs, free, labels)
    return [_cosine(sign * moved[name].astype(np.float64), -slopes[name]) for name in moved]


def _slopes(net: Network, inputs: Integers, labels: npt.NDArray[np.int64], seed: int) -> float:
    """Median of finite differences over their predictions, along random directions.

    At a rail the loss has a kink, so that a step along one direction may be off.
    """
    rng = np.random.default_rng(seed)
    kept, states, slopes = _gradient(net, inputs, labels)
    weights = {c.name: c.parameters / 2.0**c.fraction_bits for c in net.couplings}
    ratios = []
    for _ in range(_DIRECTIONS):
        along = {name: rng.standard_normal(one.shape) for name, one in weights.items()}
        losses = []
        for step in (_STEP, -_STEP):
            moved = {name: one + step * along[name] for name, one in weights.items()}
            other = RealNetwork(net, inputs, moved)
            found = other.losses(other.relax(states.copy())[0], labels)
            losses.append(float(found[kept].sum()))
        predicted = sum(float((slopes[name] * along[name]).sum()) for name in weights)
        ratios.append((losses[0] - losses[1]) / (2 * _STEP) / predicted)
    return float(np.median(ratios))


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    own = of(rows, LEAST, control=False)
    wrong = of(rows, MEAN, arm=WRONG)[0].mean
    ratio = max((value for one in of(rows, RATIO) for value in one.values), key=_off)
    by_case: dict[str, list[float]] = {}
    for one in own:
        if one.arm not in _BESIDES:
            by_case.setdefault(_case(one), []).append(one.mean)
    best = {case: max(values) for case, values in by_case.items()}
    worst = min(one.mean for one in own)
    used = {_case(one): min(one.values) for one in own if _in_use(one.arm)}
    real = [value for one in of(rows, REAL) for value in one.values]
    sentence = (
        f"{_of_recipes(used)}At each network's best setting the least cosine over "
        f"couplings is at least {min(best.values()):.2f}; over all settings it goes down to "
        f"{worst:.2f}. At the best settings it is "
        f"{'; '.join(f'{value:.2f} ({case})' for case, value in best.items())}. With the wrong "
        f"sign the mean is {wrong:.2f}. Finite differences lie within {100 * _off(ratio):.2f} % of "
        f"the gradient.{_besides(rows, real)}"
    )
    both = [value for one in of(rows, SUM) for value in one.values]
    failed = max(real) > OPPOSITE or max(both) > ROUNDED
    if _off(ratio) > CLOSE or not wrong or failed:
        return Judged("not testable here", sentence, controlled=False)
    if wrong > 0 or min(used.values()) < ALIGNED:
        return Judged("refuted", sentence)
    return Judged("holds" if worst >= ALIGNED else "holds within limits", sentence)


_BESIDES = (*(NARROW.format(bits) for bits in STATES), FEW)
"""Arms that count among all settings, but have no best one."""


def _case(one: TrackRow) -> str:
    return f"{one.data}, {one.arm.partition(', s ')[0]}"


def _in_use(arm: str) -> bool:
    """Whether trainings use this setting, by the words of `PLAIN` and `CONVOLUTIONS`."""
    if arm in _BESIDES:
        return False
    return arm.endswith(CONVOLUTIONS if "convolution" in arm else PLAIN)


def _of_recipes(used: Mapping[str, float]) -> str:
    """A sentence on the settings that trainings use, with the worst seed."""
    cases = "; ".join(f"{value:.2f} ({case})" for case, value in used.items())
    return (
        f"At the settings that trainings use the least cosine over couplings is at least "
        f"{min(used.values()):.2f}. By network it is {cases}. "
    )


def _besides(rows: Sequence[TrackRow], real: Sequence[float]) -> str:
    """Sentences on bits of state and few images, and on the wrong sign in real numbers."""
    narrow = [of(rows, LEAST, arm=NARROW.format(bits)) for bits in STATES]
    parts = [
        f"{figure(row)} with {bits}"
        for bits, found in zip(STATES, narrow, strict=True)
        for row in found
    ]
    few = "".join(f" Over 100 images it is {figure(row)}." for row in of(rows, LEAST, arm=FEW))
    return (
        f" In real numbers the wrong sign scores {max(real):.4f} at worst. By bits of state the "
        f"least cosine is {', '.join(parts)}.{few}"
    )


def _off(ratio: float) -> float:
    return abs(ratio - 1)


TRACK = Track(
    ids=("9",),
    name="gradients",
    setup=(
        "Cosine between each coupling's contrast and minus the exact gradient of the loss at the "
        "real-valued equilibrium. Deep and convolutional nets, several feedback shifts, drives and "
        "nudges (published record, one seed). Here, over seeds, a dense net after two epochs, one "
        "with a lattice inside its hidden layer, and nets with fewer bits of state. Their "
        "contrasts are summed over all training images of digits, as an epoch sums them; with the "
        f"lattice over {_LOOPED}. Over 100, as the record has them, they are measured besides."
    ),
    control=(
        "Finite differences of the loss. The rule with the wrong sign, in integers and in real "
        "numbers with beta 10^-6, which must score -1."
    ),
    thresholds=(
        f"Aligned: every coupling's cosine is {ALIGNED} or more, 45 degrees, where a small step "
        "keeps 0.7 of the gain. Within limits: so with each seed at the settings that trainings "
        "use. These are s 0, g 0, beta 1; of convolutions s 3, g 3, as in docs/networks.md. "
        "Holds: at all settings, fewer bits included. Else refuted. In real numbers the wrong sign "
        f"must score {OPPOSITE} or less, in integers minus the right one, and below 0. Finite "
        "differences must lie within 5 % of the gradient. Earlier each network's best setting was "
        "asked, over 100 images." + CHANGED_LATER
    ),
    sources="reports/published/gradients.json, made by `toreq-hw study gradients`; runs here.",
    measure=measure,
    verdict=verdict,
    broken={SIGN: "contrasts have the wrong sign"},
    picture=LEAST,
)
