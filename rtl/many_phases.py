"""Cycles of the phases of many samples at once: rtl/timing.py's formulas over whole arrays.

For lossless cores without a self-coupled block, where a phase's cycles follow from how many events
each block had in each sweep. `TimingModel` follows one core event by event, and is what this is
tested against.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.rtl.learning.timing import most_learn_cycles
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import ENDING, Pending, Phase, Step
from toreq_hw.rtl.storage import INPUT
from toreq_hw.rtl.timing import block_cycles, step_cycles

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PhaseCounts:
    """One phase of every sample. sweeps, input_events: int64 (samples,). events: int64 (samples,
    most sweeps, relaxing populations), by sweep from the first on.
    """

    sweeps: Ints
    input_events: Ints
    events: Ints


class ManyPhases:
    """Follows a core through the phases of many samples, one phase of all of them after another.

    parameters: lossless, and no block is coupled to itself; else InputError. Reports of states are
    not counted.
    """

    def __init__(self, parameters: CoreParameters, samples: int) -> None:
        if parameters.lossy or any(p.self_coupled for p in parameters.relaxing):
            raise InputError("cycles of many phases must be of a lossless core without a loop")
        self._parameters = parameters
        populations = len(parameters.relaxing)
        self._due = np.zeros((samples, populations), dtype=np.bool_)
        self._saved = self._due.copy()
        self._reached = np.zeros((populations, populations), dtype=np.bool_)
        for source in range(populations):
            for walk in parameters.walks_of(source):
                self._reached[source, walk.target] = True

    def cycles(self, phase: Phase, counts: PhaseCounts) -> Ints:
        """Cycles of the next phase of every sample, int64 (samples,)."""
        parameters = self._parameters
        steps = [*phase.steps, *(step for step in ENDING if step is not Step.REPORT)]
        cycles = np.full(len(self._due), sum(step_cycles(parameters, step) for step in steps))
        if phase.pending is Pending.ALL:
            self._due[:] = True
        elif phase.pending is Pending.SAVED:
            self._due[:] = self._saved
            self._due[:, parameters.output] = True
        if Step.SAVE in phase.steps:
            self._saved[:] = self._due
            self._due[:, parameters.output] = True
        if Step.PRESENT in phase.steps:
            cycles += counts.input_events * parameters.beats_of(INPUT)
        return cycles + self._relaxation(counts)

    def _relaxation(self, counts: PhaseCounts) -> Ints:
        parameters = self._parameters
        cycles = counts.sweeps.copy()
        for sweep in range(int(counts.sweeps.max(initial=0))):
            runs = counts.sweeps > sweep
            for population in parameters.order:
                turn = runs & self._due[:, population]
                self._due[turn, population] = False
                cycles[turn] += block_cycles(parameters, population)
                events = counts.events[:, sweep, population]
                self._due[(events > 0)] |= self._reached[population]
                cycles += events * parameters.beats_of(population)
        return cycles


def dense_cycles(parameters: CoreParameters, phases: Sequence[Phase], sweeps: float) -> float:
    """Cycles of these phases of a sample where nothing is skipped: every input is an event, and
    every neuron sends in every sweep. sweeps: mean of a phase, which ends as early.
    """
    blocks = sum(
        block_cycles(parameters, number) + placement.size * parameters.beats_of(number)
        for number, placement in enumerate(parameters.relaxing)
    )
    steps = [step for phase in phases for step in (*phase.steps, Step.CLASSIFY)]
    begun = sum(step_cycles(parameters, step) for step in steps)
    presented = parameters.input.size * parameters.beats_of(INPUT)
    return begun + presented + len(phases) * sweeps * (1 + blocks)


def dense_sample_cycles(parameters: CoreParameters, sweeps: float) -> float:
    """Cycles of a training sample that skips nothing; every latent is walked, too."""
    phases = [phase for phase in parameters.phases if Step.LEARN not in phase.steps]
    return dense_cycles(parameters, phases, sweeps) + most_learn_cycles(parameters)
