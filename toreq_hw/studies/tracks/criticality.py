"""Track 19: do networks operate at the edge of chaos, and is accuracy best there?"""

from collections.abc import Mapping, Sequence

import numpy as np

from toreq_hw import data
from toreq_hw.contract.loop_gain import loop_gain
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.scaled_couplings import with_gain
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring, spreading
from toreq_hw.studies.tracks.measuring import Case, Context, Tests, load
from toreq_hw.studies.tracks.rows import data_of, differences, figure, of, the
from toreq_hw.studies.tracks.spectral import ASYMMETRIC, PARITY, SYNCHRONOUS, settling
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

L, ACCURACY = "L", "accuracy, %"
EXPONENT = "Lyapunov exponent {}, bits a sweep"
DAMAGE = "neurons that differ {} sweeps after a flip, {}, %"

TRAINED, UNTRAINED, LINEAR = "trained, gain {:g}", "untrained, gain {:g}", "linear, gain {:g}"
SHUFFLED = "shuffled labels"
LIMITED, UNLIMITED = "trained with L at most {:g}", "trained without a limit"

_GAIN = TRAINED.removesuffix("{:g}")

GAINS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
LIMITS = (0.3, 0.6, 0.9, 1.2)
LINEAR_GAINS = (1.0, 2.0, 4.0)
QUICK_GAINS, QUICK_LIMITS = (0.5, 1.0, 2.0), (0.9,)

EDGE = 0.1
"""Bits a sweep. At 0.1 a difference grows or shrinks by 7 % a sweep."""

LOSS = 1.0
"""Points of accuracy."""

AFTER = (1, 4, 16)
SAMPLES = 64
"""Training images on which differences are followed."""

MAX_SWEEPS = 100

STALE = "before the sweep"


def measure(settings: Settings, place: Place) -> Measured:
    """Gains of trained networks, limits on L in training, and controls."""
    gains = QUICK_GAINS if settings.quick else GAINS
    limits = QUICK_LIMITS if settings.quick else LIMITS
    cases = [
        Case(name, arm.format(gain), arm == UNTRAINED)
        for name in settings.data
        for arm in (TRAINED, UNTRAINED)
        for gain in gains
    ]
    cases += [Case(name, SHUFFLED, control=True) for name in settings.data]
    if "digits" in settings.data:
        cases += [Case("digits", LIMITED.format(limit)) for limit in limits]
        cases += [Case("digits", UNLIMITED)]
    first = settings.data[0]
    cases += [Case(first, LINEAR.format(gain), control=True) for gain in LINEAR_GAINS]
    return measuring.measure(_follow, cases, settings, place)


def _follow(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Differences on training images, and accuracy on test images."""
    net, whole = _network(case, seed, context), load(case.data)
    values = {L: loop_gain(net).lipschitz}
    if case.arm in [LINEAR.format(gain) for gain in LINEAR_GAINS]:
        inputs = np.zeros((SAMPLES, net.input.size), np.int16)
    else:
        chosen = np.random.default_rng(seed).permutation(len(whole.train))[:SAMPLES]
        inputs = data.input_states(net, whole.train.images[chosen], whole.pixel_max)
        tests = Tests(context.dataset(case.data), net)
        values[ACCURACY] = tests.accuracy(tests.classes)
    stale = context.settings.broken == STALE
    for way in (SYNCHRONOUS, PARITY, ASYMMETRIC):
        own = settling(net, way, seed)
        sweep = spreading.sweep_of(own, inputs)
        start = spreading.standing(own, inputs, MAX_SWEEPS)
        values[EXPONENT.format(way)] = spreading.exponent(own, sweep, start, seed, stale=stale)
        differ = spreading.damage(own, sweep, start, seed, AFTER)
        values |= {DAMAGE.format(number, way): share for number, share in differ.items()}
    return values


def _network(case: Case, seed: int, context: Context) -> Network:
    if case.arm == SHUFFLED:
        return context.trained(case.data, seed, weights=WeightFormat.INT8, shuffled=True)
    if case.arm == UNLIMITED:
        return context.offline(case.data, seed, spectral_limit=None)
    value = float(case.arm.split()[-1])
    if case.arm == LIMITED.format(value):
        return context.offline(case.data, seed, spectral_limit=value)
    if case.arm == LINEAR.format(value):
        net = halving()
    else:
        epochs = {"epochs": 0} if case.control else {}
        net = context.trained(case.data, seed, weights=WeightFormat.INT8, **epochs)
    loop = [p.coupling.name for p in net.forward_projections if not p.from_input]
    return with_gain(net, loop, value)


def halving() -> Network:
    """Ten pairs of signed neurons, each half of its partner: a difference halves in each sweep."""
    half = np.diag(np.full(10, 32)).astype(np.int8)
    hidden, output = (
        Population("hidden", 10, Role.HIDDEN, 8, signed=True),
        Population("output", 10, Role.OUTPUT, 8, signed=True),
    )
    return Network(
        (Population("input", 1, Role.INPUT, 8), hidden, output),
        (
            DenseCoupling("input", "hidden", np.zeros((1, 10), np.int8), 6, WeightFormat.INT8),
            DenseCoupling("hidden", "output", half, 6, WeightFormat.INT8),
        ),
        {},
    )


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    exponents = EXPONENT.format(SYNCHRONOUS)
    trained = of(rows, exponents, arm=TRAINED.format(1.0))
    untrained = of(rows, exponents, arm=UNTRAINED.format(1.0))
    at_edge = all(one.low >= -EDGE and one.high <= EDGE for one in trained)
    behind = _behind(rows)
    best = all(gap.low <= LOSS for _, _, gap in behind)
    spread = [the(rows, one.data, one.arm, DAMAGE.format(16, SYNCHRONOUS)) for one in trained]
    sentence = (
        f"Updated all at once, small differences in trained networks change by "
        f"{_said(trained)} bits a sweep; the edge is at 0. Before training it is "
        f"{_said(untrained)}. A flipped neuron leaves {_said(spread)} % of neurons different after "
        f"16 sweeps. {_reached(rows)}{' '.join(_told(*found) for found in behind)}"
    )
    for gain in LINEAR_GAINS:
        known = float(np.log2(gain / 2))
        for one in of(rows, exponents, arm=LINEAR.format(gain)):
            if any(abs(value - known) > EDGE for value in one.values):
                return Judged("not testable here", sentence, controlled=False)
    if at_edge and best:
        return Judged("holds", sentence)
    return Judged("holds within limits" if at_edge or best else "refuted", sentence)


def _reached(rows: Sequence[TrackRow]) -> str:
    """Whether some gain brings trained networks to the edge, all at once."""
    own = [
        one
        for one in of(rows, EXPONENT.format(SYNCHRONOUS), control=False)
        if one.arm.startswith(_GAIN)
    ]
    gains = [float(one.arm.split()[-1]) for one in own]
    if any(one.high >= -EDGE for one in own):
        return ""
    nearest = max(one.mean for one in own)
    return (
        f"No gain from {min(gains):g} to {max(gains):g} brings them to the edge; the nearest is "
        f"at {nearest:.2f}. "
    )


def _behind(rows: Sequence[TrackRow]) -> list[tuple[str, str, TrackRow]]:
    """Of gains, and of limits, on each data set: its name, the arm nearest to the edge, and by how
    much another one is ahead of it, the one whose lead is the surest.
    """
    found = []
    for name in data_of(rows):
        only = [row for row in rows if row.data == name]
        own = of(only, EXPONENT.format(SYNCHRONOUS), control=False)
        for gains in (True, False):
            family = [one for one in own if one.arm.startswith(_GAIN) == gains]
            nearest = min(family, key=lambda one: abs(one.mean), default=None)
            leads = [
                gap
                for one in family
                if nearest and one is not nearest
                for _, gap in differences(only, ACCURACY, one.arm, nearest.arm)
            ]
            if nearest and leads:
                found.append((name, nearest.arm, max(leads, key=lambda gap: gap.low)))
    return found


def _told(name: str, nearest: str, gap: TrackRow) -> str:
    arm = gap.arm.removesuffix(f" less {nearest}")
    return (
        f"On {name} {nearest!r} is nearest to the edge, and {arm!r} is {figure(gap)} points "
        "ahead of it."
    )


def _said(rows: Sequence[TrackRow]) -> str:
    return ", ".join(f"{figure(one)} ({one.data})" for one in rows)


TRACK = Track(
    ids=("19",),
    name="criticality",
    setup=(
        "Two copies of an INT8 network differ by up to 8 steps a neuron, or by one flipped neuron, "
        "and are swept together. The exponent is log2 of the growth of a small difference a sweep. "
        "Trained networks get the couplings of their loop times a gain; on digits others are "
        f"trained under limits on L. Differences are followed on {SAMPLES} training images."
    ),
    control=(
        "A linear network whose exponent is known; networks before training; shuffled labels."
    ),
    thresholds=(
        f"At the edge: the exponent of trained networks, all at once, surely lies within {EDGE:g} "
        "bits of 0, 7 % a sweep. Best there: no other gain (limit) is ahead of that nearest "
        f"to 0 by surely more than {LOSS:g} point. Both: holds; one of them: within limits; else "
        f"refuted. The linear network must read its exponent within {EDGE:g}."
    ),
    sources=(
        "Integer simulator; exponents after Benettin et al., Meccanica 15 (1980). With symmetric "
        "couplings all at once only periods of 1 and 2 last, so lasting chaos needs other feedback."
    ),
    measure=measure,
    verdict=verdict,
    broken={STALE: "the difference is taken before the sweep, so that it never changes"},
    picture=EXPONENT.format(SYNCHRONOUS),
)
