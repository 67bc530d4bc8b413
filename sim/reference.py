"""The reference engine: docs/numerics.md line by line, in plain NumPy, one sample at a time.

Nothing is incremental and nothing is clever here: every tick recomputes every accumulator of
its colour from all sent states in 64-bit integers. The fast engines must agree with it, bit
for bit. Read it beside docs/numerics.md, sections 3 to 5.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import to_state
from toreq_hw.contract.budget import budget_row
from toreq_hw.contract.cycles import keep
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.network import Block, Network, Population, TermShare
from toreq_hw.sim.recorder import Recorder
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import in_step, run_to_end

States = dict[str, npt.NDArray[np.int64]]
"""int64 (size,) per population, the input included."""


def accumulators(
    network: Network, name: str, states: States, drive: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """a_i = b_i + sum_c 2^(F - f_c) sum_j W_c[j, i] s_j, plus terms, plus the drive on the output.

    states: int64 (size,) per population, the input included. drive: int64 (n_output,).
    Returns int64 (size,), LSB 2^-F.
    """
    total = network.biases[name].astype(np.int64)
    for projection in network.into(name):
        total += projection.apply(states[projection.source.name])
    for share in network.shares_into(name):
        total += of_term(share, states)
    if name == network.output.name:
        total += drive
    return total


def tick(
    network: Network, colour: int, sent: States, drive: npt.NDArray[np.int64]
) -> list[tuple[Block, npt.NDArray[np.int16]]]:
    """New states of every block of one colour, all computed from the same sent states.

    sent: int64 (size,) per population. drive: int64 (n_output,). Returns int16 (neurons,) a block.
    """
    updated = []
    for block in network.sweep.blocks[colour]:
        population = network.population(block.population)
        total = accumulators(network, population.name, sent, drive)[block.start : block.stop]
        if population.rows is not None:
            updated.append((block, rows_of(network, population, block, total)))
            continue
        fraction_bits = network.accumulator_fraction_bits(population.name)
        new = to_state(total, fraction_bits, population.state_min, population.state_max)
        updated.append((block, new))
    return updated


def of_term(share: TermShare, states: States) -> npt.NDArray[np.int64]:
    """2^(F - f) times what a trilinear term adds to one of its populations, int64 (size,).

    Scores get sum_x left[i, h, x] right[j, h, x], without products where there is no cell. Left
    gets sum_j scores[h, i, j] right[j, h, x], right gets sum_i scores[h, i, j] left[i, h, x].
    """
    term, cells = share.term, share.cells.astype(np.int64)
    shaped = (states[n].reshape(s) for n, s in zip(term.ends, term.shapes, strict=True))
    scores, left, right = shaped
    name = share.target.name
    if name == term.scores:
        added = np.einsum("ihx,jhx,hij->hij", left, right, cells)
    elif name == term.left:
        added = np.einsum("hij,jhx->ihx", scores * cells, right)
    else:
        added = np.einsum("hij,ihx->jhx", scores * cells, left)
    shifted: npt.NDArray[np.int64] = added.ravel() << share.shift
    return shifted


def rows_of(
    network: Network, population: Population, block: Block, total: npt.NDArray[np.int64]
) -> npt.NDArray[np.int16]:
    """New states of a block of whole budget rows; a neuron that is no cell stays at 0.

    total: accumulators, int64 (neurons,). Returns int16 of the same shape.
    """
    rows = population.rows
    assert rows is not None
    new = np.zeros(len(total), dtype=np.int16)
    is_cell = rows.cells(population.size).ravel()[block.start : block.stop]
    for first in range(0, len(total), rows.length):
        cells = first + np.flatnonzero(is_cell[first : first + rows.length])
        sums, table = total[cells].tolist(), network.row_tables[population.name]
        new[cells] = budget_row(sums, table, rows.budget, at_most=rows.at_most)
    return new


@named_type_errors
class ReferenceEngine:
    """Relaxes samples one by one; slow, and meant to be read."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layout = Layout(network)

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`."""
        run = self.begin(start)
        run_to_end(run.ticks())
        return run.recorder.finish()

    def begin(self, start: Start, *, watched: bool = False) -> "ReferenceRun":
        """The same a tick at a time. watched: its changes are wanted although it has no trace."""
        return ReferenceRun(self._network, start, Recorder(self._layout, start, watched=watched))


class ReferenceRun:
    """One phase; see `PhaseRun`. sent: int64 (size,) per population and sample, the input's too."""

    def __init__(self, network: Network, start: Start, recorder: Recorder) -> None:
        self._network, self._start, self.recorder = network, start, recorder
        self._layout = Layout(network)
        self._state = start.states.copy()
        self._sent = [self._present(sample) for sample in range(len(start.inputs))]

    def ticks(self) -> Iterator[None]:
        """Every sample on its own, in step."""
        return in_step(self._relax_sample(k) for k in range(len(self._state)))

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons)."""
        return self._state

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons), of the sent states."""
        drive = self._start.drive.astype(np.int64)
        names = [p.name for p in self._network.relaxing]
        rows = [
            np.concatenate([accumulators(self._network, name, sent, one) for name in names])
            for sent, one in zip(self._sent, drive, strict=True)
        ]
        return np.array(rows, dtype=np.int64).reshape(self._state.shape)

    def _present(self, sample: int) -> States:
        split = self._layout.split(self._state[sample])
        sent = {name: states.astype(np.int64) for name, states in split.items()}
        sent[self._network.input.name] = self._start.inputs[sample].astype(np.int64)
        return sent

    def _relax_sample(self, sample: int) -> Iterator[None]:
        """Sweeps until a whole sweep changed nothing (or a cycle, or the limit)."""
        start, colours = self._start, len(self._network.colours)
        state, index = self._state[sample], np.array([sample])
        kept: npt.NDArray[np.int16] | None = None
        for sweep in range(1, start.max_sweeps + 1):
            before_sweep = state.copy()
            for colour in range(colours):
                self.recorder.begin_tick((sweep - 1) * colours + colour + 1)
                self._tick(sample, colour)
                if colour < colours - 1:
                    yield
            if np.array_equal(state, before_sweep):
                return self.recorder.end(index, state[None], sweep, Status.SETTLED)
            if kept is not None and np.array_equal(state, kept):
                return self.recorder.end(index, state[None], sweep, Status.CYCLE)
            kept = keep(start.cycles, sweep, kept, before_sweep, state)
            if sweep < start.max_sweeps:
                yield
        return self.recorder.end(index, state[None], start.max_sweeps, Status.SWEEP_LIMIT)

    def _tick(self, sample: int, colour: int) -> None:
        """Sets the new states of a colour, and sends them where they moved far enough."""
        start, sent, state = self._start, self._sent[sample], self._state[sample]
        for block, new in tick(self._network, colour, sent, start.drive[sample].astype(np.int64)):
            old = state[self._layout.span(block)]
            last_sent = sent[block.population][block.start : block.stop]
            sends = np.abs(new - last_sent) > start.threshold
            index = np.array([sample])
            self.recorder.update(index, block, old[None], new[None], sends[None])
            last_sent[sends] = new[sends]
            old[:] = new
