"""One training with the integer on-chip rule, epoch by epoch, with checkpoints."""

from toreq_hw import data
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.records import plain
from toreq_hw.records.training import TrainedEpoch, TrainingNotes
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.learning.training_samples import NOTHING
from toreq_hw.studies.kept_training import Checkpoints, KeptTraining
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.training.integer import learn_epochs, training_samples
from toreq_hw.training.reports import EpochReport


def train(
    trainer: Trainer,
    dataset: Dataset,
    notes: TrainingNotes,
    kept: Checkpoints | None = None,
    screen: Screen = NO_SCREEN,
) -> tuple[TrainedEpoch, ...]:
    """Runs the remaining epochs; returns a record an epoch, those before among them.

    notes: go into the checkpoints, with the history so far. kept: None for none. An interrupt
    leaves a checkpoint of the last sample.
    """
    shape = trainer.blueprint
    training = training_samples(shape, dataset, notes.augment, mirror=notes.mirror)
    tests = data.input_states(shape, dataset.test.images, dataset.pixel_max)
    before = begun_epoch(notes, dataset)
    todo = max(0, notes.epochs - trainer.epoch) * len(dataset.train) - before.samples
    keeper = KeptTraining(trainer, notes, before, kept, screen)
    with keeper.kept_on_interrupt(), screen.bar("training", max(0, todo)) as bar:

        def watch(part: Progress) -> None:
            keeper.note_samples(part)
            bar.advance(part.samples)

        for report in learn_epochs(
            trainer,
            training,
            notes.epochs,
            test=(tests, dataset.test.labels),
            watch=watch,
            before=before,
            every=keeper.every,
        ):
            keeper.note_epoch(_record(report))
            bar.show(note=training_note(report.accuracy))
    return keeper.notes.history


def _record(report: EpochReport) -> TrainedEpoch:
    """Of an epoch that was measured on test samples."""
    assert report.test_accuracy is not None
    assert report.unsettled is not None
    return TrainedEpoch(
        epoch=report.epoch,
        train_accuracy=report.accuracy,
        accuracy=report.test_accuracy,
        sweeps_per_phase=report.sweeps_per_phase,
        unsettled_phases=report.unsettled,
        seconds=report.seconds,
    )


def begun_epoch(notes: TrainingNotes, dataset: Dataset) -> Progress:
    """What the trainer has learned of its epoch already.

    Raises InputError where the data set has not as many samples.
    """
    if notes.part is None:
        return NOTHING
    if notes.part.samples > len(dataset.train):
        raise InputError(
            f"a training must go on behind at most {len(dataset.train)} samples, those of "
            f"{dataset.name}, not behind {notes.part.samples}"
        )
    return Progress(**plain(notes.part))


def epoch_record(epoch: int, progress: Progress, accuracy: float, seconds: float) -> TrainedEpoch:
    """The record of an epoch. seconds: of what was learned of it here."""
    return TrainedEpoch(
        epoch=epoch,
        train_accuracy=progress.correct / progress.samples,
        accuracy=accuracy,
        sweeps_per_phase=progress.sweeps / (3 * progress.samples),
        unsettled_phases=progress.unsettled,
        seconds=seconds,
    )


def training_note(accuracy: float) -> str:
    """What a training's bar says after an epoch. accuracy: 0..1, on that epoch's training samples,
    each as it was before it was learned.
    """
    return f"training accuracy {100 * accuracy:.2f} %"
