"""What one simulation of a core that learns does; written by pytest, read inside the simulator."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import testbench.rtl.plan  # noqa: F401  so that networks can be pickled
from testbench.rtl.learning_cases import LearningShape, Task
from toreq_hw.network import Network
from toreq_hw.rtl.parameters import CoreParameters


@dataclass(frozen=True)
class LearningPlan:
    """A core and what it learns; the second task comes after a reset in the midst of a LEARN.

    Without a second task only the first one is learned.
    """

    shape: LearningShape
    first: Task
    second: Task | None

    @property
    def network(self) -> Network:
        """The network whose shape the core has."""
        return self.shape.network

    @property
    def parameters(self) -> CoreParameters:
        """Of the core."""
        return self.shape.parameters

    def save(self, path: Path) -> None:
        """Writes the plan where the simulator reads it."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> "LearningPlan":
        """Reads a plan that `save` wrote."""
        plan = pickle.loads(path.read_bytes())
        assert isinstance(plan, LearningPlan)
        return plan
