"""The disturbed dense engine: a whole batch, every accumulator recomputed in every tick.

A dense machine keeps no running sums, so it has nowhere to keep an error. What an incremental
machine got wrong is carried beside the states instead. `delivered_state` is the sum of the changes
that have arrived from each neuron. `offset` is what flips and noisy reads
left in each accumulator. The sum a = b + x W + delivered_state W + offset, mod 2^32, is then what
an incremental machine holds. Where a weight flips in a tick, its change acts on what has been
delivered since; `delivered_before` is what had been delivered till then.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import (
    WORD_SIGN,
    flip_bits,
    flip_state,
    round_to_multiple,
    rounding_half,
    wrap32,
)
from toreq_hw.contract.faults import FREE, Fault
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.operations import message_bits, weights_walked
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.network import Block, Network
from toreq_hw.sim.perturbation.digital_check import check_disturbance
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.random_values import noise_block, read_errors
from toreq_hw.sim.perturbation.reference import prepare
from toreq_hw.sim.perturbation.state_damage import flip_states
from toreq_hw.sim.perturbation.weight_flips import lines_by_direction
from toreq_hw.sim.recorder import Recorder
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import run_to_end

Wide = npt.NDArray[np.int64]


class DisturbedDense:
    """Relaxes a batch under a disturbance with matrix products, exact in float64."""

    def __init__(self, network: Network, disturbance: Disturbance) -> None:
        check_disturbance(network, disturbance)
        self._network = network
        self._disturbance = disturbance

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`. Lossless events only."""
        run = self.begin(start)
        run_to_end(run.ticks())
        return run.recorder.finish()

    def begin(self, start: Start, *, watched: bool = False) -> "DisturbedDenseRun":
        """The same a tick at a time. watched: its changes are wanted although it has no trace."""
        start = prepare(start, self._disturbance)
        recorder = Recorder(Layout(self._network), start, watched=watched)
        return DisturbedDenseRun(self._network, self._disturbance, start, recorder)


class DisturbedDenseRun:
    """One phase; see `PhaseRun`. Registers of all samples: int64 (batch, neurons).

    going: samples that have not ended. last_change: the sweep in which each last changed.
    """

    def __init__(
        self, network: Network, disturbance: Disturbance, start: Start, recorder: Recorder
    ) -> None:
        self.network, self.disturbance, self.start = network, disturbance, start
        self.recorder = recorder
        self.layout = layout = Layout(network)
        self.state = start.states.astype(np.int64)
        self.delivered_state = self.state.copy()
        self.offset = np.zeros_like(self.state)
        self.weights = {p.name: _incoming(network, layout, p.name) for p in network.relaxing}
        self.walked = weights_walked(network)
        self.base = self._base()
        batch = len(self.state)
        self.going = np.ones(batch, dtype=bool)
        self.last_change = np.zeros(batch, dtype=np.int32)
        self.delta_square_sum = np.zeros((batch, len(network.relaxing) + 1), dtype=np.int64)
        by_tick = np.argsort(disturbance.faults[:, 1], kind="stable")
        self.faults = disturbance.faults[by_tick]
        self.flips = lines_by_direction(network, disturbance.weight_flips)
        self.delivered_before = np.zeros(len(self.flips), dtype=np.int64)
        self.flipped = 0
        if not start.continued:
            self.delta_square_sum[:, -1] = (start.inputs.astype(np.int64) ** 2).sum(axis=1)
            self._apply_read_noise(0)

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons)."""
        return self.state.astype(np.int16)

    @property
    def accumulators(self) -> Wide:
        """int64 (batch, neurons), what an incremental machine holds."""
        blocks = [Block(p.name, 0, p.size) for p in self.network.relaxing]
        parts = [self._accumulators(block) for block in blocks]
        words: Wide = wrap32(np.concatenate(parts, axis=1))
        return words

    def ticks(self) -> Iterator[None]:
        """Sweeps until each sample has had one that began after the last fault and was quiet."""
        colours, last = len(self.network.colours), self.start.max_sweeps
        for sweep in range(1, last + 1):
            for colour in range(colours):
                self._tick(sweep, (sweep - 1) * colours + colour + 1, colour)
                if colour < colours - 1:
                    yield
            if (sweep - 1) * colours >= self.disturbance.quiet_after:
                self._end(self.going & (self.last_change < sweep), sweep, Status.SETTLED)
            if not self.going.any():
                return
            if sweep < last:
                yield
        self._end(self.going, last, Status.SWEEP_LIMIT)

    def _end(self, which: npt.NDArray[np.bool_], sweeps: int, status: Status) -> None:
        """Closes some of the samples."""
        samples = np.flatnonzero(which)
        self.recorder.end(samples, self.state[samples].astype(np.int16), sweeps, status)
        self.going = self.going & ~which

    def _tick(self, sweep: int, tick: int, colour: int) -> None:
        self.recorder.begin_tick(tick)
        self._flip_weights(tick)
        times = np.ones_like(self.state)
        message_xor_mask = np.repeat(
            self.disturbance.message_xor_mask[None].astype(np.int64), len(times), axis=0
        )
        first, last = np.searchsorted(self.faults[:, 1], (tick, tick + 1))
        for row in self.faults[first:last].tolist():
            if self.going[row[0]]:
                self._apply_fault(sweep, row, times, message_xor_mask)
        if tick >= self.disturbance.frozen_from[colour]:
            return
        blocks = self.network.sweep.blocks[colour]
        updates = [(block, self._update(block, tick)) for block in blocks]
        for block, new in updates:
            self._set(sweep, block, new, times, message_xor_mask)
        self._apply_read_noise(tick)

    def _apply_fault(self, sweep: int, row: list[int], times: Wide, message_xor_mask: Wide) -> None:
        """One listed fault of one sample."""
        sample, _, neuron, fault, bit = row
        if fault == Fault.ACCUMULATOR_FLIP:
            word = wrap32(int(self._accumulators(self._block(neuron), sample)[0, 0]))
            self.offset[sample, neuron] += flip_bits(word, 1 << bit, WORD_SIGN) - word
        elif fault == Fault.EVENT_DROP:
            times[sample, neuron] = 0
        elif fault == Fault.EVENT_DUPLICATE:
            times[sample, neuron] = min(2 * times[sample, neuron], 2)
        elif fault == Fault.EVENT_FLIP:
            message_xor_mask[sample, neuron] ^= 1 << bit
        elif self.disturbance.stuck[neuron] == FREE:
            before = int(self.state[sample, neuron])
            population = self.network.population(self._block(neuron).population)
            after = flip_state(before, 1 << bit, population.state_min, population.state_max)
            self.state[sample, neuron] = after
            if fault == Fault.STATE_FLIP:
                self.delivered_state[sample, neuron] += after - before
            if after != before:
                self.last_change[sample] = sweep
                columns = (np.array([value]) for value in (sample, neuron, before, after))
                self.recorder.change(*columns)

    def _flip_weights(self, tick: int) -> None:
        """Those of this tick: notes what their sources have delivered so far."""
        now = slice(self.flipped, int(np.searchsorted(self.flips[:, 1], tick + 1)))
        self.delivered_before[now] = self.delivered_state[self.flips[now, 0], self.flips[now, 2]]
        self.flipped = now.stop

    def _set(
        self, sweep: int, block: Block, new: Wide, times: Wide, message_xor_mask: Wide
    ) -> None:
        """Sets a block's states and adds what arrives to `delivered_state`."""
        span = self.layout.span(block)
        before = self.state[:, span]
        changed = (new != before) & self.going[:, None]
        population = self.network.population(block.population)
        sign = 1 << message_bits(population) - 1
        message = np.where(changed, flip_bits(new - before, message_xor_mask[:, span], sign), 0)
        samples, columns = where = np.nonzero(changed)
        self.recorder.change(samples, span.start + columns, before[where], new[where])
        self.delivered_state[:, span] += message * times[:, span]
        number = self.network.relaxing.index(population)
        self.delta_square_sum[:, number] += (message**2 * times[:, span]).sum(axis=1)
        walked = (changed * times[:, span]) @ self.walked[span]
        self.recorder.count(np.arange(len(walked)), changed.sum(axis=1), walked)
        self.last_change[changed.any(axis=1)] = sweep
        before[changed] = new[changed]

    def _update(self, block: Block, tick: int) -> Wide:
        """New states of a block: stuck bits, noise, ADC, rounding, DAC, inverted bits, stuck."""
        span, given = self.layout.span(block), self.disturbance
        population = self.network.population(block.population)
        fraction_bits = self.network.accumulator_fraction_bits(population.name)
        at_zero, at_one = given.stuck_bits[span].T.astype(np.int64)
        total = wrap32(self._accumulators(block)) & ~at_zero | at_one
        for noise in given.noise:
            if tick <= noise.last_tick:
                errors = np.empty_like(total)
                noise_block(errors, noise.scale, noise.octaves, noise.seed, tick, span.start)
                total = total + errors
        adc, low, high, dac = given.converter[span].T
        total = np.clip(round_to_multiple(total, adc), low, high)
        total = wrap32(total + rounding_half(fraction_bits))
        state = np.clip(total >> fraction_bits, population.state_min, population.state_max)
        state = np.clip(round_to_multiple(state, dac), population.state_min, population.state_max)
        state = flip_states(state.astype(np.int16), given.state_xor_mask[span], population)
        stuck = given.stuck[span]
        return np.where(stuck != FREE, stuck, state).astype(np.int64)

    def _accumulators(self, block: Block, sample: int | None = None) -> Wide:
        """Of a block in all samples or in one, int64 (samples, neurons of the block)."""
        span = self.layout.span(block)
        rows = slice(None) if sample is None else slice(sample, sample + 1)
        total: Wide = self.base[rows, span] + self.offset[rows, span]
        for source, weight in self.weights[block.population]:
            delivered_state = self.delivered_state[rows, source].astype(np.float64)
            total = total + (delivered_state @ weight[:, block.start : block.stop]).astype(np.int64)
        return total + self._by_flipped_weights()[rows, span] if self.flipped else total

    def _by_flipped_weights(self) -> Wide:
        """What changed weights did to all that was delivered after them; int64 (batch, neurons)."""
        sample, _, source, target, change = self.flips[: self.flipped].T
        delivered_state = (
            self.delivered_state[sample, source] - self.delivered_before[: self.flipped]
        )
        total = np.zeros_like(self.state)
        np.add.at(total, (sample, target), change * delivered_state)
        return total

    def _apply_read_noise(self, tick: int) -> None:
        """What reading the weights for this tick's events leaves in the accumulators."""
        for read in self.disturbance.reads:
            if tick <= read.last_tick:
                span = self.layout.of(self.network.relaxing[read.target])
                deviation = read.deviation(self.delta_square_sum[:, read.source])
                errors = np.empty_like(self.offset[:, span])
                read_errors(errors, deviation, read.seed, tick, span.start)
                self.offset[:, span] += errors
        self.delta_square_sum[:] = 0

    def _base(self) -> Wide:
        """Bias, input drive and nudge, which stay; int64 (batch, neurons)."""
        parts = []
        for population in self.network.relaxing:
            total = np.repeat(
                self.network.biases[population.name][None].astype(np.int64), len(self.state), axis=0
            )
            for projection in self.network.into(population.name):
                if projection.from_input:
                    product = self.start.inputs.astype(np.float64) @ projection.matrix
                    total += product.astype(np.int64) << projection.shift
            if population is self.network.output:
                total += self.start.drive
            parts.append(total)
        return np.concatenate(parts, axis=1)

    def _block(self, neuron: int) -> Block:
        """The block of one neuron alone."""
        for population in self.network.relaxing:
            span = self.layout.of(population)
            if neuron < span.stop:
                local = neuron - span.start
                return Block(population.name, local, local + 1)
        raise IndexError(neuron)


def _incoming(
    network: Network, layout: Layout, name: str
) -> list[tuple[slice, npt.NDArray[np.float64]]]:
    """Per relaxing neighbour of a population where its states lie, and W 2^shift into it."""
    return [
        (layout.of(p.source), p.matrix.astype(np.float64) * (1 << p.shift))
        for p in network.into(name)
        if not p.from_input
    ]
