"""Track 9: do contrasts follow the gradient? Takes in `gradients`, and measures the wrong sign."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.data import input_states
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.gradients import Gradients
from toreq_hw.records.verification import TrackRow
from toreq_hw.reports.gradients import settings_of
from toreq_hw.sim.baselines.real_network import RealNetwork
from toreq_hw.sim.learning.contrast import contrasts
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context
from toreq_hw.studies.tracks.published import published
from toreq_hw.studies.tracks.rows import of, row
from toreq_hw.studies.tracks.track import CHANGED_LATER, Judged, Measured, Settings, Track

LEAST, MEAN = "least cosine", "mean cosine"
LIVE = "trained here, s 0, beta 2^-{}"
WRONG, SLOPES = "trained here, wrong sign", "finite differences of the loss"
SHIFTS = (0, 1, 2)
"""Nudges of the network that is trained here, as those of the published record."""

RATIO = "finite difference over predicted change"

ALIGNED = 0.7
"""45 degrees: a small step along such a contrast keeps 0.7 of what the gradient's would gain."""

CLOSE = 0.05
"""Of a finite difference to the slope that it must have."""

SIGN = "sign"

_SAMPLES, _DIRECTIONS, _STEP = 100, 5, 1e-5

_EPOCHS = 2
"""Of the network that is trained here: later its training images have hardly an error left."""


def measure(settings: Settings, place: Place) -> Measured:
    """The published cosines; those of a network trained here, and with the wrong sign."""
    rows: list[TrackRow] = []
    for case in published("gradients", Gradients).gradient_cases:
        for setting in settings_of(case):
            sign = -1 if settings.broken == SIGN else 1
            arm = f"{case.name}, {setting.text}"
            rows.append(
                row(case.data, arm, LEAST, [min(sign * setting.least, sign * setting.mean)])
            )
            rows.append(row(case.data, arm, MEAN, [sign * setting.mean]))
    cases = [Case("digits", LIVE.format(shift)) for shift in SHIFTS]
    cases += [Case("digits", arm, control=True) for arm in (WRONG, SLOPES)]
    live = measuring.measure(_measure, cases, settings, place)
    return Measured((*rows, *live.rows), live.seconds)


def _measure(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Cosines of one small network's couplings on training images, or their control."""
    net = context.trained(case.data, seed, weights=WeightFormat.INT8, epochs=_EPOCHS)
    dataset = context.dataset(case.data)
    inputs = input_states(net, dataset.train.images[:_SAMPLES], dataset.pixel_max)
    labels = dataset.train.labels[:_SAMPLES]
    if case.arm == SLOPES:
        return {RATIO: _slopes(net, inputs, labels, seed)}
    if case.arm != WRONG:
        net = replace(net, beta_shift=int(case.arm.rpartition("-")[2]))
    turned = (case.arm == WRONG) != (context.settings.broken == SIGN)
    cosines = _cosines(net, inputs, labels, -1 if turned else 1)
    return {LEAST: min(cosines), MEAN: float(np.mean(cosines))}


Integers = npt.NDArray[np.int16]


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
    found = []
    for name, contrast in contrasts(net, inputs, free, labels).items():
        downhill, moved = -slopes[name].ravel(), sign * contrast.ravel().astype(np.float64)
        lengths = float(np.linalg.norm(moved) * np.linalg.norm(downhill))
        found.append(float(moved @ downhill) / lengths if lengths else 0.0)
    return found


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
        by_case.setdefault(f"{one.data}, {one.arm.partition(', s ')[0]}", []).append(one.mean)
    best = {case: max(values) for case, values in by_case.items()}
    worst = {case: min(values) for case, values in by_case.items()}
    sentence = (
        f"At each network's best setting the least cosine over couplings is at least "
        f"{min(best.values()):.2f}; over all settings it goes down to {min(worst.values()):.2f}. "
        f"At the best settings it is "
        f"{'; '.join(f'{value:.2f} ({case})' for case, value in best.items())}. With the wrong "
        f"sign the mean is {wrong:.2f}. Finite differences lie within {100 * _off(ratio):.2f} % of "
        "the gradient."
    )
    if _off(ratio) > CLOSE or not wrong:
        return Judged("not testable here", sentence, controlled=False)
    if wrong > 0 or min(best.values()) < ALIGNED:
        return Judged("refuted", sentence)
    return Judged("holds" if min(worst.values()) >= ALIGNED else "holds within limits", sentence)


def _off(ratio: float) -> float:
    return abs(ratio - 1)


TRACK = Track(
    ids=("9",),
    name="gradients",
    setup=(
        "Cosine between each coupling's contrast and minus the exact gradient of the loss at the "
        "real-valued equilibrium: deep and convolutional nets, several feedback shifts, drives and "
        "nudges (published record, one seed); a dense net after two epochs here, over seeds."
    ),
    control="Finite differences of the loss; the rule with the wrong sign.",
    thresholds=(
        f"Aligned: every coupling's cosine is {ALIGNED} or more, 45 degrees, where a small step "
        "keeps 0.7 of the gain. Holds: at all settings. Within limits: at the best setting of each "
        "network. Else refuted. The wrong sign must score below 0, and finite differences must "
        "lie within 5 % of the gradient." + CHANGED_LATER
    ),
    sources="reports/published/gradients.json, made by `toreq-hw study gradients`; runs here.",
    measure=measure,
    verdict=verdict,
    broken={SIGN: "contrasts have the wrong sign"},
    picture=LEAST,
)
