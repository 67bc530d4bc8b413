"""What a core that learns must do: the simulator's trainer and phases, in the core's terms."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from testbench.rtl.checker import MismatchError
from testbench.rtl.learning_cases import Task
from testbench.rtl.model import Model, Phase
from toreq_hw.network import Network
from toreq_hw.rtl.learning.state import LearnedState, LearningRates
from toreq_hw.rtl.learning.timing import LearnedSample, learn_cycles
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.sim.learning import Trainer
from toreq_hw.targets.learned import give_to_trainer, rates_of_trainer, state_of_trainer


@dataclass(frozen=True)
class LearnedPhases:
    """A sample: the three phases before LEARN, and what LEARN then finds."""

    phases: list[Phase]
    found: LearnedSample


class LearningModel:
    """The golden model of a task: `learn` goes on by one of its samples."""

    def __init__(self, network: Network, parameters: CoreParameters, task: Task) -> None:
        self._parameters = parameters
        self.task = task
        self.trainer = Trainer(network, task.rule, seed=1)
        give_to_trainer(self.trainer, task.state)

    @property
    def state(self) -> LearnedState:
        """What has been learned so far."""
        return state_of_trainer(self.trainer)

    @property
    def rates(self) -> LearningRates:
        """Those of the task."""
        return rates_of_trainer(self.trainer)

    def phases(self, sample: int) -> LearnedPhases:
        """Of a sample, as the network stands."""
        inputs, label = self.task.inputs[sample], int(self.task.labels[sample])
        model = Model(self.trainer.network(), self._parameters, self._parameters.max_sweeps)
        return learned_phases(inputs, model.phases(inputs[None], np.array([label]))[0])

    def learn(self, sample: int) -> LearnedPhases:
        """The same, and then learns it."""
        found = self.phases(sample)
        inputs, labels = (
            self.task.inputs[sample : sample + 1],
            self.task.labels[sample : sample + 1],
        )
        self.trainer.learn(inputs, labels, np.array([0]))
        return found


def learned_phases(inputs: npt.NDArray[np.int16], phases: list[Phase]) -> LearnedPhases:
    """What LEARN finds behind these phases of the simulator. inputs: (input.size,)."""
    stirred = any(phase.events for phase in phases[1:])
    return LearnedPhases(
        phases, LearnedSample(inputs, phases[1].states, phases[2].states, stirred=stirred)
    )


def check_learn_summary(
    parameters: CoreParameters, sample: int, summary: dict[str, int], expected: LearnedPhases
) -> int:
    """The cycles of LEARN; class and settled are those of the phase before it.

    Raises MismatchError.
    """
    cycles, last = learn_cycles(parameters, expected.found), expected.phases[-1]
    wanted = {
        "phase": Command.LEARN.value,
        "settled": int(last.settled),
        "label": last.label,
        **dict.fromkeys(("sweeps", "ticks", "events", "input_events", "saturations", "beats"), 0),
        "cycles": cycles,
    }
    for name, value in wanted.items():
        if summary[name] != value:
            raise MismatchError(
                f"sample {sample}, LEARN, {name}: expected {value}, got {summary[name]}"
            )
    return cycles
