"""A training on a board, epoch by epoch, with a checkpoint at every read-back.

The same samples in the same order, moved alike and at the same rates as `studies.training.train`
gives them to the simulator; what the board has learned must be the simulator's to the bit.
"""

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toreq_hw import data, sim
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError, LinkError
from toreq_hw.records import plain
from toreq_hw.records.board_training import BoardTrainingRun, Spread
from toreq_hw.records.training import CheckpointNotes
from toreq_hw.sim.learning import Trainer, checkpoint
from toreq_hw.sim.learning.training_samples import TrainingSamples, epoch_samples
from toreq_hw.sim.summary import summarise
from toreq_hw.studies.kept_training import inside_epoch
from toreq_hw.studies.screen import NO_SCREEN, Bar, Screen
from toreq_hw.studies.training import begun_epoch, epoch_record, training_note
from toreq_hw.targets.board import SIMULATED, transport_of
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.boards.board import Board
    from toreq_hw.boards.link.learning_host import LearningLink
    from toreq_hw.rtl.parameters import CoreParameters
    from toreq_hw.targets.board_learner import BoardLearner, Counts


@dataclass(frozen=True)
class BoardChoice:
    """Which board, and how it is reached. port: serial, or `SIMULATED`. program: a bitstream to put
    onto it first. read_every: samples between two read-backs, which are also at each epoch's end.
    lanes, learn_lanes, accumulator_register: of its core.
    """

    board: "Board"
    port: str
    lanes: int
    learn_lanes: int
    program: Path | None = None
    read_every: int | None = None
    accumulator_register: bool = False

    def core(self, trainer: Trainer, epochs: int) -> "CoreParameters":
        """The core that learns what `trainer` does. Raises what `learnable_core` does."""
        from toreq_hw.targets.learnable import learnable_core

        return learnable_core(
            self.board,
            trainer,
            self.lanes,
            self.learn_lanes,
            epochs,
            accumulator_register=self.accumulator_register,
        )


@dataclass
class BoardStudy:
    """A training of `trainer`, which ends as the board does.

    kept: where checkpoints go, None for nowhere. run: named by them.
    """

    trainer: Trainer
    dataset: Dataset
    notes: CheckpointNotes
    choice: BoardChoice
    kept: Path | None = None
    run: str | None = None
    screen: Screen = field(default_factory=lambda: NO_SCREEN)
    _saved: bool = field(default=False, init=False)
    """Whether this run has written a checkpoint."""

    def train(self) -> BoardTrainingRun:
        """Runs the remaining epochs.

        Raises NetworkError for a network that does not fit the board or cannot learn there.
        Raises InputError for rates that no core has, and where no epoch is left. Raises LinkError
        for a board that is not there, or gone; it says what is kept, and where.
        """
        from toreq_hw.boards.link.learning_host import LearningLink
        from toreq_hw.boards.programming import program

        if self.trainer.epoch >= self.notes.epochs:
            raise InputError(
                f"epochs must be more than the {self.trainer.epoch} that are learned already, "
                f"found {self.notes.epochs}: nothing is left to learn"
            )
        began = time.perf_counter()
        choice = self.choice
        parameters = choice.core(self.trainer, self.notes.epochs)
        begun_epoch(self.notes, self.dataset)
        if choice.program is not None:
            program(choice.board, choice.program)
        transport = transport_of(
            choice.board,
            self.trainer.blueprint,
            parameters,
            choice.port,
            lambda what, _done, _total: self.screen.say(f"{what} ..."),
        )
        with closing(transport):
            link = LearningLink(transport, parameters)
            learned = self._learned_on(link)
            return self._record(link, transport.baud, learned, time.perf_counter() - began)

    def _learned_on(self, link: "LearningLink") -> "_Learned":
        """Every epoch that is left, on the board and beside it."""
        from toreq_hw.targets.board_learner import BoardLearner, DifferenceError

        before = begun_epoch(self.notes, self.dataset)
        each = len(self.dataset.train)
        with self.screen.bar(
            f"training on {self.choice.board.name}", self.notes.epochs * each
        ) as bar:
            bar.show(done=self.trainer.epoch * each + before.samples)
            learner = BoardLearner(link, self.trainer, self.screen.say, before)
            difference = None
            try:
                while self.trainer.epoch < self.notes.epochs:
                    self._epoch(learner, bar)
            except DifferenceError as error:
                difference = str(error)
            except LinkError as error:
                raise LinkError(f"{error}; {self._where_to_go_on()}") from error
            except (KeyboardInterrupt, SystemExit):  # SIGTERM comes as the latter
                self._rescue(learner)
                raise
        return _Learned(learner.counts, difference)

    def _epoch(self, learner: "BoardLearner", bar: Bar) -> None:
        from toreq_hw.targets.board_learner import Sample

        shape, began = self.trainer.blueprint, time.perf_counter()
        dataset = self.dataset
        pixels = data.input_states(shape, dataset.train.images, dataset.pixel_max)
        moves = (dataset.shape, self.notes.augment, self.notes.mirror)
        training = TrainingSamples(pixels, dataset.train.labels, *moves)
        images, order = epoch_samples(self.trainer, training)
        learner.begin_epoch()
        every = self.choice.read_every or len(order)

        def sample(number: int) -> Sample:
            which = int(order[number])
            return Sample(number + 1, images[which], int(training.labels[which]))

        for number in range(learner.progress.samples, len(order)):
            is_read = (number + 1) % every == 0 or number + 1 == len(order)
            learner.learn(sample(number), None if is_read else sample(number + 1))
            bar.advance()
            if is_read and number + 1 < len(order):
                self._keep(learner)
        learner.read_back()
        progress = learner.progress
        learner.end_epoch()
        tests = data.input_states(shape, dataset.test.images, dataset.pixel_max)
        result = summarise(sim.relax(self.trainer.network(), tests), dataset.test.labels)
        epoch = epoch_record(
            self.trainer.epoch, progress, result.accuracy, time.perf_counter() - began
        )
        self.notes = replace(self.notes, history=(*self.notes.history, epoch), part=None)
        bar.show(note=training_note(epoch.train_accuracy))
        self._save()

    def _keep(self, learner: "BoardLearner") -> None:
        """Reads the board back inside an epoch, and writes a checkpoint."""
        learner.read_back()
        self.notes = inside_epoch(self.notes, learner.progress)
        self._save()

    def _rescue(self, learner: "BoardLearner") -> None:
        """After an interrupt: a checkpoint of the sample that the board has learned last."""
        from toreq_hw.targets.board_learner import DifferenceError

        try:
            learner.settle()
            self._keep(learner)
        except (LinkError, DifferenceError) as error:
            self.screen.say(f"{error}; {self._where_to_go_on()}")
            return
        self.screen.say(
            f"read back after sample {learner.progress.samples} of epoch "
            f"{self.trainer.epoch + 1}; {self._where_to_go_on()}"
        )

    def _save(self) -> None:
        if self.kept:
            checkpoint.save(self.trainer, self.kept, plain(self.notes), run=self.run)
            self._saved = True

    def _where_to_go_on(self) -> str:
        if self._saved:
            return f"go on with --resume {self.kept}"
        return "this run has written no checkpoint; begin it again"

    def _record(
        self, link: "LearningLink", baud: float, learned: "_Learned", wall_s: float
    ) -> BoardTrainingRun:
        status, counts, notes = link.status(), learned.counts, self.notes
        cycles = np.array(counts.cycles, dtype=np.int64).reshape(-1, 4)
        samples = len(cycles) + counts.unheard
        trained = self.trainer.network()
        clock_hz = link.identity.clock_hz
        return BoardTrainingRun(
            target=self.choice.board.name,
            form="simulated system"
            if self.choice.port == SIMULATED
            else f"board at {self.choice.port}",
            data=self.dataset.name,
            split=self.dataset.split,
            seed=self.trainer.seed,
            rule=self.trainer.rule.describe(),
            epochs=notes.epochs,
            augment=notes.augment,
            mirror=notes.mirror,
            started_from=notes.started_from,
            lanes=link.identity.lanes,
            learn_lanes=link.identity.learn_lanes,
            clock_hz=clock_hz,
            baud=baud,
            samples=samples,
            bit_exact=learned.difference is None,
            first_difference=learned.difference,
            core_us=_spread(cycles.sum(axis=1) / clock_hz * 1e6) if len(cycles) else None,
            phase_cycles=tuple(cycles.mean(axis=0).tolist()) if len(cycles) else (),
            link_us=counts.sample_s / samples * 1e6 if samples else None,
            read_back_s=counts.read_s,
            wall_s=wall_s,
            loaded_bytes=counts.loaded_bytes,
            unheard=counts.unheard,
            repeated=counts.repeated,
            retries=link.retries,
            frame_errors=status.frame_errors,
            faults=status.faults,
            history=notes.history,
            accuracy=notes.history[-1].accuracy if notes.history else None,
            sparsity=trained.sparsity,
            network_sha256=trained.sha256,
            versions=versions("amaranth", "pyserial"),
        )


@dataclass(frozen=True)
class _Learned:
    """What a training came to: its counts, and the first difference."""

    counts: "Counts"
    difference: str | None


def _spread(values: Any) -> Spread:
    """Of an array of one value a sample."""
    p50, p95, p99 = (float(v) for v in np.percentile(values, (50, 95, 99)))
    return Spread(float(values.mean()), p50, p95, p99)
