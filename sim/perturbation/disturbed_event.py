"""A phase under a disturbance on the compiled engine, a tick at a time."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import Status
from toreq_hw.sim.perturbation.damage_arrays import damage_of, new_registers, start_arrays
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.disturbed_kernel import begin_disturbed, tick_disturbed
from toreq_hw.sim.plan import Plan
from toreq_hw.sim.recorder import Recorder
from toreq_hw.sim.scratch import new_scratch
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import in_step


class DisturbedEventRun:
    """One phase; see `PhaseRun`. Each sample has registers of its own, and weights where they flip
    while it runs.
    """

    def __init__(
        self,
        plan: Plan,
        layout: Layout,
        disturbance: Disturbance,
        start: Start,
        recorder: Recorder,
    ) -> None:
        self._layout, self._start, self.recorder = layout, start, recorder
        batch, inputs = start.inputs.shape
        self._damage = damage_of(layout.network, plan, disturbance, batch)
        self._plans = [plan] * batch
        if len(self._damage.flips):
            self._plans = [plan._replace(weights=plan.weights.copy()) for _ in range(batch)]
        self._state = start.states.copy()
        self._work = [(new_scratch(plan, inputs), new_registers(plan)) for _ in range(batch)]
        faults, flips = self._damage.first_fault, self._damage.first_flip
        self._places = list(zip(faults[:-1], flips[:-1], strict=True))
        self._lasts = list(zip(faults[1:], flips[1:], strict=True))
        for sample in range(batch):
            begin_disturbed(
                plan=self._plans[sample],
                damage=self._damage,
                start=start_arrays(start),
                output_start=layout.starts[layout.network.output.name],
                state=self._state[sample],
                work=self._work[sample],
                sample=sample,
            )

    def ticks(self) -> Iterator[None]:
        """Every sample on its own, in step."""
        return in_step(self._relax_sample(k) for k in range(len(self._state)))

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons)."""
        return self._state

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons), as they are kept."""
        return np.array([registers.accumulator for _, registers in self._work], dtype=np.int64)

    def _relax_sample(self, sample: int) -> Iterator[None]:
        """What `relax_one` does, a tick at a time."""
        colours, last = len(self._layout.network.colours), self._start.max_sweeps
        for sweep in range(1, last + 1):
            changed = 0
            for colour in range(colours):
                changed += self._tick(sample, colour, (sweep - 1) * colours + colour + 1)
                if colour < colours - 1:
                    yield
            if not changed and (sweep - 1) * colours >= self._damage.quiet_after:
                return self._end(sample, sweep, Status.SETTLED)
            if sweep < last:
                yield
        return self._end(sample, last, Status.SWEEP_LIMIT)

    def _end(self, sample: int, sweeps: int, status: Status) -> None:
        self.recorder.end(np.array([sample]), self._state[sample][None], sweeps, status)

    def _tick(self, sample: int, colour: int, tick: int) -> int:
        """One tick of one sample; returns how many changes of states it had."""
        faults = self._lasts[sample][0] - self._places[sample][0]
        room = np.zeros((self._layout.neurons + int(faults), 4), dtype=np.int64)
        self._places[sample], events, synops, changed = tick_disturbed(
            plan=self._plans[sample],
            damage=self._damage,
            state=self._state[sample],
            work=self._work[sample],
            sample=sample,
            colour=colour,
            tick=tick,
            place=self._places[sample],
            last=self._lasts[sample],
            room=room,
        )
        self.recorder.begin_tick(tick)
        self.recorder.count(np.array([sample]), np.array([events]), np.array([synops]))
        _, neuron, before, after = room[:changed].T
        self.recorder.change(np.full(changed, sample), neuron, before, after)
        return int(changed)
