"""The event engine: compiled, incremental, samples in parallel; the fastest of the three."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.cycles import keep
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.machine import processors
from toreq_hw.network import Network
from toreq_hw.sim import event_kernel as kernel
from toreq_hw.sim.plan import Plan, compile_plan
from toreq_hw.sim.recorder import Recorder, run_twice
from toreq_hw.sim.scratch import new_scratch
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import in_step


@named_type_errors
class EventEngine:
    """Relaxes samples by events, in `threads` threads (all cores by default).

    plan: its weights may be changed in place between calls, both ways of a coupling alike.
    """

    def __init__(self, network: Network, threads: int | None = None) -> None:
        self._layout = Layout(network)
        self.plan = compile_plan(network)
        self._threads = threads or processors()

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`."""
        return run_twice(self._layout, start, partial(self._run, start))

    def begin(self, start: Start, *, watched: bool = False) -> "EventRun":
        """The same a tick at a time. watched: its changes are wanted although it has no trace."""
        recorder = Recorder(self._layout, start, watched=watched)
        return EventRun(self.plan, self._layout, start, recorder)

    def _run(
        self, start: Start, changes: npt.NDArray[np.int64], first_change: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        batch = len(start.inputs)
        states = start.states.copy()
        counters = np.zeros((batch, 6), dtype=np.int64)
        rules = kernel.Rules(
            threshold=start.threshold,
            max_sweeps=start.max_sweeps,
            cycles=int(start.cycles),
        )
        output_start = self._layout.starts[self._layout.network.output.name]

        def run(part: slice) -> None:
            kernel.relax_samples(
                plan=self.plan,
                inputs=start.inputs[part],
                drive=start.drive[part],
                output_start=output_start,
                rules=rules,
                states=states[part],
                scratch=new_scratch(self.plan, start.inputs.shape[1]),
                counters=counters[part],
                changes=changes,
                first_change=first_change[part],
            )

        size = max(1, -(-batch // (4 * self._threads)))
        parts = [slice(k, k + size) for k in range(0, batch, size)]
        if self._threads == 1 or len(parts) <= 1:
            for part in parts:
                run(part)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, parts))
        return states, counters


class EventRun:
    """One phase; see `PhaseRun`. Each sample has working memory of its own."""

    def __init__(self, plan: Plan, layout: Layout, start: Start, recorder: Recorder) -> None:
        self._plan, self._layout, self._start, self.recorder = plan, layout, start, recorder
        batch, inputs = start.inputs.shape
        self._state = start.states.copy()
        self._accumulator = np.zeros(self._state.shape, dtype=np.int32)
        self._scratch = [new_scratch(plan, inputs) for _ in range(batch)]
        self._changes = np.zeros((layout.neurons, 4), dtype=np.int64)
        for sample in range(batch):
            kernel.begin_sample(
                plan=plan,
                inputs=start.inputs[sample],
                states=self._state[sample],
                drive=start.drive[sample],
                output_start=layout.starts[layout.network.output.name],
                accumulator=self._accumulator[sample],
                scratch=self._scratch[sample],
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
        return self._accumulator.astype(np.int64)

    def _relax_sample(self, sample: int) -> Iterator[None]:
        """What `kernel.relax` does, a tick at a time."""
        start, colours = self._start, len(self._layout.network.colours)
        state, index = self._state[sample], np.array([sample])
        kept: npt.NDArray[np.int16] | None = None
        for sweep in range(1, start.max_sweeps + 1):
            before_sweep, changed = state.copy(), 0
            for colour in range(colours):
                changed += self._tick(sample, colour, (sweep - 1) * colours + colour + 1)
                if colour < colours - 1:
                    yield
            if not changed:
                return self.recorder.end(index, state[None], sweep, Status.SETTLED)
            if kept is not None and np.array_equal(state, kept):
                return self.recorder.end(index, state[None], sweep, Status.CYCLE)
            kept = keep(start.cycles, sweep, kept, before_sweep, state)
            if sweep < start.max_sweeps:
                yield
        return self.recorder.end(index, state[None], start.max_sweeps, Status.SWEEP_LIMIT)

    def _tick(self, sample: int, colour: int, tick: int) -> int:
        """One tick of one sample; returns how many neurons changed."""
        changed, events, synops = kernel.tick_sample(
            plan=self._plan,
            colour=colour,
            states=self._state[sample],
            accumulator=self._accumulator[sample],
            threshold=self._start.threshold,
            scratch=self._scratch[sample],
            tick=tick,
            changes=self._changes,
        )
        self.recorder.begin_tick(tick)
        self.recorder.count(np.array([sample]), np.array([events]), np.array([synops]))
        _, neuron, before, after = self._changes[:changed].T
        self.recorder.change(np.full(changed, sample), neuron, before, after)
        return int(changed)
