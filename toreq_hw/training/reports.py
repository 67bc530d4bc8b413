"""What a training tells while it runs, and who may listen: epochs, updates, ticks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.ticks import Observer


@dataclass(frozen=True)
class EpochReport:
    """One epoch of training, of either engine.

    epoch: from 1 on. accuracy: 0..1, of training samples, each before it was learned; of a readout
    with several rows the share of samples in which all are right. sweeps_per_phase: a mean; with
    torch of the slowest sample of each batch. unsettled: phases that met the limit on sweeps.
    events: over all phases. test_accuracy: 0..1, on test samples. None: not counted.
    """

    epoch: int
    epochs: int
    accuracy: float
    sweeps_per_phase: float
    seconds: float
    unsettled: int | None = None
    events: int | None = None
    test_accuracy: float | None = None


@dataclass(frozen=True, eq=False)
class UpdateReport:
    """One update of the weights: of a sample (integer engine), or of a batch (torch).

    epoch, update: from 1 on. samples: int64 (samples,), the numbers of those learned; empty where
    a DataLoader chose them. correct: of them, before the update. sweeps: of all phases; with torch
    of the slowest sample.
    """

    epoch: int
    update: int
    samples: npt.NDArray[np.int64]
    correct: int
    sweeps: int


class StopTraining(Exception):  # noqa: N818 - it says what shall happen, as StopIteration does
    """Raised by `on_epoch`: the training ends behind this epoch, as if no more had been asked."""


@dataclass(frozen=True, eq=False)
class Callbacks:
    """Who is told. observers: of every tick of every phase, as those of a session."""

    on_epoch: Callable[[EpochReport], object] | None = None
    on_update: Callable[[UpdateReport], object] | None = None
    observers: tuple[Observer, ...] = ()

    def epoch(self, report: EpochReport) -> bool:
        """Tells of an epoch; whether training ends here: `on_epoch` said True, or StopTraining."""
        if self.on_epoch is None:
            return False
        try:
            return self.on_epoch(report) is True
        except StopTraining:
            return True


NO_CALLBACKS = Callbacks()
