"""Track 29: does the energy fall with every tick that changes a state?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network, Schedule, Skip, WeightFormat, build
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.session import Session
from toreq_hw.studies.screen import NO_SCREEN
from toreq_hw.studies.sequence_cases import SEQUENCES
from toreq_hw.studies.structured import train_case
from toreq_hw.studies.structured_case import Case as Sequenced
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import of
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

WATCHED = "ticks that changed a state"
UP = "of them without a fall"
IMAGES = "images with such a tick, %"
UNSETTLED = "images that did not settle"

ALL_AT_ONCE, SIGN = "all at once", "sign"

_BATCH = 500


@dataclass(frozen=True)
class _Kind:
    """A network of the track. shape: layers of `build` on 8 x 8 images; () for one hidden layer."""

    weights: WeightFormat = WeightFormat.TERNARY
    schedule: Schedule | None = None
    shape: tuple[str, ...] = ()
    fraction_bits: tuple[int, ...] = ()
    feedback_shifts: tuple[int, ...] = ()
    skips: tuple[Skip, ...] = ()
    only_digits: bool = False
    control: bool = False


_INT8 = WeightFormat.INT8

ATTENTION = {
    "attention ternary, budget rows": "reversal-8 attention ternary",
    "attention INT8, softmax rows": "copy-8 attention int8",
}
"""Networks with trilinear terms and a clamped readout, by the names of their cases."""

KINDS: Mapping[str, _Kind] = {
    "dense ternary, parity": _Kind(),
    "dense INT8, parity": _Kind(_INT8),
    "dense INT8, sequential": _Kind(_INT8, Schedule.SEQUENTIAL),
    "convolution INT8, parity": _Kind(
        _INT8,
        shape=("conv 6 3x3 stride 2 pad 1", "dense 10"),
        fraction_bits=(6, 7),
        only_digits=True,
    ),
    "lattice INT8, chequered": _Kind(
        _INT8, shape=("lattice 3x4x4", "dense 10"), fraction_bits=(7, 6), only_digits=True
    ),
    "random INT8, parity": _Kind(
        _INT8, shape=("random 48 density 0.3", "dense 10"), fraction_bits=(6, 6), only_digits=True
    ),
    "depths and a skip, INT8": _Kind(
        _INT8,
        shape=("dense 32", "dense 24", "dense 10"),
        fraction_bits=(7, 7, 6),
        feedback_shifts=(0, 1, 0),
        skips=(Skip(0, 2, 7),),
        only_digits=True,
    ),
    "dense ternary, synchronous": _Kind(schedule=Schedule.SYNCHRONOUS, control=True),
    "dense INT8, synchronous": _Kind(_INT8, Schedule.SYNCHRONOUS, control=True),
}
"""By the name of the arm. Weights are learned under a coloured schedule, the control's too."""


def measure(settings: Settings, place: Place) -> Measured:
    """Every kind on every data set that it takes."""
    cases = [
        Case(name, arm, kind.control)
        for name in settings.data
        for arm, kind in KINDS.items()
        if name == "digits" or not kind.only_digits
    ]
    attention = [Case(_sequences(arm).data, arm) for arm in ATTENTION]
    cases += attention[:1] if settings.quick else attention
    return measuring.measure(_watch_all, cases, settings, place)


def _watch_all(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One network: the free and both nudged phases of every test image."""
    broken = context.settings.broken
    net = _network(case, seed, context)
    if broken == ALL_AT_ONCE and not net.terms:
        net = replace(net, schedule=Schedule.SYNCHRONOUS)
    tests = Tests(context.dataset(case.data), net)
    total = np.zeros(3, dtype=np.int64)
    images, count = 0, len(tests.labels)
    if context.settings.quick:
        count = min(count, _BATCH)
    for first in range(0, count, _BATCH):
        part = slice(first, first + _BATCH)
        found, touched = _watch(net, tests.inputs[part], tests.labels[part], flip=broken == SIGN)
        total += found
        images += touched
    return {
        WATCHED: float(total[0]),
        UP: float(total[1]),
        IMAGES: 100 * images / count,
        UNSETTLED: float(total[2]),
    }


def _sequences(arm: str) -> Sequenced:
    return next(one for one in SEQUENCES if one.name == ATTENTION[arm])


def _network(case: Case, seed: int, context: Context) -> Network:
    if case.arm in ATTENTION:
        chosen = _sequences(case.arm)
        epochs = 1 if context.settings.quick else chosen.epochs
        chosen = replace(chosen, epochs=epochs)
        return train_case(chosen, context.dataset(case.data), seed, NO_SCREEN)[0]
    kind = KINDS[case.arm]
    if not kind.shape:
        net = context.trained(case.data, seed, weights=kind.weights)
        return replace(net, schedule=kind.schedule) if kind.schedule else net
    blank = build(
        "8x8x1",
        kind.shape,
        weight_format=kind.weights,
        fraction_bits=kind.fraction_bits,
        feedback_shifts=kind.feedback_shifts or None,
        skips=kind.skips,
    )
    return context.trained(case.data, seed, shape=blank)


def _watch(
    net: Network, inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64], *, flip: bool
) -> tuple[npt.NDArray[np.int64], int]:
    """Ticks that changed a state, those without a fall, images that did not settle; and images
    with a tick without a fall. flip: the energy with the wrong sign.
    """
    session = Session(net)
    session.start(inputs)
    total = np.zeros(3, dtype=np.int64)
    touched = np.zeros(len(inputs), dtype=np.bool_)
    for sign in (0, 1, -1):
        if sign:
            session.nudge(labels, sign)
        before = session.phase.energy
        while not session.finished:
            tick = session.step()
            after = tick.registers.energy
            changed = np.zeros(len(inputs), dtype=np.bool_)
            changed[tick.sample] = True
            rose = changed & ((after <= before) if flip else (after >= before))
            total[:2] += np.count_nonzero(changed), np.count_nonzero(rose)
            touched |= rose
            before = after
        total[2] += session.run().unsettled
    return total, int(np.count_nonzero(touched))


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    ticks = sum(sum(row.values) for row in of(rows, WATCHED, control=False))
    without = sum(sum(row.values) for row in of(rows, UP, control=False))
    shares = [row.mean for row in of(rows, IMAGES, control=True)]
    found = max(shares, default=0.0)
    control = f"All at once it did not in up to {found:.1f} % of the images."
    if not ticks or not found:
        sentence = f"{ticks:,.0f} ticks were watched, and the control showed no rise."
        return Judged("not testable here", sentence, controlled=False)
    arms = len(of(rows, UP, control=False))
    if without:
        sentence = f"In {without:,.0f} of {ticks:,.0f} changing ticks the energy did not fall."
        return Judged("refuted", f"{sentence} {control}")
    sentence = (
        f"The energy fell in each of {ticks:,.0f} changing ticks of {arms} networks' free and "
        f"nudged phases, one colour at a time. {control}"
    )
    return Judged("holds", sentence)


TRACK = Track(
    ids=("29",),
    name="energy",
    setup=(
        "The integer energy before and after each tick of the free and both nudged phases of every "
        "test image or sequence; trained networks of all kinds, attention and skips included."
    ),
    control=(
        "Trained dense networks with all neurons updated at once, where it may rise. The contract "
        "refuses attention updated so."
    ),
    thresholds=(
        "Holds: strictly lower after every tick that changed a state, without exception, because "
        "a proof says so. Refuted: one tick without a fall. The control must show at least one."
    ),
    sources="This project's simulator; docs/numerics.md, section 4.",
    measure=measure,
    verdict=verdict,
    broken={
        ALL_AT_ONCE: "coloured schedules without terms update every neuron at once",
        SIGN: "the energy has the wrong sign",
    },
    picture=IMAGES,
)
