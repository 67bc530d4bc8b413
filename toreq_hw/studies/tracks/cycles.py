"""Track 7: do limit cycles carry information over time?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from toreq_hw import sim
from toreq_hw.contract.results import Status
from toreq_hw.network import FeedbackKind, Network, Schedule, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import image_sequences, measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, figure, of, the
from toreq_hw.studies.tracks.track import CHANGED_LATER, Judged, Measured, Settings, Track

RECALLED = "class recalled after a blank frame, %"
LATER = "class recalled after {} blank frames, %"
BLANKS = (2, 4, 8)
"""More of them: an equilibrium stays as it is, but of a cycle each frame may end elsewhere."""

CYCLING = "samples that cycle on the blank frame, %"
OF_CYCLING = "of those, class recalled, %"
PERIOD = "longest period, sweeps"
SHOWN_CYCLING = "samples that cycle on the image, %"
SHOWN_PERIOD = "longest period on the image, sweeps"

FIRST = "class of the first of {} images, %"
MIXED = "so, of images in shuffled order, %"
CYCLING_LAST = "samples that cycle on the last of {} images, %"
COMMON = "sequences whose first image is of the commonest class, %"
FRAMES = (2, 3)

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

TOLD = 0.25
"""Of what is above the reset network, that a shuffled order must take away. It changes half of all
sequences of two images, so a readout that knows which image was first loses half."""

FORGET, ALIKE = "forget", "alike"


def measure(settings: Settings, place: Place) -> Measured:
    """Each way to settle on each data set."""
    more = [way + TIMES.format(times) for way, all_ in STRONGER.items() for times in all_]
    ways = (PARITY, AT_ONCE, ASYMMETRIC, *more, RESET)
    cases = [Case(name, arm, arm == RESET) for name in settings.data for arm in ways]
    return measuring.measure(_carry, cases, settings, place)


def _carry(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """What a network has left of an image after blank ones, and after other images."""
    net = _network(case, seed, context)
    forgets = case.control or context.settings.broken == FORGET
    tests = Tests(context.dataset(case.data), net)
    found = dict(_recall(net, tests, forgets=forgets))
    for frames in FRAMES:
        kept = image_sequences.kept(
            net,
            tests.dataset,
            frames,
            seed,
            max_sweeps=MAX_SWEEPS,
            reset=forgets,
            alike=context.settings.broken == ALIKE and not case.control,
        )
        found[FIRST.format(frames)] = kept.first
        found[CYCLING_LAST.format(frames)] = kept.cycling
        if frames == FRAMES[0]:
            found |= {MIXED: kept.shuffled, COMMON: kept.common}
    return found


def _recall(net: Network, tests: Tests, *, forgets: bool) -> Mapping[str, float]:
    """A test image, then blank ones; states are carried on, and the class is read again."""
    blank = np.zeros_like(tests.inputs)
    blanks = [blank] if forgets else [tests.inputs, *[blank] * max(BLANKS)]
    phases = sim.sequence(net, np.stack(blanks), max_sweeps=MAX_SWEEPS)
    if forgets:
        image = sim.relax(net, tests.inputs, max_sweeps=MAX_SWEEPS)
        phases = [image, *phases * max(BLANKS)]
    image, found = phases[:2]
    cycling = found.status == Status.CYCLE
    right = found.classes == tests.labels
    return {
        RECALLED: 100 * float(right.mean()),
        **{LATER.format(n): tests.accuracy(phases[n].classes) for n in BLANKS},
        CYCLING: 100 * float(cycling.mean()),
        OF_CYCLING: 100 * float(right[cycling].mean()) if cycling.any() else 0.0,
        PERIOD: float(found.periods.max()),
        SHOWN_CYCLING: 100 * float(np.mean(image.status == Status.CYCLE)),
        SHOWN_PERIOD: float(image.periods.max()),
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
        f"{_carried(carried, by_cycles)}, and the longest period is {longest:.0f} sweeps."
        f"{_over_images(rows)} After a blank frame the class is still named in {'; '.join(parts)}. "
        f"Reset between frames it is named in "
        f"{', '.join(f'{value:.1f} % ({name})' for name, value in chance.items())}.{_later(rows)}"
    )
    if not _controlled(rows):
        return Judged("not testable here", sentence, controlled=False)
    if by_cycles:
        return Judged("holds", sentence)
    return Judged("holds within limits" if carried else "refuted", sentence)


def _above_reset(rows: Sequence[TrackRow], quantity: str) -> list[TrackRow]:
    """Rows of a quantity that surely lie `GAIN` points above the reset network of their data."""
    return [
        one
        for one in of(rows, quantity, control=False)
        if one.low >= the(rows, one.data, RESET, quantity).mean + GAIN
    ]


def _controlled(rows: Sequence[TrackRow]) -> bool:
    """Whether a reset network knows no first image, and a shuffled order is not told as well."""
    quantity = FIRST.format(FRAMES[0])
    for data in data_of(rows):
        known = the(rows, data, RESET, quantity).mean
        if known >= the(rows, data, RESET, COMMON).mean + GAIN:
            return False
    for one in _above_reset(rows, quantity):
        above = one.mean - the(rows, one.data, RESET, quantity).mean
        if the(rows, one.data, one.arm, MIXED).mean > one.mean - TOLD * above:
            return False
    return True


def _over_images(rows: Sequence[TrackRow]) -> str:
    """Sentences on the first of several images."""
    found = [of(rows, FIRST.format(frames), control=False) for frames in FRAMES]
    best = max(_above_reset(rows, found[0][0].quantity) or found[0], key=lambda one: one.mean)
    reset = the(rows, best.data, RESET, best.quantity)
    mixed = the(rows, best.data, best.arm, MIXED)
    carries = "something carries" if best.low >= reset.mean + GAIN else "nothing carries"
    return (
        f" Over another image {carries} it. The class of the first of {FRAMES[0]} images is read "
        f"in at most {figure(best, 1)} % ({best.arm}, {best.data}). Reset between frames that is "
        f"{figure(reset, 1)} %, in shuffled order {figure(mixed, 1)} %. Of the first of "
        f"{FRAMES[1]} images it is at most {max(one.mean for one in found[1]):.1f} %."
    )


def _later(rows: Sequence[TrackRow]) -> str:
    """Sentences on longer delays and on cycles while an image is shown."""
    last = of(rows, LATER.format(BLANKS[-1]), control=False)
    cycling = of(rows, SHOWN_CYCLING, control=False)
    periods = of(rows, SHOWN_PERIOD, control=False)
    moved = max(abs(one.mean - the(rows, one.data, one.arm, RECALLED).mean) for one in last)
    return (
        f" After {BLANKS[-1]} blank frames it differs by at most {moved:.1f} points. While an "
        f"image is shown up to {max(one.mean for one in cycling):.1f} % of samples cycle. Their "
        f"longest period is {max(max(one.values) for one in periods):.0f} sweeps."
    )


TRACK = Track(
    ids=("7",),
    name="cycles",
    setup=(
        "A trained INT8 network settles on a test image, then on 1, 2, 4 or 8 blank ones with its "
        "states carried on; which class it still names, how many samples cycle, and exact periods. "
        "The same with larger weights, which was added after figures of digits had been seen. Of "
        f"{image_sequences.COUNT:,} sequences of 2 and 3 images a linear readout of final states "
        "names the class of the first; it is fitted on training sequences."
    ),
    control=(
        "The same network reset between the frames, which can know nothing of the first. Test "
        "sequences in shuffled order, where a readout that knows which image was first must lose."
    ),
    thresholds=(
        f"Carried: surely {GAIN:g} points above the reset network, over one blank frame. Holds: so "
        f"by samples that cycle, where at least {ENOUGH:g} % do. Within limits: so, but by samples "
        "that settle. Else refuted. Longer delays and sequences of images were added after figures "
        "of one blank frame had been seen; they move no verdict. Not testable: a reset network "
        f"names the first of two images, {GAIN:g} points above the share of the commonest class. "
        f"Or one that is {GAIN:g} points above it keeps more than {100 - 100 * TOLD:g} % of its "
        "lead in shuffled order." + CHANGED_LATER
    ),
    sources="Integer simulator, docs/numerics.md, section 4, sequences and cycles.",
    measure=measure,
    verdict=verdict,
    broken={
        FORGET: "every network is reset between the frames",
        ALIKE: "all images of a sequence are of one class, so that the last gives the first away",
    },
    picture=RECALLED,
)
