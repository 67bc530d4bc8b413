"""What a training in the simulator keeps: after epochs, between samples, and on an interrupt."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from toreq_hw.interrupts import hold_interrupts
from toreq_hw.records import plain
from toreq_hw.records.training import EpochPart, TrainedEpoch, TrainingNotes
from toreq_hw.sim.learning import Progress, Trainer, checkpoint
from toreq_hw.sim.learning.training_samples import NOTHING
from toreq_hw.studies.screen import Screen

_Notes = TypeVar("_Notes", bound=TrainingNotes)


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """Where a training writes its checkpoints. run: named by them.

    every: samples of an epoch between two; one is written after each epoch too. go_on: the command
    that goes on from one, shown after an interrupt.
    """

    path: Path
    run: str | None = None
    every: int | None = None
    go_on: str | None = None


def inside_epoch(notes: _Notes, progress: Progress) -> _Notes:
    """The notes of a training that has learned so much of its epoch."""
    part = EpochPart(**vars(progress)) if progress.samples else None
    return replace(notes, part=part)


class KeptTraining:
    """A training of `trainer` and what is kept of it; `notes` hold the epochs that are over.

    before: what the trainer has learned of its epoch already.
    """

    def __init__(
        self,
        trainer: Trainer,
        notes: TrainingNotes,
        before: Progress,
        kept: Checkpoints | None,
        screen: Screen,
    ) -> None:
        self.notes = notes
        self._trainer, self._kept, self._screen = trainer, kept, screen
        self._epoch, self._progress = trainer.epoch, before
        self._learned = 0

    @property
    def every(self) -> int | None:
        """Samples between two checkpoints inside an epoch."""
        return self._kept.every if self._kept else None

    def note_samples(self, progress: Progress) -> None:
        """So much more of the epoch is learned. Must not be interrupted."""
        self._progress += progress
        self._learned += progress.samples
        if self.every and self._progress.samples % self.every == 0:
            self._save(inside_epoch(self.notes, self._progress))

    def note_epoch(self, epoch: TrainedEpoch) -> None:
        """An epoch is learned and measured: writes the checkpoint after it."""
        with hold_interrupts():
            self.notes = replace(self.notes, history=(*self.notes.history, epoch), part=None)
            self._epoch, self._progress = self._trainer.epoch, NOTHING
            self._save(self.notes)

    @contextmanager
    def kept_on_interrupt(self) -> Iterator[None]:
        """While it lasts Ctrl-C and SIGTERM write a checkpoint of the last sample."""
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            with hold_interrupts():
                self._rescue()
            raise

    def _rescue(self) -> None:
        if self._kept is None or not self._learned:
            return
        self._trainer.epoch = self._epoch  # an epoch that was not measured yet is not over
        self._save(inside_epoch(self.notes, self._progress))
        samples = self._progress.samples
        epoch = self._epoch
        place = f"sample {samples} of epoch {epoch + 1}" if samples else f"epoch {epoch}"
        go_on = f"; go on with: {self._kept.go_on}" if self._kept.go_on else ""
        self._screen.say(
            f"interrupted after {place} of {self.notes.epochs}; wrote {self._kept.path}{go_on}"
        )

    def _save(self, notes: TrainingNotes) -> None:
        if self._kept:
            checkpoint.save(self._trainer, self._kept.path, plain(notes), run=self._kept.run)
