"""The reference engine: docs/numerics.md line by line, in plain NumPy, one sample at a time.

Nothing is incremental and nothing is clever here: every tick recomputes every accumulator of
its colour from all sent states in 64-bit integers. The fast engines must agree with it, bit
for bit. Read it beside docs/numerics.md, sections 3 to 5.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import to_state
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.network import Block, Network
from toreq_hw.sim.recorder import Recorder
from toreq_hw.sim.start import Start

States = dict[str, npt.NDArray[np.int64]]
"""int64 (size,) per population, the input included."""


def accumulators(
    network: Network, name: str, states: States, drive: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """a_i = b_i + sum_c 2^(F - f_c) sum_j W_c[j, i] s_j, plus the drive on the output.

    states: int64 (size,) per population, the input included. drive: int64 (n_output,).
    Returns int64 (size,), LSB 2^-F.
    """
    total = network.biases[name].astype(np.int64)
    for projection in network.into(name):
        total += projection.apply(states[projection.source.name])
    if name == network.output.name:
        total += drive
    return total


def tick(
    network: Network, colour: int, sent: States, drive: npt.NDArray[np.int64]
) -> list[tuple[Block, npt.NDArray[np.int16]]]:
    """New states of every block of one colour, all computed from the same sent states."""
    updated = []
    for block in network.sweep.blocks[colour]:
        population = network.population(block.population)
        total = accumulators(network, population.name, sent, drive)[block.start : block.stop]
        fraction_bits = network.accumulator_fraction_bits(population.name)
        new = to_state(total, fraction_bits, population.state_min, population.state_max)
        updated.append((block, new))
    return updated


@named_type_errors
class ReferenceEngine:
    """Relaxes samples one by one; slow, and meant to be read."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layout = Layout(network)

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`."""
        recorder = Recorder(self._layout, start)
        for sample in range(len(start.inputs)):
            self._relax_sample(sample, start, recorder)
        return recorder.finish()

    def _relax_sample(self, sample: int, start: Start, recorder: Recorder) -> None:
        """Sweeps until a whole sweep changed nothing (or a two-cycle, or the limit)."""
        network, index = self._network, np.array([sample])
        state = start.states[sample].copy()
        sent = {name: s.astype(np.int64) for name, s in self._layout.split(state).items()}
        sent[network.input.name] = start.inputs[sample].astype(np.int64)
        drive = start.drive[sample].astype(np.int64)
        two_sweeps_ago: npt.NDArray[np.int16] | None = None
        for sweep in range(1, start.max_sweeps + 1):
            before_sweep = state.copy()
            for colour in range(len(network.colours)):
                recorder.begin_tick((sweep - 1) * len(network.colours) + colour + 1)
                for block, new in tick(network, colour, sent, drive):
                    old = state[self._layout.span(block)]
                    last_sent = sent[block.population][block.start : block.stop]
                    sends = np.abs(new - last_sent) > start.threshold
                    recorder.update(index, block, old[None], new[None], sends[None])
                    last_sent[sends] = new[sends]
                    old[:] = new
            if np.array_equal(state, before_sweep):
                return recorder.end(index, state[None], sweep, Status.SETTLED)
            if two_sweeps_ago is not None and np.array_equal(state, two_sweeps_ago):
                return recorder.end(index, state[None], sweep, Status.CYCLE)
            two_sweeps_ago = before_sweep if start.detects_cycles else None
        return recorder.end(index, state[None], start.max_sweeps, Status.SWEEP_LIMIT)
