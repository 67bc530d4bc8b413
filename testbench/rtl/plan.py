"""What one simulation does: a list of steps, written by pytest and read inside the simulator."""

import copyreg
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network
from toreq_hw.rtl.parameters import CoreParameters

# A network's biases are a read-only view, which pickle refuses: rebuild the network instead.
copyreg.pickle(
    Network,
    lambda n: (Network, (n.populations, n.couplings, dict(n.biases), n.schedule, n.beta_shift)),
)


@dataclass(frozen=True)
class Traffic:
    """How the streams behave. idle and stall: chance that a source or a sink rests a cycle."""

    idle: float = 0.0
    stall: float = 0.0
    sparse: bool = False
    report: bool = True


@dataclass(frozen=True)
class Images:
    """Relaxes images of the network loaded last; with labels, nudged both ways as well."""

    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64] | None
    traffic: Traffic = Traffic()


@dataclass(frozen=True)
class Load:
    """Loads the weights and biases of a network of the same shape over the stream.

    shuffled: in any order, and after as many words that have wrong biases.
    """

    network: Network
    shuffled: bool = False


@dataclass(frozen=True)
class Limit:
    """Loads another limit on sweeps."""

    max_sweeps: int


@dataclass(frozen=True)
class Threshold:
    """Loads another threshold into a lossy core."""

    threshold: int


@dataclass(frozen=True)
class ResetMidRun:
    """Starts an image and resets the core `after` cycles later."""

    inputs: npt.NDArray[np.int16]
    after: int


@dataclass(frozen=True)
class BadTraffic:
    """Sends every wrong word there is, checks the flags and the count, and resets.

    turn: 0, 1 or 2, in which order the ports get theirs.
    """

    turn: int = 0


@dataclass(frozen=True)
class LoadBetweenPhases:
    """Free, a load that is refused, NUDGE_POSITIVE, a load that is taken, a NUDGE_NEGATIVE that is
    not; resets.
    """

    inputs: npt.NDArray[np.int16]
    label: int


Step = Images | Load | Limit | Threshold | ResetMidRun | BadTraffic | LoadBetweenPhases


@dataclass(frozen=True)
class Plan:
    """A core and what is done to it. seed: of idle and stall cycles.

    choices: keyword arguments of `CoreParameters.of` beyond the lanes.
    """

    network: Network
    lanes: int
    steps: tuple[Step, ...]
    seed: int = 0
    choices: dict[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> CoreParameters:
        """Of the core."""
        return CoreParameters.of(self.network, self.lanes, **self.choices)

    def save(self, path: Path) -> None:
        """Writes the plan where the simulator reads it."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> "Plan":
        """Reads a plan that `save` wrote."""
        plan = pickle.loads(path.read_bytes())
        assert isinstance(plan, Plan)
        return plan
