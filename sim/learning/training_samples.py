"""One epoch after another: order, augmentation and learning, in runs short enough to watch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.interrupts import hold_interrupts
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.learning.augmentation import mirror_images, shift_images
from toreq_hw.sim.learning.generator import sample_order

_RUN, _RUN_SYNAPSES = 500, 1 << 28
"""Samples per call of compiled code, and these times the network's synapses: short enough for a
progress bar and for Ctrl-C, however large the network is."""


@dataclass(frozen=True, eq=False)
class TrainingSamples:
    """What is learned: inputs int16 (samples, rows * columns), labels int64 (samples,)
    or (samples, rows).

    shape: rows and columns of an image. augment: every epoch moves each image by up to that
    many pixels in each direction. mirror: and turns about half of them left to right.
    """

    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]
    shape: tuple[int, int]
    augment: int = 0
    mirror: bool = False


NOTHING = Progress(0, 0, 0, 0, 0)
"""Before the first sample of an epoch."""

Learn = Callable[[npt.NDArray[np.int16], npt.NDArray[np.int64], npt.NDArray[np.int64]], Progress]
"""What learns inputs, labels, and their order; see `Trainer.learn`."""


def epoch_samples(
    trainer: Trainer, training: TrainingSamples
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """The images as this epoch moves them, int16 (samples, pixels), and the order they come in."""
    epoch, seed = trainer.epoch, trainer.seed
    inputs = shift_images(training.inputs, training.shape, training.augment, seed, epoch)
    if training.mirror:
        inputs = mirror_images(inputs, training.shape, seed, epoch)
    return inputs, sample_order(len(inputs), seed, epoch)


def learn_epoch(
    trainer: Trainer,
    training: TrainingSamples,
    watch: Callable[[Progress], None] = lambda _: None,
    before: Progress = NOTHING,
    learn: Learn | None = None,
    *,
    every: int | None = None,
) -> Progress:
    """Learns every sample once and moves the trainer to its next epoch.

    watch: called with the progress of each short run. Ctrl-C and SIGTERM wait until it returns, so
    that whoever catches them knows which samples are learned. before: of the samples of this epoch
    that the trainer has learned already; they are in the progress that is returned. learn: in place
    of the trainer's own method; it is given one sample at a time. every: runs end at its multiples
    too.
    """
    inputs, order = epoch_samples(trainer, training)
    total = before
    synapses = trainer.blueprint.synapses
    run = 1 if learn else min(_RUN, max(1, _RUN_SYNAPSES // max(1, synapses)))
    while (first := total.samples) < len(order):
        last = first + (min(run, every - first % every) if every else run)
        with hold_interrupts():
            progress = (learn or trainer.learn)(inputs, training.labels, order[first:last])
            total += progress
            watch(progress)
    trainer.epoch += 1
    return total
