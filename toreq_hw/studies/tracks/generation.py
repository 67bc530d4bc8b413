"""Track 32: does a network that is run backwards draw its classes?"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.data import Dataset, input_states
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.verification import Drawing, TrackRow
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, figure, of, the
from toreq_hw.studies.tracks.track import (
    CHANGED_LATER,
    FLOORS,
    Judged,
    Measured,
    Settings,
    Track,
)

RIGHT = "classes that the judge names, %"
NEAREST = "distance to the nearest training image, % of white"
SPREAD = "distance between classes, % of white"
JUDGE = "accuracy of the judge, %"

OWN, WRONG, MEANS = "output clamped", "output clamped, shuffled labels", "class means"

ALL, CHANCE, SOME = 99.0, 30.0, 50.0
"""Per cent of classes: what rounds to all; what guessing may reach among ten; the half."""

COPY = 1.0
"""Per cent of white."""

OTHER = 1000
"""Added to a seed: the judge is another network."""

SHUFFLED = "labels"


def measure(settings: Settings, place: Place) -> Measured:
    """Images of every class on each data set."""
    cases = [Case(name, arm, arm != OWN) for name in settings.data for arm in (OWN, WRONG, MEANS)]
    return measuring.measure(_generate, cases, settings, place)


def _generate(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One image a class, judged by a network that another seed made."""
    weights = WeightFormat.INT8
    judge = context.trained(case.data, seed + OTHER, weights=weights)
    shuffled = case.arm == WRONG or (context.settings.broken == SHUFFLED and case.arm == OWN)
    net = context.trained(case.data, seed, weights=weights, shuffled=shuffled)
    dataset = context.dataset(case.data)
    training = input_states(net, dataset.train.images, dataset.pixel_max)
    images = _means(net, dataset) if case.arm == MEANS else drawn(net)
    classes = sim.relax(judge, images).classes
    tests = Tests(dataset, judge)
    return {
        RIGHT: 100 * float(np.mean(classes == np.arange(len(images)))),
        NEAREST: _percent(net, min(_distances(image, training).min() for image in images)),
        SPREAD: _percent(net, float(np.mean([_distances(one, images).mean() for one in images]))),
        JUDGE: tests.accuracy(tests.classes),
    }


def show(settings: Settings, place: Place) -> tuple[Drawing, ...]:
    """What the network of seed 1 draws of each class, above the class means."""
    context = Context(settings, place.work)
    found = []
    for name in settings.data:
        net, dataset = context.trained(name, 1, weights=WeightFormat.INT8), measuring.load(name)
        images = np.concatenate([drawn(net), _means(net, dataset)]).reshape(-1, *dataset.shape)
        found.append(
            Drawing(
                caption=f"{name}, seed 1: input states by class as drawn, and below class means",
                images=tuple(tuple(map(tuple, image)) for image in images.tolist()),
                columns=dataset.classes,
            )
        )
    return tuple(found)


def drawn(net: Network) -> npt.NDArray[np.int16]:
    """Input states that settle while the output shows one class each, int16 (classes, inputs)."""
    output = net.output
    wanted = np.eye(output.size, dtype=np.int16) * np.int16(output.state_max)
    return sim.clamped_phase(net, {output.name: wanted}).states[net.input.name]


def _means(net: Network, dataset: Dataset) -> npt.NDArray[np.int16]:
    """The mean training image of each class, as input states."""
    images = [
        dataset.train.images[dataset.train.labels == number].mean(axis=0)
        for number in range(dataset.classes)
    ]
    return input_states(net, np.rint(images).astype(np.uint8), dataset.pixel_max)


def _distances(
    image: npt.NDArray[np.int16], others: npt.NDArray[np.int16]
) -> npt.NDArray[np.float64]:
    """Root mean square difference of a state to each of `others` (samples, inputs), float64."""
    wide = others.astype(np.float64) - image
    return np.asarray(np.sqrt(np.mean(wide**2, axis=1)))


def _percent(net: Network, distance: float) -> float:
    return 100 * distance / net.input.state_max


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    names = data_of(rows)
    right, wrong, means = (
        [the(rows, name, arm, RIGHT) for name in names] for arm in (OWN, WRONG, MEANS)
    )
    near = [the(rows, name, OWN, NEAREST) for name in names]
    sentence = (
        f"Another network names at least {min(one.mean for one in right):.1f} % of the classes "
        f"drawn with the output clamped. It names {_said(right)} of them, {_said(wrong)} of a net "
        f"with shuffled labels, {_said(means)} of class means. "
        f"The nearest training image is {_said(near)} of white away."
    )
    if max(one.mean for one in wrong) > CHANCE or min(one.mean for one in means) < SOME:
        return Judged("not testable here", sentence, controlled=False)
    judges = of(rows, JUDGE)
    if any(one.mean < FLOORS[one.data] for one in judges):
        return Judged("not testable here", sentence, controlled=False)
    if min(one.mean for one in near) < COPY:
        return Judged("refuted", f"{sentence} That is a copy of a training image.")
    least = min(one.mean for one in right)
    if least >= ALL:
        return Judged("holds", sentence, "EqProp")
    return Judged("holds within limits" if least >= SOME else "refuted", sentence)


def _said(rows: Sequence[TrackRow]) -> str:
    return " and ".join(f"{figure(one, 1)} % ({one.data})" for one in rows)


TRACK = Track(
    ids=("32",),
    name="generation",
    setup=(
        "The output of a trained INT8 network is clamped to one class after another, and all else "
        "relaxes, the input too. A network that another seed made names what came out."
    ),
    control=(
        "A network that learned shuffled labels, run backwards; mean training images, which the "
        "judge must name."
    ),
    thresholds=(
        f"Holds: the judge names {ALL:g} % of the classes in the mean over seeds, on every data "
        f"set, as published (5 of 5). Within limits: {SOME:g} %. Else refuted. Shuffled labels "
        f"must stay at {CHANCE:g} % or below, and half of the class means must be named. The judge "
        f"must be right in {FLOORS['digits']:g} % of test images. Images nearer than {COPY:g} % of "
        "white to a training image are copies: refuted." + CHANGED_LATER
    ),
    sources="Integer simulator, docs/numerics.md, section 4, other clampings.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "the network that draws learned shuffled labels"},
    picture=RIGHT,
    better="gives images of its classes when it is run backwards",
    show=show,
)
