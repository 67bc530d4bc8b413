"""One phase of one sample, tick by tick, with a way back to each of them.

Changes are kept, not states: a view of some tick walks from the tick that was viewed last. Of a
long phase the oldest ticks are dropped, so that no phase takes more than a fixed share of memory.
"""

from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

MOST_CHANGES = 2_000_000
"""Changes of a phase that are kept: 8 bytes each."""

MOST_TICKS = 100_000
"""Ticks of a phase that are kept."""

_SERIALS = count(1)

States = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Step:
    """A tick of one sample.

    neuron: int32 (changes,), in `Layout` order; before, after: int16 (changes,), in the order in
    which they happened. energy: twice the energy after it, None where the network has none.
    events, synops: of this phase, so far. scores: int64 (output.size,), what ranks the classes.
    """

    neuron: npt.NDArray[np.int32]
    before: States
    after: States
    energy: int | None
    events: int
    synops: int
    scores: npt.NDArray[np.int64]


class History:
    """The ticks of a phase. Tick 0 is its start.

    phase: its name. inputs: int16 (input.size,). initial: int16 (neurons,), states at the first
    tick that is kept. colours: ticks of a sweep. dense: weights that a dense machine reads for the
    input, and in a sweep. start: a step without changes, the values at the first tick.
    first, last: the first and last tick that are kept. status: how the phase ended, None before.
    serial: no other history of this process has it.
    """

    def __init__(
        self,
        phase: str,
        inputs: States,
        initial: States,
        colours: int,
        dense: tuple[int, int],
        start: Step,
        first: int = 0,
    ) -> None:
        self.phase, self.inputs, self.initial = phase, inputs, initial.copy()
        self.colours, self.dense = colours, dense
        self.first = first
        self.status: int | None = None
        self.sweeps = 0
        self.period = 0
        self.serial = next(_SERIALS)
        self._steps = [start]
        self._changes = 0
        self._viewed, self._states = first, initial.copy()

    @property
    def last(self) -> int:
        """Number of the last tick."""
        return self.first + len(self._steps) - 1

    def append(self, step: Step) -> None:
        """One more tick; drops the oldest where they are too many."""
        self._steps.append(step)
        self._changes += len(step.neuron)
        if self._changes > MOST_CHANGES or len(self._steps) > MOST_TICKS:
            self._drop()

    def _drop(self) -> None:
        """Forgets the oldest eighth of the ticks: the phase is shown from the next one on."""
        oldest = max(1, len(self._steps) // 8)
        for step in self._steps[1 : oldest + 1]:
            self.initial[step.neuron] = step.after
            self._changes -= len(step.neuron)
        del self._steps[:oldest]
        self.first += oldest
        if self._viewed < self.first:
            self._viewed, self._states = self.first, self.initial.copy()

    def step(self, tick: int) -> Step:
        """A tick that is kept. Raises IndexError for another."""
        if not self.first <= tick <= self.last:
            raise IndexError(tick)
        return self._steps[tick - self.first]

    def states(self, tick: int, event: int | None = None) -> States:
        """States after a tick, int16 (neurons,); with event, before it and after so many changes.

        Raises IndexError for a tick that is not kept.
        """
        target = tick if event is None else tick - 1
        self.step(tick), self.step(target)
        while self._viewed < target:
            self._viewed += 1
            step = self.step(self._viewed)
            self._states[step.neuron] = step.after
        while self._viewed > target:
            step = self.step(self._viewed)
            self._states[step.neuron[::-1]] = step.before[::-1]
            self._viewed -= 1
        found = self._states.copy()
        if event is not None:
            step = self.step(tick)
            found[step.neuron[:event]] = step.after[:event]
        return found

    def moved(self, tick: int, event: int | None = None) -> States:
        """How far each state has moved within the sweep that ends with a tick, int16 (neurons,)."""
        now = self.states(tick, event)
        then = now.copy()
        for number in range(tick, max(tick - self.colours, self.first), -1):
            step = self.step(number)
            shown = slice(None) if event is None or number < tick else slice(0, event)
            then[step.neuron[shown][::-1]] = step.before[shown][::-1]
        return now - then

    def falls(self, tick: int) -> bool:
        """Whether the energy fell in a tick that changed something; true where there is none."""
        step = self.step(tick)
        if tick == self.first or not len(step.neuron) or step.energy is None:
            return True
        earlier = self.step(tick - 1).energy
        return earlier is None or step.energy < earlier

    def steps(self) -> list[Step]:
        """All that are kept, tick `first` at the beginning."""
        return list(self._steps)

    def dense_at(self, tick: int) -> float:
        """Weights that a dense machine has read after a tick: a sweep's, shared by its ticks."""
        return self.dense[0] + self.dense[1] * tick / self.colours
