"""Track 5: does a cube of neighbours learn as well as flat nets, and does its lattice help?"""

from collections.abc import Mapping, Sequence

import numpy as np

from toreq_hw import sim
from toreq_hw.data import Dataset
from toreq_hw.network import Network, WeightFormat, build
from toreq_hw.records.verification import Drawing, TrackRow
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.consolidation import STILL, ConsolidatedTrainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.rewiring import rewire
from toreq_hw.sim.learning.training_samples import learn_epoch
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import measuring
from toreq_hw.studies.tracks.first_images import MOST, first_images
from toreq_hw.studies.tracks.measuring import EPOCHS, Case, Context, Tests
from toreq_hw.studies.tracks.rows import data_of, differences, figure, of, on_each, the
from toreq_hw.studies.tracks.track import CHANGED_LATER, Judged, Measured, Settings, Track
from toreq_hw.training.integer import IntegerSettings, begin, training_samples

ACCURACY, SYNAPSES, SWEEPS = "accuracy, %", "synapses", "sweeps, mean"
LATERAL = "couplings between hidden neurons, % of all pairs"

CUBE, FLAT, EQUAL = "cube {0}x{0}x{0}", "flat, {0}^3 neurons", "flat, synapses of {0}x{0}x{0}"
FROZEN, GROWN, AT_RANDOM = "frozen lattice", "growth and pruning", "random growth"

SIDE, LARGER = 6, (8, 10)
"""Of the published cube, which is judged; of those that are measured besides."""

LAST_BITS = {8: 7, 10: 8}
"""Fraction bits of the weights to the output of a larger side, on digits: else its sums of more
neurons leave the range. Chosen on 300 held-out training images and another seed."""

SMALL, PLAIN, AS_MANY = (arm.format(SIDE) for arm in (CUBE, FLAT, EQUAL))

MOVED, GROWING, SHOWN = 0.05, 0.7, 500
"""Part of the lattice's synapses that an epoch moves; part of all epochs in which it does; training
samples whose contrasts say where to. They were not searched."""

DRAWN = (0, 1, 2)
"""Classes whose first test image the cube is drawn with."""

FEWER = 0.875
"""Of the connections, as published."""

LOSS = 0.5
"""Points of accuracy within which nets learn equally well."""

SHUFFLED = "labels"


def measure(settings: Settings, place: Place) -> Measured:
    """Nets on every data set, the larger ones on digits."""
    arms = {SMALL: False, PLAIN: True, AS_MANY: True, GROWN: False, AT_RANDOM: True, FROZEN: True}
    cases = [Case(name, arm, control) for name in settings.data for arm, control in arms.items()]
    sides = LARGER if "digits" in settings.data and not settings.quick else ()
    cases += [
        Case("digits", arm.format(side), arm != CUBE)
        for side in sides
        for arm in (CUBE, FLAT, EQUAL)
    ]
    return measuring.measure(_train, cases, settings, place)


def _train(case: Case, seed: int, context: Context) -> Mapping[str, float]:
    """One net of the integer rule."""
    shape, shown = shape_of(case.arm, case.data), first_images(case.data)
    broken = context.settings.broken == SHUFFLED and case.control
    if case.arm in (FROZEN, GROWN, AT_RANDOM):
        dataset = measuring.in_other_order(shown, seed) if broken else shown
        net = _changed(case.arm, shape, dataset, seed)
    else:
        net = context.trained_on(shown, case.data, seed, shape=shape, shuffled=broken)
    tests = Tests(context.dataset(case.data), net)
    found = sim.relax(net, tests.inputs)
    neurons = net.relaxing[0].size
    inside = [c for c in net.couplings if c.is_self_coupling]
    return {
        ACCURACY: tests.accuracy(found.classes),
        SYNAPSES: float(net.synapses),
        SWEEPS: float(found.sweeps.mean()),
        LATERAL: 200 * sum(len(c.free_parameters()) for c in inside) / (neurons * (neurons - 1)),
    }


def show(settings: Settings, place: Place) -> tuple[Drawing, ...]:
    """Slices of the cube of seed 1, settled on the first test image of some classes."""
    net = Context(settings, place.work).trained("digits", 1, shape=shape_of(SMALL))
    tests = Tests(measuring.load("digits"), net)
    first = [int(np.flatnonzero(tests.labels == number)[0]) for number in DRAWN]
    states = sim.relax(net, tests.inputs[first]).states[net.relaxing[0].name]
    slices = states.reshape(-1, SIDE, SIDE)
    return (
        Drawing(
            caption=f"settled states of the {SIDE} slices of {SMALL}, seed 1, a line a test image "
            f"of {', '.join(map(str, DRAWN))}",
            images=tuple(tuple(map(tuple, one)) for one in slices.tolist()),
            columns=SIDE,
        ),
    )


def shape_of(arm: str, data: str = "digits") -> Network:
    """The blank net of an arm, with the inputs and outputs of a data set."""
    whole = measuring.load(data)
    ends = whole.pixels, whole.classes
    for side in (SIDE, *LARGER):
        cube = _built(f"lattice {side}x{side}x{side}", side, ends)
        if arm == CUBE.format(side):
            return cube
        if arm == FLAT.format(side):
            return _built(f"dense {side**3}", side, ends)
        if arm == EQUAL.format(side):
            return _built(f"dense {round(cube.synapses / sum(ends))}", side, ends)
    return shape_of(SMALL, data)


def _built(hidden: str, side: int, ends: tuple[int, int]) -> Network:
    """Fraction bits are the recipe's, and as above for larger sides, which digits alone have."""
    pixels, classes = ends
    first, last = recipe(WeightFormat.INT8, pixels).fraction_bits
    bits, layers = (first, LAST_BITS.get(side, last)), (hidden, f"dense {classes}")
    return build(str(pixels), layers, weights=WeightFormat.INT8, fraction_bits=bits)


def _changed(arm: str, shape: Network, dataset: Dataset, seed: int) -> Network:
    """Trained with a lattice that stays as it began, or whose synapses move after each epoch."""
    epochs = EPOCHS[dataset.name]
    begun = begin(dataset, IntegerSettings(epochs=epochs), seed, blank=shape)
    trainer, augment = begun.trainer, begun.recipe.augment
    samples = training_samples(shape, dataset, augment, mirror=False)
    (index,) = (k for k, c in enumerate(shape.couplings) if c.is_self_coupling)
    lattice = shape.couplings[index]
    if arm == FROZEN:
        still = np.full(lattice.parameters.shape, STILL)
        trainer = ConsolidatedTrainer(trainer, {lattice.name: still})
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        learn_epoch(trainer, samples)
        if arm != FROZEN and epoch < GROWING * epochs:
            shown = rng.permutation(len(samples.inputs))[:SHOWN]
            parts = samples.inputs[shown], samples.labels[shown]
            trainer = _moved(trainer, index, parts, rng if arm == AT_RANDOM else None)
    return trainer.network()


def _moved(
    trainer: Trainer,
    index: int,
    shown: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator | None,
) -> Trainer:
    """Moves some synapses of the lattice to where credit is, or with `rng` anywhere.

    Two neurons that update at once are never joined: the schedule would not settle.
    """
    lattice = trainer.blueprint.couplings[index]
    count = round(MOVED * lattice.parameters.size)
    colours = _colours(trainer.blueprint, lattice.pre)
    pre, post = np.triu_indices(lattice.shape[0], 1)
    free = colours[pre] != colours[post]
    if rng is not None:
        old, there, _ = lattice.edges()
        present = set(zip(old.tolist(), there.tolist(), strict=True))
        free &= [pair not in present for pair in zip(pre.tolist(), post.tolist(), strict=True)]
        chosen = rng.permutation(np.flatnonzero(free))[:count]
        return rewire(trainer, lattice.name, *shown, count, (pre[chosen], post[chosen]))
    return rewire(trainer, lattice.name, *shown, count, (pre[free], post[free]))


def _colours(net: Network, name: str) -> np.ndarray:
    """Of each neuron of a population, which colour of the sweep updates it, int64 (size,)."""
    found = np.full(net.population(name).size, -1, dtype=np.int64)
    for number, colour in enumerate(net.colours):
        for part in colour:
            if part.population == name:
                found[list(part.neurons)] = number
    return found


def verdict(rows: Sequence[TrackRow]) -> Judged:
    """By the thresholds of `TRACK`."""
    flat = dict(differences(rows, ACCURACY, SMALL, PLAIN))
    equal = dict(differences(rows, ACCURACY, SMALL, AS_MANY))
    grown = dict(differences(rows, ACCURACY, GROWN, AT_RANDOM))
    lateral = max(one.mean for one in of(rows, LATERAL, arm=SMALL))
    sweeps = [the(rows, data_of(rows)[0], arm, SWEEPS).mean for arm in (SMALL, PLAIN)]
    own = of(rows, SYNAPSES, arm=SMALL)
    share = max(one.mean / the(rows, one.data, PLAIN, SYNAPSES).mean for one in own)
    sentence = (
        f"The cube has {share:.2f} times the synapses of as many flat neurons. It is ahead of "
        f"these by {on_each(flat)} points, and of as many flat synapses by {on_each(equal)}. It "
        f"couples {lateral:.1f} % of the pairs of its hidden "
        f"neurons. It settles in {sweeps[0]:.1f} sweeps, the flat net in {sweeps[1]:.1f}. Growth "
        f"and pruning are ahead of random growth by {on_each(grown)}, and of the cube by "
        f"{on_each(dict(differences(rows, ACCURACY, GROWN, SMALL)))}. A lattice that learns is "
        f"ahead of a frozen one by {on_each(dict(differences(rows, ACCURACY, SMALL, FROZEN)))}."
        + "".join(_larger(rows, side) for side in LARGER)
    )
    helps = all(gap.low > 0 for gap in (*flat.values(), *equal.values(), *grown.values()))
    behind = any(gap.high < -LOSS for gap in flat.values())
    if behind or (share >= 1 and not any(gap.low > 0 for gap in equal.values())):
        return Judged("refuted", sentence)
    holds = helps and share <= 1 - FEWER
    return Judged("holds" if holds else "holds within limits", sentence)


def _larger(rows: Sequence[TrackRow], side: int) -> str:
    """A sentence on a larger cube, if it was measured."""
    arms = [arm.format(side) for arm in (CUBE, FLAT, EQUAL)]
    flat, equal = (dict(differences(rows, ACCURACY, arms[0], arm)) for arm in arms[1:])
    if not flat:
        return ""
    own = the(rows, "digits", arms[0], ACCURACY)
    return (
        f" The cube of {side}^3 reaches {figure(own)} %. It is ahead of as many flat neurons by "
        f"{on_each(flat)}, of as many synapses by {on_each(equal)}."
    )


TRACK = Track(
    ids=("5",),
    name="lattice",
    setup=(
        "A hidden layer of 6x6x6 neurons with couplings to their neighbours, INT8, the integer "
        f"rule, at most the first {MOST:,} training images; larger cubes on digits besides. Growth "
        "and pruning: after an epoch some weak synapses of the lattice go, and as many grow where "
        "the contrast is largest. Slices of the cube show the settled states of three test images."
    ),
    control=(
        "Flat layers of as many neurons, which is the cube with its lattice taken away, and of as "
        "many synapses. A lattice frozen at its first weights. Growth at random places, with the "
        "same pruning."
    ),
    thresholds=(
        "Holds: surely ahead of both flat nets, for else the lattice is not what learns; growth "
        f"surely ahead of random growth; and {100 * FEWER:g} % fewer synapses than as many flat "
        f"neurons have. Refuted: surely more than {LOSS} points behind these; or no synapse fewer, "
        "and nowhere surely ahead of a flat net with as many. Within limits: anything between."
        + CHANGED_LATER
    ),
    sources="Integer rule of this project; docs/numerics.md, section 7, growth and pruning.",
    measure=measure,
    verdict=verdict,
    broken={SHUFFLED: "the controls learn shuffled labels"},
    picture=ACCURACY,
    learned={ACCURACY: (PLAIN, AS_MANY, AT_RANDOM)},
    show=show,
)
