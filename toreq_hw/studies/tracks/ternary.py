"""Track 4: what do ternary weights cost, and are their zeros worth anything?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from toreq_hw import sim
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, differences, extent, of, on_each, the
from toreq_hw.studies.tracks.track import CHANGED_LATER, Judged, Measured, Settings, Track

ACCURACY, ZEROS = "accuracy, %", "zero weights, %"

INT8, PRUNED = "INT8", "INT8 pruned to the zeros of theta 4096"
TERNARY = "ternary, theta {}"
TASKS = ("digits", "cartpole", "acrobot", "mnist", "fashion-mnist")
"""The five tasks, or fewer where data sets are chosen. Cartpole and acrobot need the extra `quant`:
experts are cloned, and test accuracy is how often a network decides as the expert."""

THETAS = (2048, 4096, 5500)
"""First latents lie within 6000: a larger theta leaves no weight but 0, and nothing learns."""

USUAL = TERNARY.format(4096)

LOSS = 0.5
"""Points of accuracy: half of what separates published methods on MNIST at this size."""

FEWEST = 40.0
"""Per cent of zeros, near the published 47."""

SHUFFLED = "labels"


def measure(settings: Settings, place: Place) -> Measured:
    """Each format on each task."""
    arms = [*(TERNARY.format(theta) for theta in THETAS), INT8, PRUNED]
    names = TASKS if settings.data == Settings().data else settings.data
    cases = [Case(name, arm, arm in (INT8, PRUNED)) for name in names for arm in arms]
    return measuring.measure(_train, cases, settings, place)


def _train(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One network of the integer rule on the test samples."""
    shuffled = context.settings.broken == SHUFFLED and not case.control
    if case.control:
        net = context.trained(case.data, seed, weights=WeightFormat.INT8)
        if case.arm == PRUNED:
            other = context.trained(case.data, seed, weights=WeightFormat.TERNARY, theta=THETAS[1])
            net = pruned(net, other)
    else:
        net = context.trained(
            case.data,
            seed,
            weights=WeightFormat.TERNARY,
            theta=int(case.arm.split()[-1]),
            shuffled=shuffled,
        )
    tests = Tests(context.dataset(case.data), net)
    return {ACCURACY: tests.accuracy(sim.relax(net, tests.inputs).classes), ZEROS: _zeros(net)}


def _zeros(net: Network) -> float:
    """Share of stored weights that are 0, in per cent."""
    return 100 * float(np.mean(np.concatenate([c.parameters.ravel() for c in net.couplings]) == 0))


def pruned(net: Network, other: Network) -> Network:
    """`net` with its smallest weights at 0, in each coupling as many as `other` has zeros."""
    couplings = []
    for own, its in zip(net.couplings, other.couplings, strict=True):
        weights = own.parameters.copy()
        count = int(np.count_nonzero(its.parameters == 0))
        order = np.argsort(np.abs(weights.astype(np.int16)).ravel(), kind="stable")
        weights.ravel()[order[:count]] = 0
        couplings.append(own.with_parameters(weights))
    return replace(net, couplings=tuple(couplings))


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    gaps = dict(differences(rows, ACCURACY, INT8, USUAL))
    over = dict(differences(rows, ACCURACY, USUAL, PRUNED))
    zeros = [the(rows, data, USUAL, ZEROS).mean for data in data_of(rows)]
    lossless = [data for data, gap in gaps.items() if gap.high <= LOSS]
    by_theta = "; ".join(
        f"theta {theta} {_mean(rows, ZEROS, TERNARY.format(theta)):.0f} % zeros, "
        f"{_mean(rows, ACCURACY, TERNARY.format(theta)):.1f} %"
        for theta in THETAS
    )
    sentence = (
        f"Ternary has {extent(zeros)} % zeros and loses at most "
        f"{max(gap.mean for gap in gaps.values()):.2f} points against INT8. It loses "
        f"{on_each(gaps)}, and is ahead of pruned INT8 by {on_each(over)}. By theta: {by_theta}."
    )
    if all(gap.low > LOSS for gap in gaps.values()):
        return Judged("refuted", sentence)
    whole = len(lossless) == len(gaps) and min(zeros) >= FEWEST
    return Judged("holds" if whole else "holds within limits", sentence)


def _mean(rows: Sequence[TrackRow], quantity: str, arm: str) -> float:
    found = of(rows, quantity, arm=arm)
    return sum(one.mean for one in found) / len(found)


TRACK = Track(
    ids=("4",),
    name="ternary",
    setup=(
        "Networks of the integer rule with ternary weights over theta, and the share of zeros in "
        "them; test accuracy over seeds. Of cartpole and acrobot, which were added after figures "
        "of the other three had been seen, it is how often a network decides as the expert."
    ),
    control="INT8 of the same shape and epochs; INT8 pruned to as many zeros in each coupling.",
    thresholds=(
        f"Without loss: the 95 % interval of the gap to INT8 ends at {LOSS} points or below. "
        f"Holds: so at theta 4096 on every data set, with at least {FEWEST:g} % zeros. Refuted: "
        f"it lies above {LOSS} points on every one. Within limits: anything between."
        + CHANGED_LATER
    ),
    sources="Integer rule of this project at its recipes.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "ternary networks learn shuffled labels"},
    picture=ACCURACY,
    learned={ACCURACY: (INT8,)},
)
