"""An ESTIMATE of what a training sample costs a core in energy, from its activity on real ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.boards.board import Board
from toreq_hw.boards.energy.coefficients import coefficients
from toreq_hw.boards.energy.estimate import energy
from toreq_hw.boards.energy.training_activity import training_activity
from toreq_hw.errors import ReportError
from toreq_hw.records.energy import Activity, EnergyEstimate, EnergyRecord
from toreq_hw.rtl.learning.compiled import learning_words
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.training_samples import TrainingSamples, epoch_samples, learn_epoch
from toreq_hw.targets.learned import rates_of_trainer, state_of_trainer

SAMPLES = 60
"""The first ones of the second epoch."""

FOLDER = Path("build/synth/activity")


def learning_activity(
    trainer: Trainer, parameters: CoreParameters, training: TrainingSamples
) -> Activity:
    """Of the first samples of the second epoch, which `trainer`, fresh, is taken to.

    Raises ReportError where the core that was counted does not answer as the simulator does.
    """
    learn_epoch(trainer, training)
    images, order = epoch_samples(trainer, training)
    chosen = order[:SAMPLES]
    inputs, labels = images[chosen], training.labels[chosen].tolist()
    words = learning_words(state_of_trainer(trainer), rates_of_trainer(trainer), parameters)
    counted = training_activity(trainer.network(), parameters, words, (inputs, labels), FOLDER)
    wanted = _classes(trainer, inputs, labels)
    if list(counted.classes) != wanted:
        raise ReportError(
            f"classes of the core whose toggles are counted must be {wanted}, found "
            f"{list(counted.classes)}"
        )
    return counted


def energy_of(counted: Activity, board: Board, *, flip_flops: int, clock_hz: float) -> EnergyRecord:
    """Coefficients with their sources and ranges in uJ, or why there are none."""
    known = coefficients(board.capacity)
    if isinstance(known, str):
        return EnergyRecord(absent=known)
    uj = energy(counted, flip_flops, clock_hz, known).record()
    return EnergyRecord.of(EnergyEstimate(counted, flip_flops, known, uj))


def _classes(trainer: Trainer, inputs: npt.NDArray[np.int16], labels: Sequence[int]) -> list[int]:
    """Of free phases, each before its sample is learned."""
    found = []
    for k, label in enumerate(labels):
        run = sim.relax(trainer.network(), inputs[k : k + 1])
        found.append(int(run.classes[0]))
        trainer.learn(inputs[k : k + 1], [label], [0])
    return found
