"""Track 20: do couplings learned on some classes help to learn others?"""

from collections.abc import Mapping, Sequence

from toreq_hw.data import Dataset
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.verification import TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, differences, figure, of
from toreq_hw.studies.tracks.subsets import few_of_each, of_classes
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track

FIRST, SECOND = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
SHOTS = (1, 5, 20, 100)

TRANSFER, SCRATCH, RANDOM = "after classes 0 to 4", "from scratch", "after shuffled labels"
ZERO = "after classes 0 to 4, without learning"

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
    """Learning curves of classes 5 to 9 on each data set."""
    cases = [
        Case(name, arm, arm != TRANSFER)
        for name in settings.data
        for arm in (TRANSFER, SCRATCH, RANDOM, ZERO)
    ]
    return measuring.measure(_learn, cases, settings, place)


def _learn(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """Few samples of the second classes, from each start."""
    whole = context.dataset(case.data)
    target = of_classes(whole, SECOND, renumber=True)
    source = of_classes(measuring.load(case.data), FIRST, renumber=True)
    weights = WeightFormat.INT8
    shuffled = case.arm == RANDOM
    wrong = context.settings.broken == SHUFFLED and case.arm == SCRATCH
    start = None
    if case.arm != SCRATCH:
        start = context.trained_on(source, case.data, seed, weights=weights, shuffled=shuffled)
    if case.arm == ZERO:
        assert start is not None
        return {accuracy(shots): _right(start, target) for shots in SHOTS}
    values = {}
    for shots in SHOTS:
        few = few_of_each(of_classes(measuring.load(case.data), SECOND, renumber=True), shots, seed)
        given = {"weights": weights} if start is None else {"start": start}
        net = context.trained_on(few, case.data, seed, epochs=EPOCHS, shuffled=wrong, **given)
        values[accuracy(shots)] = _right(net, target)
    return values


def _right(net: Network, target: Dataset) -> float:
    """Test accuracy in per cent."""
    tests = Tests(target, net)
    return tests.accuracy(tests.classes)


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    gains = {
        (data, shots): gap
        for shots in SHOTS
        for data, gap in differences(rows, accuracy(shots), TRANSFER, SCRATCH)
    }
    ahead = [key for key, gap in gains.items() if gap.low > SURE]
    behind = [key for key, gap in gains.items() if gap.high < -SURE]
    best = max(one.mean for one in of(rows, accuracy(SHOTS[-1]), arm=TRANSFER))
    labels = dict(differences(rows, accuracy(SHOTS[1]), TRANSFER, RANDOM))
    curve = "; ".join(
        f"{data} {', '.join(f'{figure(gains[data, shots])} at {shots}' for shots in SHOTS)}"
        for data in data_of(rows)
    )
    sentence = (
        f"Beginning from classes 0 to 4 is ahead of scratch by, in points: {curve}. Against a "
        f"start from shuffled labels it is ahead by "
        f"{', '.join(f'{figure(gap)} on {data}' for data, gap in labels.items())} at {SHOTS[1]}. "
        f"The best accuracy is {best:.1f} %."
    )
    if not ahead or len(behind) > len(ahead):
        return Judged("refuted", sentence)
    holds = best >= WHOLE - 0.5 and len(ahead) == len(gains)
    return Judged("holds" if holds else "holds within limits", sentence)


TRACK = Track(
    ids=("20",),
    name="transfer",
    setup=(
        "A network learns classes 0 to 4, then few samples of classes 5 to 9 with the same five "
        "outputs; test accuracy on the latter over 1 to 100 samples a class."
    ),
    control=(
        "Scratch; a start from the same images with shuffled labels; the start alone, which has "
        "learned nothing of these classes."
    ),
    thresholds=(
        "Helps at a point: the 95 % interval of the gain over scratch lies above 0. Holds: at "
        "every point, and 99.5 % accuracy at the last, which rounds to the published 100. Within "
        "limits: at more points than it harms. Else refuted."
    ),
    sources="Integer rule of this project; from MNIST to Fashion-MNIST was not measured.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "the net from scratch learns shuffled labels"},
    picture=accuracy(SHOTS[1]),
)
