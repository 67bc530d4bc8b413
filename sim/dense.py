"""The dense engine: a whole batch at once, every accumulator recomputed from matrix products.

What a conventional machine would do, made as fast as NumPy and BLAS allow, and fair: the
input drive is computed once, and samples that settled leave the batch.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import to_state
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.network import Block, Network, Projection, Role
from toreq_hw.sim.exact_product import ExactProduct
from toreq_hw.sim.recorder import Recorder
from toreq_hw.sim.start import Start

BATCH = 512
"""Samples relaxed together: enough for BLAS, few enough to stay in the cache."""


@named_type_errors
class DenseEngine:
    """Relaxes batches with exact float32 BLAS."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layout = Layout(network)
        self._input_products: dict[str, tuple[ExactProduct, int]] = {}
        self._products: dict[str, list[tuple[slice, ExactProduct, int]]] = {}
        for population in network.relaxing:
            self._products[population.name] = []
            for projection in network.into(population.name):
                self._add_product(projection)

    def _add_product(self, projection: Projection) -> None:
        source, name = projection.source, projection.target.name
        product = ExactProduct(projection.matrix, max(source.state_max, -source.state_min))
        if projection.from_input:
            self._input_products[name] = (product, projection.shift)
        else:
            self._products[name].append((self._layout.of(source), product, projection.shift))

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`."""
        recorder = Recorder(self._layout, start)
        for first in range(0, len(start.inputs), BATCH):
            self._relax_batch(
                np.arange(first, min(first + BATCH, len(start.inputs))), start, recorder
            )
        return recorder.finish()

    def _relax_batch(self, active: npt.NDArray[np.intp], start: Start, recorder: Recorder) -> None:
        """Sweeps the samples `active` until each has ended."""
        state = start.states[active]
        sent = state.copy()
        base = self._base(start, active)
        two_sweeps_ago: npt.NDArray[np.int16] | None = None
        for sweep in range(1, start.max_sweeps + 1):
            before_sweep = state.copy()
            self._sweep(
                sweep=sweep,
                active=active,
                state=state,
                sent=sent,
                base=base,
                threshold=start.threshold,
                recorder=recorder,
            )
            settled = (state == before_sweep).all(axis=1)
            recorder.end(active[settled], state[settled], sweep, Status.SETTLED)
            ended = settled
            if start.detects_cycles and two_sweeps_ago is not None:
                cycled = (state == two_sweeps_ago).all(axis=1) & ~settled
                recorder.end(active[cycled], state[cycled], sweep, Status.CYCLE)
                ended = settled | cycled
            if ended.any():
                going = ~ended
                active, state, sent = active[going], state[going], sent[going]
                base = {name: part[going] for name, part in base.items()}
                before_sweep = before_sweep[going]
            if not len(active):
                break
            two_sweeps_ago = before_sweep
        recorder.end(active, state, start.max_sweeps, Status.SWEEP_LIMIT)

    def _base(self, start: Start, active: npt.NDArray[np.intp]) -> dict[str, npt.NDArray[np.int32]]:
        """What stays constant during a phase: bias, input drive and nudge, int32 (batch, size)."""
        base = {}
        for population in self._network.relaxing:
            bias = self._network.biases[population.name]
            total = np.repeat(bias[None], len(active), axis=0)
            if population.name in self._input_products:
                product, shift = self._input_products[population.name]
                total += product(start.inputs[active]) << shift
            if population.role is Role.OUTPUT:
                total += start.drive[active]
            base[population.name] = total
        return base

    def _sweep(
        self,
        sweep: int,
        active: npt.NDArray[np.intp],
        state: npt.NDArray[np.int16],
        sent: npt.NDArray[np.int16],
        base: dict[str, npt.NDArray[np.int32]],
        threshold: int,
        recorder: Recorder,
    ) -> None:
        """One tick of each colour, in place on `state` and `sent`, int16 (batch, neurons)."""
        colours = self._network.sweep.blocks
        for index, colour in enumerate(colours):
            recorder.begin_tick((sweep - 1) * len(colours) + index + 1)
            updates = [(block, self._updated(block, sent, base)) for block in colour]
            for block, new in updates:
                span = self._layout.span(block)
                if threshold:
                    sends = np.abs(new - sent[:, span]) > threshold
                    recorder.update(active, block, state[:, span], new, sends)
                    sent[:, span] = np.where(sends, new, sent[:, span])
                else:
                    sends = new != sent[:, span]
                    recorder.update(active, block, state[:, span], new, sends)
                    sent[:, span] = new
                state[:, span] = new

    def _updated(
        self, block: Block, sent: npt.NDArray[np.int16], base: dict[str, npt.NDArray[np.int32]]
    ) -> npt.NDArray[np.int16]:
        """New states of a block, int16 (batch, neurons of the block)."""
        population = self._network.population(block.population)
        total = base[block.population][:, block.start : block.stop].copy()
        whole = block.stop - block.start == population.size
        for span, product, shift in self._products[block.population]:
            if whole:
                total += product(sent[:, span]) << shift
            else:
                for neuron in range(block.start, block.stop):
                    part = product.column(sent[:, span], neuron)
                    total[:, neuron - block.start] += part << shift
        fraction_bits = self._network.accumulator_fraction_bits(block.population)
        return to_state(total, fraction_bits, population.state_min, population.state_max)
