"""The event engine: compiled, incremental, samples in parallel; the fastest of the three."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult
from toreq_hw.machine import processors
from toreq_hw.network import Network
from toreq_hw.sim import event_kernel as kernel
from toreq_hw.sim.plan import compile_plan
from toreq_hw.sim.recorder import carried_out
from toreq_hw.sim.start import Start


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
        return carried_out(self._layout, start, partial(self._run, start))

    def _run(
        self, start: Start, changes: npt.NDArray[np.int64], first_change: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        batch = len(start.inputs)
        states = start.states.copy()
        counters = np.zeros((batch, 6), dtype=np.int64)
        rules = kernel.Rules(
            threshold=start.threshold,
            max_sweeps=start.max_sweeps,
            detects_cycles=start.detects_cycles,
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
                scratch=kernel.new_scratch(self.plan, start.inputs.shape[1]),
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
