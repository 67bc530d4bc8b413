"""A phase as it runs, tick by tick: what a tick did, and who may watch.

An engine of the simulator tells observers while it runs; for a machine that hands back a trace,
`feed` tells them afterwards. Nobody watches by default, and then none of this runs.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.results import PhaseResult
from toreq_hw.network import Colour, Network


@dataclass(frozen=True, eq=False)
class PhaseStart:
    """What a phase starts from. phase: its name, see `PhaseResult`.

    states: int16 (batch, neurons) in `Layout` order. inputs: int16 (batch, input.size), and
    drive: int32 (batch, output.size), of the output's accumulators.
    """

    network: Network
    phase: str
    states: npt.NDArray[np.int16]
    inputs: npt.NDArray[np.int16]
    drive: npt.NDArray[np.int32]


class Registers(Protocol):
    """What can be read of a machine between two ticks."""

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons), in `Layout` order."""

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons), without the rounding half, LSB 2^-F of each population."""

    @property
    def energy(self) -> npt.NDArray[np.int64]:
        """Twice the energy, int64 (batch,); docs/numerics.md, section 4."""


@dataclass(frozen=True, eq=False)
class Tick:
    """What one tick of a phase did to a batch. number: 1 is the first. sweep: 1 is the first.

    visited: the neurons that the schedule updates in this tick. running: bool (batch,), samples
    that took it; ended: bool (batch,), those whose phase ended with it.
    sample, neuron: int32 (changes,), each change of a state, by sample and in the order in which
    they happened; neuron in `Layout` order. before, after: int16 (changes,).
    events: int64 (batch,), sent by relaxing neurons. synops: int64 (batch,), weights they walked.
    registers: of the machine after this tick, to be read before the next one.
    """

    phase: str
    number: int
    sweep: int
    colour: int
    visited: Colour
    running: npt.NDArray[np.bool_]
    ended: npt.NDArray[np.bool_]
    sample: npt.NDArray[np.int32]
    neuron: npt.NDArray[np.int32]
    before: npt.NDArray[np.int16]
    after: npt.NDArray[np.int16]
    events: npt.NDArray[np.int64]
    synops: npt.NDArray[np.int64]
    registers: Registers

    @property
    def populations(self) -> tuple[str, ...]:
        """Names of the populations visited."""
        return tuple(dict.fromkeys(part.population for part in self.visited))


class Observer(Protocol):
    """Somebody who watches phases."""

    def begin(self, start: PhaseStart) -> None:
        """A phase starts."""

    def tick(self, tick: Tick) -> None:
        """A tick has ended."""

    def end(self, result: PhaseResult) -> None:
        """The phase has ended in all samples."""


class Ticks:
    """An observer that keeps every tick, phase by phase."""

    def __init__(self) -> None:
        self.phases: list[tuple[PhaseStart, list[Tick]]] = []

    def begin(self, start: PhaseStart) -> None:
        """Opens the list of a phase."""
        self.phases.append((start, []))

    def tick(self, tick: Tick) -> None:
        """Keeps a tick."""
        self.phases[-1][1].append(tick)

    def end(self, result: PhaseResult) -> None:
        """Nothing is left to keep."""
