"""Track 7: do limit cycles carry information over time?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from toreq_hw import sim
from toreq_hw.contract.results import Status
from toreq_hw.network import FeedbackKind, Network, Schedule, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, figure, of, the
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

RECALLED = "class recalled after a blank frame, %"
CYCLING = "samples that cycle on the blank frame, %"
OF_CYCLING = "of those, class recalled, %"
PERIOD = "longest period, sweeps"

PARITY, AT_ONCE, ASYMMETRIC = "one colour at a time", "all at once", "fixed random feedback"
RESET = "reset between frames"
TIMES = ", weights times {}"
STRONGER = {AT_ONCE: (2, 8, 32), ASYMMETRIC: (2, 8)}
"""Larger weights and biases, by powers of two: several equilibria, or cycles."""

GAIN = 10.0
"""Points above the reset network: a tenth of all samples, far outside the spread of seeds."""

ENOUGH = 5.0
"""Per cent of samples that must cycle for a figure of them to mean something."""

MAX_SWEEPS = 1000

FORGET = "forget"


def measure(settings: Settings, place: Place) -> Measured:
    """Each way to settle on each data set."""
    more = [way + TIMES.format(times) for way, all_ in STRONGER.items() for times in all_]
    ways = (PARITY, AT_ONCE, ASYMMETRIC, *more, RESET)
    cases = [Case(name, arm, arm == RESET) for name in settings.data for arm in ways]
    return measuring.measure(_recall, cases, settings, place)


def _recall(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """A test image, then a blank one; states are carried on, and the class is read again."""
    net = _network(case, seed, context)
    tests = Tests(context.dataset(case.data), net)
    blank = np.zeros_like(tests.inputs)
    forgets = case.control or context.settings.broken == FORGET
    shown = [blank] if forgets else [tests.inputs, blank]
    found = sim.sequence(net, np.stack(shown), max_sweeps=MAX_SWEEPS)[-1]
    cycling = found.status == Status.CYCLE
    right = found.classes == tests.labels
    return {
        RECALLED: 100 * float(right.mean()),
        CYCLING: 100 * float(cycling.mean()),
        OF_CYCLING: 100 * float(right[cycling].mean()) if cycling.any() else 0.0,
        PERIOD: float(found.periods.max()),
    }


def _network(case: Case, seed: int, context: Context) -> Network:
    way, _, times = case.arm.partition(TIMES.format(""))
    feedback = {"feedback": FeedbackKind.FIXED} if way == ASYMMETRIC else {}
    net = context.trained(case.data, seed, weights=WeightFormat.INT8, **feedback)
    if way == AT_ONCE:
        net = replace(net, schedule=Schedule.SYNCHRONOUS)
    bits = int(times or 1).bit_length() - 1
    couplings = [
        replace(one, fraction_bits=one.fraction_bits - bits)  # type: ignore[call-arg] # all have it
        for one in net.couplings
    ]
    return replace(net, couplings=tuple(couplings))


def _carried(carried: Sequence[TrackRow], by_cycles: Sequence[TrackRow]) -> str:
    if by_cycles:
        return "Samples that cycle carry a class over a blank frame"
    whose = "samples that settle alone carry" if carried else "nothing carries"
    return f"{whose.capitalize()} a class over a blank frame"


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    chance = {name: the(rows, name, RESET, RECALLED).mean for name in data_of(rows)}
    carried = [
        one for one in of(rows, RECALLED, control=False) if one.low >= chance[one.data] + GAIN
    ]
    by_cycles = [
        one
        for one in of(rows, OF_CYCLING, control=False)
        if the(rows, one.data, one.arm, CYCLING).mean >= ENOUGH
        and one.low >= chance[one.data] + GAIN
    ]
    parts = [
        f"{one.arm} {figure(one, 1)} % ({one.data}; "
        f"{the(rows, one.data, one.arm, CYCLING).mean:.1f} % cycle)"
        for one in of(rows, RECALLED, control=False)
    ]
    longest = max(max(one.values) for one in of(rows, PERIOD, control=False))
    sentence = (
        f"{_carried(carried, by_cycles)}, and the longest period is {longest:.0f} sweeps. After "
        f"a blank frame the class is still named in {'; '.join(parts)}. Reset between frames it "
        f"is named in {', '.join(f'{value:.1f} % ({name})' for name, value in chance.items())}."
    )
    if by_cycles:
        return Judged("holds", sentence)
    return Judged("holds within limits" if carried else "refuted", sentence)


TRACK = Track(
    ids=("7",),
    name="cycles",
    setup=(
        "A trained INT8 network settles on a test image, then on a blank one with its states "
        "carried on; which class it still names, how many samples cycle, and exact periods. The "
        "same with larger weights, which was added after figures of digits had been seen."
    ),
    control="The same network reset between the frames, which can know nothing of the image.",
    thresholds=(
        f"Carried: surely {GAIN:g} points above the reset network. Holds: so by samples that "
        f"cycle, where at least {ENOUGH:g} % do. Within limits: so, but by samples that settle. "
        "Else refuted."
    ),
    sources="Integer simulator, docs/numerics.md, section 4, sequences and cycles.",
    measure=measure,
    verdict=verdict,
    broken={FORGET: "every network is reset between the frames"},
    picture=RECALLED,
)
