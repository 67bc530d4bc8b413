"""The demonstration of `make sim`: its network, and the float trainings that stand beside it."""

import numpy as np

from toreq_hw import sim
from toreq_hw.data import Dataset
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.training import TrainedEpoch, TrainingNotes
from toreq_hw.sim.baselines.float_training import float_accuracy, train_float
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.training import train

HIDDEN = 128

FLOAT_EPOCHS = 20
"""Of each float training; 60 gave the same, 97.55 % as the mean of five seeds."""

FLOAT_SEEDS = 5


def make_network(
    dataset: Dataset, seed: int, screen: Screen = NO_SCREEN
) -> tuple[Network, tuple[TrainedEpoch, ...]]:
    """The demonstration's network, trained from scratch, and one record per epoch."""
    settings = recipe(WeightFormat.TERNARY, dataset.pixels)
    shape = settings.dense((dataset.pixels, HIDDEN, dataset.classes), WeightFormat.TERNARY)
    trainer = Trainer(shape, settings.rule(shape, settings.epochs), seed)
    notes = TrainingNotes(epochs=settings.epochs, augment=settings.augment)
    history = train(trainer, dataset, notes, screen=screen)
    return trainer.network(), history


def events_per_tick(trace: sim.Trace, samples: int) -> list[float]:
    """Mean number of state changes in tick 1, 2, .. up to the last that changed anything."""
    return [float(count) / samples for count in np.bincount(trace.tick)[1:]]


def float_references(
    dataset: Dataset, shape: Network, seed: int, screen: Screen = NO_SCREEN
) -> list[float]:
    """Test accuracy of float EqProp on the same shape, from `seed` and the seeds after it.

    Float sums run in a fixed order, so these are the same on every processor; a spread over seeds
    says what one figure is worth.
    """
    scale = dataset.pixel_max
    found = []
    with screen.bar("float reference", FLOAT_SEEDS * FLOAT_EPOCHS * len(dataset.train)) as bar:
        for other in range(seed, seed + FLOAT_SEEDS):
            reference = train_float(
                shape,
                dataset.train.images / scale,
                dataset.train.labels,
                epochs=FLOAT_EPOCHS,
                seed=other,
                watch=bar.advance,
            )
            inputs, labels = dataset.test.images / scale, dataset.test.labels
            found.append(float_accuracy(reference, inputs, labels))
    return found
