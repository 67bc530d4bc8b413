"""One phase that an engine runs a tick at a time."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.energy import doubled_energy
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult
from toreq_hw.contract.ticks import PhaseStart, Tick
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.phases import Engine
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import PhaseRun

_ENDED = object()


class LivePhase:
    """A phase of a network; the engine begins with it at the first look or the first tick.

    number: ticks run. finished: whether all samples have ended.
    """

    def __init__(self, network: Network, engine: Engine, start: Start) -> None:
        self.network, self.start = network, start
        self._engine = engine
        self.number = 0
        self.finished = False

    @cached_property
    def _run(self) -> PhaseRun:
        return self._engine.begin(self.start, watched=True)

    @cached_property
    def _ticks(self) -> Iterator[None]:
        return self._run.ticks()

    def step(self) -> Tick:
        """Runs one tick of every sample that has not ended. Raises InputError if all have."""
        if self.finished:
            raise InputError(f"a tick must be of a phase that runs, it ended in {self.number}")
        recorder, colours = self._run.recorder, self.network.colours
        running = recorder.running.copy()
        events, synops = recorder.events.copy(), recorder.synops.copy()
        before = recorder.batches
        self.number += 1
        next(self._ticks, _ENDED)
        self.finished = not recorder.running.any()
        changes = recorder.changes(before)
        sweep, colour = divmod(self.number - 1, len(colours))
        return Tick(
            phase=self.start.phase,
            number=self.number,
            sweep=sweep + 1,
            colour=colour,
            visited=colours[colour],
            running=running,
            ended=running & ~recorder.running,
            sample=changes[:, 0].astype(np.int32),
            neuron=changes[:, 2].astype(np.int32),
            before=changes[:, 3].astype(np.int16),
            after=changes[:, 4].astype(np.int16),
            events=recorder.events - events,
            synops=recorder.synops - synops,
            registers=LiveRegisters(self),
        )

    def finish(self) -> PhaseResult:
        """Runs what is left, at the engine's full speed if that is the whole phase."""
        if not self.number:
            self.finished = True
            return self._engine.relax(self.start)
        while not self.finished:
            self.step()
        return self._run.recorder.finish()

    def standing(self) -> PhaseStart:
        """The phase as it stands now, for somebody who begins to watch."""
        return PhaseStart(
            network=self.network,
            phase=self.start.phase,
            states=self.states.copy(),
            inputs=self.start.inputs,
            drive=self.start.drive,
        )

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons), in `Layout` order."""
        return self._run.states

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons), without the rounding half."""
        return self._run.accumulators

    @property
    def energy(self) -> npt.NDArray[np.int64]:
        """Twice the energy of the states, int64 (batch,)."""
        states = Layout(self.network).split(self.states)
        return doubled_energy(self.network, self.start.inputs, states, self.start.drive)


class LiveRegisters:
    """The registers after one tick of a phase, until its next one; see `Registers`.

    Raises InputError where the phase has gone on.
    """

    def __init__(self, phase: LivePhase) -> None:
        self._phase, self._number = phase, phase.number

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons), a copy."""
        return self._now().states.copy()

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons)."""
        return self._now().accumulators

    @property
    def energy(self) -> npt.NDArray[np.int64]:
        """int64 (batch,)."""
        return self._now().energy

    def _now(self) -> LivePhase:
        if self._phase.number != self._number:
            raise InputError(
                f"registers of tick {self._number} must be read before the next tick, the phase "
                f"is at tick {self._phase.number}"
            )
        return self._phase
