"""A training on a board, sample by sample over the link, with the simulator's beside it.

The trainer learns each sample that the board has learned. Counts are compared after every sample,
latents, biases and the generator whenever the board is read back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.link.learning_host import LearningLink, StateLostError
from toreq_hw.errors import LinkError
from toreq_hw.interrupts import hold_interrupts
from toreq_hw.rtl.learning.state import LearnedState
from toreq_hw.rtl.reply import CoreReply
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.sim.learning.training_samples import NOTHING
from toreq_hw.targets.learned import rates_of_trainer, state_of_trainer

RECOVERIES = 5
"""Times that samples are repeated from one read-back before the board counts as unfit."""

NOISE = 10
"""Frames that were sent again: it is said at so many, and whenever there are ten times as many."""

Replies = tuple[CoreReply, ...]
"""What the four commands of a sample came to."""

_COUNTS = ("correct", "sweeps", "unsettled", "events")


class DifferenceError(Exception):
    """The board and the simulator differ; the message says where first."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample. number: in its epoch, from 1. image: int16 (input.size,)."""

    number: int
    image: npt.NDArray[np.int16]
    label: int


@dataclass
class Counts:
    """What a training went through here. cycles: of each sample's four commands, (samples, 4).

    unheard: samples whose answer was lost. repeated: samples learned again from a read-back.
    sample_s, read_s: seconds by the line's clock, of samples and of read-backs.
    """

    cycles: list[tuple[int, ...]] = field(default_factory=list)
    unheard: int = 0
    repeated: int = 0
    sample_s: float = 0.0
    read_s: float = 0.0
    loaded_bytes: int = 0


class BoardLearner:
    """Lets `link`'s board learn what `trainer` learns, from the state that the trainer has now.

    say: told in a line what is repeated, and why. counts: so far. progress: of the trainer's epoch,
    `before` it was handed over too.

    Its methods raise DifferenceError at the first difference, and LinkError where the board is
    gone, which names the samples since the last read-back.
    """

    def __init__(
        self,
        link: LearningLink,
        trainer: Trainer,
        say: Callable[[str], None],
        before: Progress = NOTHING,
    ) -> None:
        self._link, self._trainer, self._say = link, trainer, say
        self.progress = before
        self.counts = Counts()
        self._since: list[Sample] = []
        self._following: Sample | None = None
        self._followed = self._base = 0
        self._noise = NOISE
        self._kept = state_of_trainer(trainer)
        self.counts.loaded_bytes = self._load()

    def begin_epoch(self) -> None:
        """Sets the rates of the trainer's epoch."""
        self._link.set_rates(rates_of_trainer(self._trainer))

    def end_epoch(self) -> None:
        """The trainer is in its next epoch. The board must have been read back."""
        with hold_interrupts():
            self._trainer.epoch += 1
            self.progress = NOTHING

    def learn(self, sample: Sample, following: Sample | None = None) -> None:
        """Learns a sample on the board, then in the simulator.

        following: the next one, unless the board is read back before it.
        """
        self._since.append(sample)
        self._following = following
        began = self._link.now()
        try:
            replies = self._teach(sample)
        except LinkError as error:
            raise LinkError(f"{error}; {self._lost()}") from error
        self.counts.sample_s += self._link.now() - began
        while self._link.retries >= self._noise:
            self._say(f"{self._link.retries} frames were sent again so far: the line is noisy")
            self._noise *= 10
        progress = self._follow(sample)
        if replies is None:
            self.counts.unheard += 1
            return
        self.counts.cycles.append(tuple(reply.summary["cycles"] for reply in replies))
        _compare_counts(sample, replies, progress)

    def read_back(self) -> None:
        """Reads what the board has learned, which must be the trainer's to the bit; the next fault
        costs no sample before this one.
        """
        began = self._link.now()
        try:
            found = self._read_state()
        except LinkError as error:
            raise LinkError(f"{error}; {self._lost()}") from error
        self.counts.read_s += self._link.now() - began
        if difference := first_difference(found, state_of_trainer(self._trainer)):
            raise DifferenceError(f"{difference}, {self._range()}")
        self._kept, self._since = found, []
        self._followed, self._base = 0, self._link.samples

    def settle(self) -> None:
        """After an interrupt: the trainer learns the samples that the board alone has learned.

        Raises LinkError where the board is not there, or not where the trainer is.
        """
        while self._link.count_samples():
            pass
        learned = self._link.samples - self._base
        sent = [*self._since, *([self._following] if self._following else [])]
        if not self._followed <= learned <= len(sent):
            raise LinkError(f"board must have learned {self._followed} samples, found {learned}")
        self._since = sent[:learned]
        for sample in self._since[self._followed :]:
            self._follow(sample)

    def _load(self) -> int:
        self._base = 0
        return self._link.load_state(self._kept, rates_of_trainer(self._trainer))

    def _follow(self, sample: Sample) -> Progress:
        """The trainer learns a sample, whole."""
        with hold_interrupts():
            progress = self._trainer.learn(sample.image[None], [sample.label], [0])
            self.progress += progress
            self._followed += 1
        return progress

    def _teach(self, sample: Sample) -> Replies | None:
        try:
            following = self._following
            ahead = None if following is None else (following.image, following.label)
            return self._link.train(sample.image, sample.label, ahead)
        except StateLostError as error:
            return self._repeat(error)

    def _read_state(self) -> LearnedState:
        try:
            return self._link.read_state()
        except StateLostError as error:
            self._repeat(error)
            return self._link.read_state()

    def _repeat(self, error: StateLostError) -> Replies | None:
        """Loads the last read-back and learns the samples since again; what the last came to."""
        for _ in range(RECOVERIES):
            self._say(f"{error}; repeated from the last read-back: {self._range()}")
            replies: Replies | None = None
            try:
                self._load()
                for sample in self._since:
                    replies = self._link.train(sample.image, sample.label)
                    self.counts.repeated += 1
            except StateLostError as again:
                error = again
                continue
            return replies
        raise LinkError(f"{error}, {RECOVERIES} times")

    def _range(self) -> str:
        if not self._since:
            return "no sample"
        first, last = self._since[0].number, self._since[-1].number
        return f"samples {first} to {last} of epoch {self._trainer.epoch + 1}"

    def _lost(self) -> str:
        return f"lost since the last read-back: {self._range()}"


def first_difference(found: LearnedState, expected: LearnedState) -> str | None:
    """The first value that differs, in a line; None where none does."""
    for name, latents in expected.latents.items():
        places = np.argwhere(found.latents[name] != latents)
        if len(places):
            row, column = (int(k) for k in places[0])
            values = found.latents[name][row, column], latents[row, column]
            return (
                f"coupling {name!r}, row {row}, column {column}: latent {values[0]}, the "
                f"simulator has {values[1]}"
            )
    for name, biases in expected.bias_latents.items():
        places = np.argwhere(found.bias_latents[name] != biases)
        if len(places):
            neuron = int(places[0, 0])
            values = found.bias_latents[name][neuron], biases[neuron]
            return (
                f"population {name!r}, neuron {neuron}: bias latent {values[0]}, the simulator "
                f"has {values[1]}"
            )
    if found.generator != expected.generator:
        return f"generator: {found.generator}, the simulator has {expected.generator}"
    return None


def _compare_counts(sample: Sample, replies: Replies, progress: Progress) -> None:
    """Raises DifferenceError where the board counts another way than the simulator."""
    free, *_ = replies
    phases = [reply.summary for reply in replies[:-1]]
    found = {
        "correct": int(free.summary["label"] == sample.label),
        "sweeps": sum(summary["sweeps"] for summary in phases),
        "unsettled": sum(not summary["settled"] for summary in phases),
        "events": sum(summary["events"] for summary in phases),
    }
    for name in _COUNTS:
        if found[name] != getattr(progress, name):
            raise DifferenceError(
                f"sample {sample.number}: {name} {found[name]}, the simulator has "
                f"{getattr(progress, name)}"
            )
