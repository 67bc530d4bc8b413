"""The dense engine: a whole batch at once, every accumulator recomputed from matrix products.

What a conventional machine would do, made as fast as NumPy and BLAS allow, and fair: the
input drive is computed once, and samples that settled leave the batch.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import to_state
from toreq_hw.contract.budget import row_states
from toreq_hw.contract.cycles import keep
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.network import Block, BudgetRows, Network, Population, Projection, Role, TermShare
from toreq_hw.sim.exact_product import ExactProduct
from toreq_hw.sim.recorder import Recorder
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import run_to_end

BATCH = 512
"""Samples relaxed together: enough for BLAS, few enough to stay in the cache."""


Parts = dict[str, npt.NDArray[np.int32]]


class _Rows(NamedTuple):
    """Budget rows of a population. table: int64 (budget,). cells: bool (size,)."""

    rows: BudgetRows
    table: npt.NDArray[np.int64]
    cells: npt.NDArray[np.bool_]


class _Target(NamedTuple):
    """How one population is computed. products: of the span of each source, and their shifts."""

    size: int
    fraction_bits: int
    state_min: int
    state_max: int
    products: list[tuple[slice, ExactProduct, int]]
    shares: tuple[TermShare, ...]
    rows: _Rows | None


@named_type_errors
class DenseEngine:
    """Relaxes batches with exact float32 BLAS."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.layout = Layout(network)
        self._input_products: dict[str, tuple[ExactProduct, int]] = {}
        self._targets: dict[str, _Target] = {}
        for population in network.relaxing:
            name = population.name
            fraction_bits = network.accumulator_fraction_bits(name)
            ends = population.state_min, population.state_max
            self._targets[name] = _Target(
                population.size,
                fraction_bits,
                *ends,
                products=[],
                shares=network.shares_into(name),
                rows=_rows_of(network, population),
            )
            for projection in network.into(name):
                self._add_product(projection)

    def _add_product(self, projection: Projection) -> None:
        source, name = projection.source, projection.target.name
        product = ExactProduct(projection.matrix, max(source.state_max, -source.state_min))
        if projection.from_input:
            self._input_products[name] = (product, projection.shift)
        else:
            self._targets[name].products.append((self.layout.of(source), product, projection.shift))

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`."""
        run = self.begin(start)
        for first in range(0, len(start.inputs), BATCH):
            run_to_end(run.ticks_of(np.arange(first, min(first + BATCH, len(start.inputs)))))
        return run.recorder.finish()

    def begin(self, start: Start, *, watched: bool = False) -> "DenseRun":
        """The same a tick at a time. watched: its changes are wanted although it has no trace."""
        return DenseRun(self, start, Recorder(self.layout, start, watched=watched))

    def base(self, start: Start, active: npt.NDArray[np.intp]) -> Parts:
        """What stays constant during a phase: bias, input drive and nudge, int32 (batch, size)."""
        base = {}
        for population in self.network.relaxing:
            bias = self.network.biases[population.name]
            total = np.repeat(bias[None], len(active), axis=0)
            if population.name in self._input_products:
                product, shift = self._input_products[population.name]
                total += product(start.inputs[active]) << shift
            if population.role is Role.OUTPUT:
                total += start.drive[active]
            base[population.name] = total
        return base

    def update_block(
        self, block: Block, sent: npt.NDArray[np.int16], base: Parts
    ) -> npt.NDArray[np.int16]:
        """New states of a block, int16 (batch, neurons of the block)."""
        target = self._targets[block.population]
        total = self.accumulators(block, sent, base)
        if target.rows is not None:
            return _new_rows(target.rows, block, total)
        return to_state(total, target.fraction_bits, target.state_min, target.state_max)

    def accumulators(
        self, block: Block, sent: npt.NDArray[np.int16], base: Parts
    ) -> npt.NDArray[np.int32]:
        """Of the neurons of a block, int32 (batch, neurons of the block)."""
        target = self._targets[block.population]
        total = base[block.population][:, block.start : block.stop].copy()
        whole = block.stop - block.start == target.size
        for span, product, shift in target.products:
            if whole:
                total += product(sent[:, span]) << shift
            else:
                for neuron in range(block.start, block.stop):
                    part = product.column(sent[:, span], neuron)
                    total[:, neuron - block.start] += part << shift
        for share in target.shares:
            split = self.layout.split(sent)
            total += share.apply(split)[:, block.start : block.stop].astype(np.int32)
        return total


def _rows_of(network: Network, population: Population) -> _Rows | None:
    rows = population.rows
    if rows is None:
        return None
    table = np.array(network.row_tables[population.name], dtype=np.int64)
    return _Rows(rows, table, rows.cells(population.size).ravel())


def _new_rows(own: _Rows, block: Block, total: npt.NDArray[np.int32]) -> npt.NDArray[np.int16]:
    """New states of whole budget rows, int16 (batch, neurons of the block)."""
    length = own.rows.length
    cells = np.tile(own.cells[block.start : block.stop], (len(total), 1)).reshape(-1, length)
    new = row_states(own.rows, own.table, total.reshape(-1, length), cells)
    return new.reshape(total.shape)


class DenseRun:
    """One phase; see `PhaseRun`."""

    def __init__(self, engine: DenseEngine, start: Start, recorder: Recorder) -> None:
        self._engine, self._start, self.recorder = engine, start, recorder
        self._layout = engine.layout
        self._active = np.arange(0)
        self._state = self._sent = start.states[:0]
        self._ended_sent = start.states.copy()

    def ticks(self) -> Iterator[None]:
        """The whole batch at once."""
        return self.ticks_of(np.arange(len(self._start.inputs)))

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons)."""
        states = self.recorder.states.copy()
        states[self._active] = self._state
        return states

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons), of the sent states."""
        base = self._engine.base(self._start, np.arange(len(self._start.inputs)))
        sent = self._ended_sent.copy()
        sent[self._active] = self._sent
        blocks = [Block(p.name, 0, p.size) for p in self._engine.network.relaxing]
        parts = [self._engine.accumulators(block, sent, base) for block in blocks]
        return np.concatenate(parts, axis=1).astype(np.int64)

    def ticks_of(self, active: npt.NDArray[np.intp]) -> Iterator[None]:
        """Sweeps the samples `active`, intp (n,), until each has ended."""
        start, colours = self._start, len(self._engine.network.colours)
        self._active, self._state = active, start.states[active]
        self._sent = self._state.copy()
        base = self._engine.base(start, active)
        kept: npt.NDArray[np.int16] | None = None
        for sweep in range(1, start.max_sweeps + 1):
            before_sweep = self._state.copy()
            for colour in range(colours):
                self.recorder.begin_tick((sweep - 1) * colours + colour + 1)
                self._tick(colour, base)
                if colour < colours - 1:
                    yield
            settled = (self._state == before_sweep).all(axis=1)
            ended = settled
            self._end(settled, sweep, Status.SETTLED)
            if kept is not None:
                cycled = (self._state == kept).all(axis=1) & ~settled
                self._end(cycled, sweep, Status.CYCLE)
                ended = settled | cycled
            if ended.any():
                going = ~ended
                self._ended_sent[self._active[ended]] = self._sent[ended]
                self._active, self._state = self._active[going], self._state[going]
                self._sent = self._sent[going]
                base = {name: part[going] for name, part in base.items()}
                before_sweep = before_sweep[going]
                kept = None if kept is None else kept[going]
            if not len(self._active):
                return
            kept = keep(start.cycles, sweep, kept, before_sweep, self._state)
            if sweep < start.max_sweeps:
                yield
        self._end(np.ones(len(self._active), dtype=np.bool_), sweep, Status.SWEEP_LIMIT)

    def _end(self, which: npt.NDArray[np.bool_], sweep: int, status: Status) -> None:
        """Closes those of the active samples."""
        self.recorder.end(self._active[which], self._state[which], sweep, status)

    def _tick(self, colour: int, base: Parts) -> None:
        """One tick of a colour, in place on the states and on what was sent."""
        state, sent, threshold = self._state, self._sent, self._start.threshold
        blocks = self._engine.network.sweep.blocks[colour]
        updates = [(block, self._engine.update_block(block, sent, base)) for block in blocks]
        for block, new in updates:
            span = self._layout.span(block)
            if threshold:
                sends = np.abs(new - sent[:, span]) > threshold
                self.recorder.update(self._active, block, state[:, span], new, sends)
                sent[:, span] = np.where(sends, new, sent[:, span])
            else:
                sends = new != sent[:, span]
                self.recorder.update(self._active, block, state[:, span], new, sends)
                sent[:, span] = new
            state[:, span] = new
