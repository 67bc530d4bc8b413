"""Track of blocks: do recursive, fractal, modern and toroidal blocks learn as plain nets do?"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from toreq_hw import sim
from toreq_hw.data import Dataset
from toreq_hw.network import (
    Colouring,
    Coupling,
    DenseCoupling,
    Loop,
    Network,
    Population,
    Role,
    Schedule,
    Skip,
    SparseCoupling,
    WeightFormat,
    build,
)
from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.learning import Trainer
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.measuring import EPOCHS, HIDDEN, Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, differences, figure, of, on_each
from toreq_hw.studies.tracks.subsets import few_of_each
from toreq_hw.studies.tracks.track import Judged, Measured, Settings, Track
from toreq_hw.training.integer import IntegerSettings, begin, learn_epochs, training_samples

ACCURACY, SYNAPSES, SWEEPS = "accuracy, %", "synapses", "sweeps, mean"
SETTLED = "settled samples, %"

PLAIN = "plain, one hidden layer"
DEEP = "plain, two hidden layers"
RECURSIVE, NESTED, FRACTAL = "recursive", "nested", "fractal"
MODERN, TOROIDAL = "modern", "toroidal"

A_CLASS = 1000
"""Training samples of each class at most, which makes a training a matter of seconds."""

BITS = {True: (7, 6), False: (7, 7)}
"""Fraction bits of the recipe, by whether images are small: of all couplings, of the last."""

LOSS, LEARNED = 1.0, 85.0
"""Points of accuracy behind the plain net; per cent that the plain net must reach."""

NORM = 1.0
"""Largest singular value of each coupling of the modern net after each epoch."""

SHUFFLED = "labels"

Pairs = tuple[np.ndarray, np.ndarray]


def plain(inputs: int, size: int, bits: tuple[int, int]) -> Network:
    """One hidden layer."""
    return _built(inputs, [f"dense {size}"], bits)


def deep(inputs: int, size: int, bits: tuple[int, int]) -> Network:
    """Two hidden layers, the second half as large."""
    return _built(inputs, [f"dense {size}", f"dense {max(1, size // 2)}"], bits)


def recursive(inputs: int, size: int, bits: tuple[int, int]) -> Network:
    """A hidden layer that settles with itself: each of its neurons is joined to each."""
    return _built(inputs, [f"dense {size}"], bits, loops=[Loop(1, bits[0])])


def toroidal(inputs: int, size: int, bits: tuple[int, int]) -> Network:
    """A hidden layer on a ring, each neuron joined to two on each side."""
    return _built(inputs, [f"ring {max(6, size)} reach 2"], bits)


def modern(inputs: int, size: int, bits: tuple[int, int]) -> Network:
    """Two hidden layers with a skip past each of them."""
    skips = [Skip(0, 2, bits[0]), Skip(1, 3, bits[1])]
    return _built(inputs, [f"dense {size}", f"dense {max(1, size // 2)}"], bits, skips=skips)


def nested(inputs: int, size: int, bits: tuple[int, int]) -> Network:
    """A hidden layer with a small block beside it that settles within itself.

    The block has a third as many neurons, each joined to each; only the hidden layer sees it.
    """
    ends = _ends(inputs, size, Population("inner", max(2, size // 3), Role.HIDDEN))
    inside = [
        _dense(ends["hidden"], ends["inner"], bits[0]),
        _dense(ends["inner"], ends["inner"], bits[0]),
    ]
    couplings = (*_outer(ends, bits), *inside)
    return Network(tuple(ends.values()), couplings, {}, Schedule.SEQUENTIAL)


def fractal(inputs: int, size: int, bits: tuple[int, int]) -> Network:
    """A hidden layer of fours in which all are joined; of each four one is in a four above."""
    ends = _ends(inputs, size)
    inside = SparseCoupling.of_pairs(
        "hidden",
        "hidden",
        fours(size),
        (size, size),
        fraction_bits=bits[0],
        weight_format=WeightFormat.INT8,
    )
    couplings: tuple[Coupling, ...] = (*_outer(ends, bits), inside)
    populations = tuple(ends.values())
    return Network(populations, couplings, {}, Colouring.greedy(populations[1:], couplings))


def fours(size: int) -> Pairs:
    """Pairs of neurons, intp (synapses,), lower first: within fours, within fours of fours, .."""
    pairs = []
    step = 1
    while step < size:
        heads = np.arange(0, size, step)
        pairs += [
            (heads[k], heads[m])
            for k in range(len(heads))
            for m in range(k + 1, min(len(heads), 4 * (k // 4) + 4))
        ]
        step *= 4
    found = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return found[:, 0], found[:, 1]


SHAPES: Mapping[str, Callable[[int, int, tuple[int, int]], Network]] = {
    PLAIN: plain,
    DEEP: deep,
    RECURSIVE: recursive,
    NESTED: nested,
    FRACTAL: fractal,
    MODERN: modern,
    TOROIDAL: toroidal,
}
CONTROLS = (PLAIN, DEEP)


def _built(
    inputs: int,
    hidden: Sequence[str],
    bits: tuple[int, int],
    skips: Sequence[Skip] = (),
    loops: Sequence[Loop] = (),
) -> Network:
    fraction_bits = (*[bits[0]] * len(hidden), bits[1])
    layers = [*hidden, "dense 10"]
    return build(str(inputs), layers, fraction_bits=fraction_bits, skips=skips, loops=loops)


def _ends(inputs: int, size: int, *inner: Population) -> dict[str, Population]:
    populations = (
        Population("input", inputs, Role.INPUT),
        Population("hidden", size, Role.HIDDEN),
        *inner,
        Population("output", 10, Role.OUTPUT),
    )
    return {one.name: one for one in populations}


def _outer(ends: Mapping[str, Population], bits: tuple[int, int]) -> tuple[Coupling, Coupling]:
    return (
        _dense(ends["input"], ends["hidden"], bits[0]),
        _dense(ends["hidden"], ends["output"], bits[1]),
    )


def _dense(pre: Population, post: Population, fraction_bits: int) -> DenseCoupling:
    zeros = np.zeros((pre.size, post.size), dtype=np.int8)
    return DenseCoupling(pre.name, post.name, zeros, fraction_bits, WeightFormat.INT8)


def largest(arm: str, inputs: int, hidden: int) -> Network:
    """The largest net of a kind with at most the synapses of a plain one of `hidden` neurons."""
    bits = BITS[inputs < 256]
    most = plain(inputs, hidden, bits).synapses
    nets = (SHAPES[arm](inputs, size, bits) for size in range(hidden, 0, -1))
    return next(net for net in nets if net.synapses <= most)


def measure(settings: Settings, place: Place) -> Measured:
    """Every kind of block, and two plain nets of as many synapses."""
    cases = [Case(name, arm, arm in CONTROLS) for name in settings.data for arm in SHAPES]
    return measuring.measure(_train, cases, settings, place)


def _train(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One training with the integer rule."""
    dataset = few_of_each(measuring.load(case.data), A_CLASS, seed)
    shape = largest(case.arm, dataset.pixels, HIDDEN[case.data])
    shuffled = context.settings.broken == SHUFFLED and not case.control
    if case.arm == MODERN:
        dataset = measuring.in_other_order(dataset, seed) if shuffled else dataset
        net = _normalised(dataset, shape, seed, EPOCHS[case.data])
    else:
        net = context.trained_on(dataset, case.data, seed, shape=shape, shuffled=shuffled)
    tests = Tests(context.dataset(case.data), net)
    found = sim.relax(net, tests.inputs)
    return {
        ACCURACY: tests.accuracy(found.classes),
        SYNAPSES: float(net.synapses),
        SWEEPS: float(found.sweeps.mean()),
        SETTLED: 100 * (1 - found.unsettled / len(found.classes)),
    }


def _normalised(dataset: Dataset, shape: Network, seed: int, epochs: int) -> Network:
    """Trained with couplings that are scaled down after each epoch where their norm is above."""
    begun = begin(dataset, IntegerSettings(epochs=epochs), seed, blank=shape)
    trainer = begun.trainer
    samples = training_samples(shape, dataset, begun.recipe.augment, mirror=False)
    for _ in learn_epochs(trainer, samples, begun.epochs):
        normalise(trainer, NORM)
    return trainer.network()


def normalise(trainer: Trainer, most: float) -> None:
    """Scales latents of dense couplings so that no singular value in state steps is above."""
    for number, part in enumerate(trainer.parts):
        coupling = trainer.network().couplings[part.number]
        norm = float(np.linalg.norm(coupling.parameters / 2.0**coupling.fraction_bits, 2))
        if norm > most:
            latents = trainer.latents(number)
            latents[...] = np.trunc(latents * (most / norm)).astype(np.int16)
    trainer.program()


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    blocks = [arm for arm in SHAPES if arm not in CONTROLS]
    gaps = {arm: dict(differences(rows, ACCURACY, arm, PLAIN)) for arm in blocks}
    good = [arm for arm in blocks if all(gap.low >= -LOSS for gap in gaps[arm].values())]
    ahead = [arm for arm in blocks if all(gap.low > 0 for gap in gaps[arm].values())]
    past_deep = dict(differences(rows, ACCURACY, MODERN, DEEP))
    worst = min(one.mean for one in of(rows, ACCURACY, arm=PLAIN))
    sentence = (
        f"Surely at most {LOSS:g} point behind a plain net of as many synapses: "
        f"{', '.join(good) or 'none'}. Surely ahead of it: {', '.join(ahead) or 'none'}. "
        + " ".join(_said(rows, gaps, data) for data in data_of(rows))
        + f" The modern net is ahead of two plain layers by {on_each(past_deep)} points."
    )
    if worst < LEARNED:
        return Judged("not testable here", sentence, controlled=False)
    if len(good) == len(blocks):
        return Judged("holds", sentence)
    return Judged("holds within limits" if good else "refuted", sentence)


def _said(rows: Sequence[TrackRow], gaps: Mapping[str, Mapping[str, TrackRow]], data: str) -> str:
    """Gaps and sweeps on one data set."""
    points = ", ".join(f"{arm} {figure(found[data])}" for arm, found in gaps.items())
    sweeps = ", ".join(
        f"{one.arm} {one.mean:.1f}" for one in of(rows, SWEEPS, data=data) if one.arm != DEEP
    )
    return f"Points ahead on {data}: {points}. Sweeps there: {sweeps}."


TRACK = Track(
    ids=("blocks",),
    name="blocks",
    setup=(
        "Recursive: a hidden layer joined to itself. Nested: a small block that settles beside "
        "it. Fractal: fours, and fours of fours. Modern: skips past layers, and norms of at most "
        f"{NORM:g}; what the prototype meant by it is not recorded. Toroidal: a hidden ring. "
        f"INT8, the integer rule, at most {A_CLASS} samples a class."
    ),
    control=(
        "A plain net of one hidden layer with as many synapses as the largest block that fits; one "
        "of two hidden layers, which is the modern net without skips and norms."
    ),
    thresholds=(
        f"A block learns: its accuracy is surely at most {LOSS:g} point behind the plain net, "
        "which is what seeds differ by. Holds: all do on every data set. Within limits: some do. "
        f"Else refuted. The plain net must reach {LEARNED:g} %."
    ),
    sources="Integer rule of this project; rates of its recipe for plain nets, not searched again.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "the blocks learn shuffled labels"},
    picture=ACCURACY,
)
