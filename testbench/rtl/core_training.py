"""A training on a compiled core beside the simulator's: the same samples, then all that differs."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.learning_model import check_learn_summary, learned_phases
from testbench.rtl.model import Model
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.compiled import SAMPLE, CompiledLearner, learning_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.state import LearnedState, rate_words
from toreq_hw.rtl.learning.timing import LearnedSample, learn_cycles
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.reply import CoreReply
from toreq_hw.rtl.timing import TimingModel
from toreq_hw.sim.learning import Progress, Trainer
from toreq_hw.targets.learned import give_to_trainer, rates_of_trainer, state_of_trainer

Samples = tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]
"""Inputs int16 (samples, input.size) and labels (samples,)."""


@dataclass
class Counts:
    """Of each sample compared. right: its free phase gave its label. sample_cycles: of all four
    phases, without reports. learn_cycles: of LEARN alone. modelled: how many were compared with
    the simulator phase by phase.
    """

    modelled: int = 0
    right: list[bool] = field(default_factory=list)
    sample_cycles: list[int] = field(default_factory=list)
    learn_cycles: list[int] = field(default_factory=list)


class CoreTraining:
    """The core goes along with `trainer`, from its state.

    Cycles of LEARN are predicted from the states that the core reports. Of a sample that is
    modelled they are the simulator's, and all phases are compared.
    """

    def __init__(
        self,
        trainer: Trainer,
        parameters: CoreParameters,
        folder: Path,
        learner: type[CompiledLearner] = CompiledLearner,
    ) -> None:
        self.trainer, self.parameters = trainer, parameters
        images = MemoryImages.of(trainer.blueprint, parameters)
        self.core = learner(parameters, images, folder)
        self.checker = Checker(parameters, TimingModel(parameters))
        self.counts = Counts()
        self._load(state_of_trainer(trainer))

    def begin_epoch(self) -> None:
        """Loads the rates of the trainer's epoch."""
        self.core.load(rate_words(rates_of_trainer(self.trainer), self.parameters))

    def learn(self, samples: Samples, order: npt.NDArray[np.int64], modelled: int = 0) -> Progress:
        """Learns the samples that `order` names on both sides, and compares; the first `modelled`
        ones phase by phase. order: (samples,).

        Raises MismatchError naming the sample and the first difference.
        """
        inputs, labels = samples
        before = state_of_trainer(self.trainer)
        progress = Progress(0, 0, 0, 0, 0)
        for sample in order[:modelled].tolist():
            progress += self._modelled(samples, sample)
        for sample in order[modelled:].tolist():
            self._on_core(sample, inputs[sample], int(labels[sample]))
        progress += self.trainer.learn(inputs, labels, order[modelled:])
        if difference := learned_difference(state_of_trainer(self.trainer), self.core.state()):
            self._narrow(before, samples, order)
            raise MismatchError(f"within {len(order)} samples, not when repeated: {difference}")
        return progress

    def _load(self, state: LearnedState) -> None:
        self.core.load(learning_words(state, rates_of_trainer(self.trainer), self.parameters))

    def _run(self, inputs: npt.NDArray[np.int16], label: int) -> list[CoreReply]:
        """All four phases. inputs: (input.size,)."""
        replies = self.core.run(inputs, [(command, label) for command in SAMPLE])
        report = self.parameters.slices + 1
        cycles = [reply.summary["cycles"] for reply in replies]
        self.counts.right.append(replies[0].summary["label"] == label)
        self.counts.sample_cycles.append(sum(cycles) - 3 * report)
        self.counts.learn_cycles.append(cycles[-1])
        return replies

    def _on_core(self, sample: int, inputs: npt.NDArray[np.int16], label: int) -> None:
        _, positive, negative, learned = self._run(inputs, label)
        assert positive.states is not None
        assert negative.states is not None
        stirred = positive.summary["events"] + negative.summary["events"] > 0
        found = LearnedSample(inputs, positive.states, negative.states, stirred=stirred)
        wanted, got = learn_cycles(self.parameters, found), learned.summary["cycles"]
        if wanted != got:
            raise MismatchError(f"sample {sample}, LEARN, cycles: expected {wanted}, got {got}")

    def _modelled(self, samples: Samples, sample: int) -> Progress:
        inputs, labels = samples[0][sample : sample + 1], samples[1][sample : sample + 1]
        model = Model(self.trainer.network(), self.parameters, self.parameters.max_sweeps)
        expected = learned_phases(inputs[0], model.phases(inputs, labels)[0])
        replies = self._run(inputs[0], int(labels[0]))
        for phase, reply in zip(expected.phases, replies[:3], strict=True):
            self.checker.check_reply(sample, phase, reply.summary, reply.states)
        check_learn_summary(self.parameters, sample, replies[3].summary, expected)
        self.counts.modelled += 1
        return self.trainer.learn(inputs, labels, np.array([0]))

    def _narrow(self, before: LearnedState, samples: Samples, order: npt.NDArray[np.int64]) -> None:
        """Repeats samples one by one from `before`; raises MismatchError where they differ."""
        inputs, labels = samples
        self._load(before)
        give_to_trainer(self.trainer, before)
        for sample in order.tolist():
            self.core.learn(inputs[sample : sample + 1], [int(labels[sample])])
            self.trainer.learn(inputs, labels, np.array([sample]))
            if found := learned_difference(state_of_trainer(self.trainer), self.core.state()):
                raise MismatchError(f"sample {sample}: {found}")
