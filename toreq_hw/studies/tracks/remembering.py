"""How a network keeps what it learned before: dreams, sleep on kept samples, stiff synapses."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.data import Dataset, Split
from toreq_hw.network import Network, WeightFormat
from toreq_hw.sim.learning.consolidation import STILL, ConsolidatedTrainer
from toreq_hw.training.integer import IntegerSettings, begin, learn_epochs, training_samples

Stiffness = Mapping[str, npt.NDArray[np.int64]]

MOST = 12
"""Largest stiffness of consolidation: a latent then moves by a whole LSB of 4,096 steps."""

SOFTNESS = 0
"""Bits of a synapse's moves that leave it soft, chosen among 0 to 5 on held-out training digits."""

BRIGHTNESS, FAINT = 0.75, 0.25
"""Parts of the range of output states: the least of the class that is dreamt, the most of others.
They make dreams of one class differ, and were not searched."""


def dreams(net: Network, dataset: Dataset, classes: list[int], count: int, seed: int) -> Dataset:
    """Training samples that the network draws itself: `count` of each class.

    Its output shows the class, more or less brightly, and others faintly; the input relaxes.
    """
    rng = np.random.default_rng(seed)
    output, labels = net.output, np.repeat(classes, count)
    shown = rng.uniform(0, FAINT, (len(labels), output.size))
    shown[np.arange(len(labels)), labels] = rng.uniform(BRIGHTNESS, 1, len(labels))
    clamped = np.rint(shown * output.state_max).astype(np.int16)
    states = sim.clamped_phase(net, {output.name: clamped}).states[net.input.name]
    pixels = states.astype(np.float64) / net.input.state_max * dataset.pixel_max
    images = np.rint(np.clip(pixels, 0, dataset.pixel_max)).astype(dataset.train.images.dtype)
    split = f"{dataset.split}; dreams of classes {', '.join(map(str, classes))}, seed {seed}"
    return replace(dataset, split=split, train=Split(images, labels.astype(np.int64)))


def still(net: Network) -> Stiffness:
    """The couplings from the input stay, all others learn."""
    fed = [p.coupling for p in net.forward_projections if p.from_input]
    return {one.name: np.full(one.shape, STILL) for one in fed}


def beginning(dataset: Dataset, hidden: int, seed: int) -> Network:
    """An INT8 network of one hidden layer before its first sample."""
    settings = IntegerSettings(hidden=(hidden,), weights=WeightFormat.INT8)
    return begin(dataset, settings, seed).trainer.network()


def moves(before: Network, after: Network) -> Stiffness:
    """How far each weight went, in steps of its format, int64 of each coupling's shape."""
    return {
        new.name: np.abs(new.parameters.astype(np.int64) - old.parameters)
        for old, new in zip(before.couplings, after.couplings, strict=True)
    }


def stiffened(moved: Stiffness, softness: int = SOFTNESS) -> Stiffness:
    """One more for each doubling of a synapse's moves: bits of the moves less `softness`, 0..MOST.

    moved: whole numbers, summed over all tasks so far.
    """
    return {
        name: np.clip(np.frexp(far.astype(np.float64))[1] - softness, 0, MOST).astype(np.int64)
        for name, far in moved.items()
    }


def learned(
    dataset: Dataset, start: Network, seed: int, epochs: int, stiffness: Stiffness
) -> Network:
    """Trained on from `start` while these synapses are stiff."""
    begun = begin(dataset, IntegerSettings(epochs=epochs), seed, start=start)
    trainer = ConsolidatedTrainer(begun.trainer, stiffness)
    samples = training_samples(start, dataset, begun.recipe.augment, mirror=False)
    for _ in learn_epochs(trainer, samples, epochs):
        pass
    return trainer.network()
