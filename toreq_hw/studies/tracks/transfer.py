"""Track 20: do couplings learned on some classes or images help to learn others?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from toreq_hw.data import Dataset
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import HIDDEN, Case, Context, Tests
from toreq_hw.studies.tracks.remembering import beginning, learned, still
from toreq_hw.studies.tracks.rows import differences, figure, of, on_each
from toreq_hw.studies.tracks.subsets import few_of_each, of_classes
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

FIRST, SECOND = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
SHOTS = (1, 5, 20, 100)

TRANSFER, SCRATCH, RANDOM = "after classes 0 to 4", "from scratch", "after shuffled labels"
FRESH = "after classes 0 to 4, new readout"
ZERO = "after classes 0 to 4, without learning"
FIXED = "random couplings from the input, frozen"

OTHER, OTHER_FIXED = "after MNIST", "after MNIST, couplings from the input frozen"
OTHER_FRESH = "after MNIST, new readout"
OTHER_SCRATCH, OTHER_RANDOM = "ten classes, from scratch", "ten classes, random and frozen"
FASHION = "fashion-mnist"

PAIRS = (
    (TRANSFER, SCRATCH),
    (FRESH, SCRATCH),
    (OTHER, OTHER_SCRATCH),
    (OTHER_FRESH, OTHER_SCRATCH),
)
"""What learned before, and what it is judged against."""

EPOCHS = 20
"""Of the few samples; the first task has as many as other tracks."""

WHOLE = 100.0
"""What was published, in per cent."""

SURE = 0.0

SHUFFLED = "labels"


def accuracy(shots: int) -> str:
    """The name of a figure."""
    return f"accuracy, {shots} samples a class, %"


def measure(settings: Settings, place: Place) -> Measured:
    """Learning curves of classes 5 to 9 on each data set, and of Fashion-MNIST after MNIST."""
    cases = [
        Case(name, arm, arm not in (TRANSFER, FRESH))
        for name in settings.data
        for arm in (TRANSFER, FRESH, SCRATCH, RANDOM, ZERO, FIXED)
    ]
    if "mnist" in settings.data:
        arms = (OTHER, OTHER_FRESH, OTHER_FIXED, OTHER_SCRATCH, OTHER_RANDOM)
        cases += [Case(FASHION, arm, arm in (OTHER_SCRATCH, OTHER_RANDOM)) for arm in arms]
    return measuring.measure(_learn, cases, settings, place)


def _learn(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Few samples, from each start."""
    ten = case.arm in (OTHER, OTHER_FRESH, OTHER_FIXED, OTHER_SCRATCH, OTHER_RANDOM)
    target, samples = (
        whole if ten else of_classes(whole, SECOND, renumber=True)
        for whole in (context.dataset(case.data), measuring.load(case.data))
    )
    wrong = context.settings.broken == SHUFFLED and case.arm in (SCRATCH, OTHER_SCRATCH)
    start = _start(case, seed, context, samples)
    if case.arm == ZERO:
        assert start is not None
        return {accuracy(shots): _right(start, target) for shots in SHOTS}
    values = {}
    for shots in SHOTS:
        few = few_of_each(samples, shots, seed)
        if case.arm in (FIXED, OTHER_FIXED, OTHER_RANDOM):
            assert start is not None
            net = learned(few, start, seed, EPOCHS, still(start))
        else:
            given = {"weights": WeightFormat.INT8} if start is None else {"start": start}
            net = context.trained_on(few, case.data, seed, epochs=EPOCHS, shuffled=wrong, **given)
        values[accuracy(shots)] = _right(net, target)
    return values


def _start(case: Case, seed: int, context: Context, samples: Dataset) -> Network | None:
    """What an arm begins with; None for new random weights."""
    weights = WeightFormat.INT8
    if case.arm in (SCRATCH, OTHER_SCRATCH):
        return None
    if case.arm in (FIXED, OTHER_RANDOM):
        return beginning(samples, HIDDEN[case.data], seed)
    if case.arm in (OTHER, OTHER_FRESH, OTHER_FIXED):
        start = context.trained("mnist", seed, weights=weights)
    else:
        source = of_classes(measuring.load(case.data), FIRST, renumber=True)
        wrong = case.arm == RANDOM
        start = context.trained_on(source, case.data, seed, weights=weights, shuffled=wrong)
    if case.arm in (FRESH, OTHER_FRESH):
        return _with_new_readout(start, beginning(samples, HIDDEN[case.data], seed))
    return start


def _with_new_readout(start: Network, blank: Network) -> Network:
    """The network with the couplings to its output, and its biases, as before any sample."""
    output = start.output.name
    names = [projection.coupling.name for projection in start.into(output)]
    couplings = [
        new if old.name in names else old
        for old, new in zip(start.couplings, blank.couplings, strict=True)
    ]
    biases = dict(start.biases) | {output: blank.biases[output]}
    return replace(start, couplings=tuple(couplings), biases=biases)


def _right(net: Network, target: Dataset) -> float:
    """Test accuracy in per cent."""
    tests = Tests(target, net)
    return tests.accuracy(tests.classes)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    gains = {
        (data, arm, shots): gap
        for arm, scratch in PAIRS
        for shots in SHOTS
        for data, gap in differences(rows, accuracy(shots), arm, scratch)
    }
    ahead = [key for key, gap in gains.items() if gap.low > SURE]
    behind = [key for key, gap in gains.items() if gap.high < -SURE]
    last = accuracy(SHOTS[-1])
    best = max(one.mean for arm in (TRANSFER, FRESH) for one in of(rows, last, arm=arm))
    sentence = (
        f"Couplings learned before surely help at {len(ahead)} of {len(gains)} points, and surely "
        f"harm at {len(behind)}. "
        + " ".join(_curve(gains, *case) for case in dict.fromkeys(key[:2] for key in gains))
        + f" The best accuracy is {best:.1f} %."
        + _against(rows, (TRANSFER, RANDOM), "the start", "a start from shuffled labels")
        + _against(rows, (TRANSFER, FIXED), "the start", "random frozen features")
        + _against(rows, (OTHER_FIXED, OTHER_RANDOM), "a frozen MNIST", "random frozen features")
    )
    if len(behind) >= len(ahead):
        return Judged("refuted", sentence)
    holds = best >= WHOLE - 0.5 and len(ahead) == len(gains)
    return Judged("holds" if holds else "holds within limits", sentence)


def _curve(gains: Mapping[tuple[str, str, int], TrackRow], data: str, arm: str) -> str:
    """Of one arm on one data set."""
    points = ", ".join(f"{figure(gains[data, arm, shots])} at {shots}" for shots in SHOTS)
    return f"{arm[0].upper()}{arm[1:]} it is ahead on {data} by {points} samples a class."


def _against(rows: Sequence[TrackRow], pair: tuple[str, str], subject: str, other: str) -> str:
    """A sentence on another control, if it was measured. pair: its arms."""
    gaps = dict(differences(rows, accuracy(SHOTS[1]), *pair))
    return f" At {SHOTS[1]} {subject} is ahead of {other} by {on_each(gaps)}." if gaps else ""


TRACK = Track(
    ids=("20",),
    name="transfer",
    setup=(
        "A network learns classes 0 to 4, then few samples of classes 5 to 9 with the same five "
        "outputs; test accuracy on the latter over 1 to 100 samples a class. The same of all of "
        "Fashion-MNIST after all of MNIST. New readout: the couplings to the output begin anew, "
        "which was added after figures without it had been seen."
    ),
    control=(
        "Scratch; random couplings from the input that stay; a start from the same images with "
        "shuffled labels; the start alone, which has learned nothing of these classes."
    ),
    thresholds=(
        "Helps at a point: the 95 % interval of the gain over scratch lies above 0. Holds: at "
        "every point, and 99.5 % accuracy on new classes at the last, which rounds to 100 as "
        "published. Within limits: at more points than it harms. Else refuted."
    ),
    sources="Integer rule of this project.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "the nets from scratch learn shuffled labels"},
    picture=accuracy(SHOTS[1]),
    learned={accuracy(SHOTS[-1]): (SCRATCH, OTHER_SCRATCH)},
)
