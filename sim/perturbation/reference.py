"""The disturbed reference: docs/robustness.md line by line, one sample at a time.

An incremental machine in plain NumPy: accumulators are kept, events are delivered, and faults
happen where a `Disturbance` says. With none it computes what `sim.reference` computes.
"""

from collections.abc import Iterator
from dataclasses import replace

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
from toreq_hw.contract.operations import message_bits
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Population
from toreq_hw.sim.perturbation.digital_check import check_disturbance, check_samples
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.random_values import noise_int
from toreq_hw.sim.perturbation.weight_damage import flip_words
from toreq_hw.sim.recorder import Recorder
from toreq_hw.sim.reference import accumulators
from toreq_hw.sim.start import Start
from toreq_hw.sim.stepping import in_step, run_to_end


class DisturbedReference:
    """Relaxes samples one by one under a disturbance; slow, and meant to be read."""

    def __init__(self, network: Network, disturbance: Disturbance) -> None:
        check_disturbance(network, disturbance)
        self._network = network
        self._layout = Layout(network)
        self._disturbance = disturbance

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`."""
        run = self.begin(start)
        run_to_end(run.ticks())
        return run.recorder.finish()

    def begin(self, start: Start, *, watched: bool = False) -> "DisturbedReferenceRun":
        """The same a tick at a time. watched: its changes are wanted although it has no trace."""
        start = prepare(start, self._disturbance)
        recorder = Recorder(self._layout, start, watched=watched)
        return DisturbedReferenceRun(self._network, self._disturbance, start, recorder)


class DisturbedReferenceRun:
    """One phase; see `PhaseRun`."""

    def __init__(
        self, network: Network, disturbance: Disturbance, start: Start, recorder: Recorder
    ) -> None:
        self.recorder = recorder
        self._samples = [
            _Sample(network, disturbance, start, k, recorder) for k in range(len(start.inputs))
        ]

    def ticks(self) -> Iterator[None]:
        """Every sample on its own, in step."""
        return in_step(sample.relax() for sample in self._samples)

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons)."""
        return np.array([sample.state for sample in self._samples], dtype=np.int16)

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons), as they are kept."""
        return np.array([sample.accumulator for sample in self._samples], dtype=np.int64)


class _Sample:
    """One sample's registers: states int64, accumulators int64, in `Layout` order. moves: changes
    of states so far.
    """

    def __init__(
        self, network: Network, disturbance: Disturbance, start: Start, k: int, recorder: Recorder
    ) -> None:
        self.recorder, self.moves = recorder, 0
        self.network, self.layout = network, Layout(network)
        self.disturbance, self.sample, self.start = disturbance, k, start
        self.state = start.states[k].astype(np.int64)
        self.faults = disturbance.faults[disturbance.faults[:, 0] == k]
        self.projections = list(network.projections)
        self.flipped_bits = [np.zeros(c.weight.shape, np.uint8) for c in network.dense_couplings]
        self.arrivals: dict[int, int] = {}
        self.message_xor_mask: dict[int, int] = {}
        self.delta_square_sum = dict.fromkeys(range(-1, len(network.relaxing)), 0)
        self.accumulator = self._fresh_accumulators()
        if not start.continued:
            self.delta_square_sum[-1] = int((start.inputs[k].astype(np.int64) ** 2).sum())
            self._apply_read_noise(0)

    def relax(self) -> Iterator[None]:
        """Sweeps until a sweep that begins after the last fault changes nothing."""
        colours, last = len(self.network.colours), self.start.max_sweeps
        for sweep in range(1, last + 1):
            before = self.moves
            for colour in range(colours):
                self._tick((sweep - 1) * colours + colour + 1, colour)
                if colour < colours - 1:
                    yield
            over = (sweep - 1) * colours >= self.disturbance.quiet_after
            if over and self.moves == before:
                return self._end(sweep, Status.SETTLED)
            if sweep < last:
                yield
        return self._end(last, Status.SWEEP_LIMIT)

    def _end(self, sweeps: int, status: Status) -> None:
        states = self.state[None].astype(np.int16)
        self.recorder.end(np.array([self.sample]), states, sweeps, status)

    def _tick(self, tick: int, colour: int) -> None:
        self.recorder.begin_tick(tick)
        self.arrivals.clear()
        self.message_xor_mask.clear()
        self._flip_weights(tick)
        self._apply_faults(tick)
        if tick >= self.disturbance.frozen_from[colour]:
            return
        spans = [self.layout.span(block) for block in self.network.sweep.blocks[colour]]
        updates = [(i, self._update(i, tick)) for s in spans for i in range(s.start, s.stop)]
        sent = [(i, new - int(self.state[i])) for i, new in updates if new != self.state[i]]
        for neuron, delta in sent:
            self._move(neuron, int(self.state[neuron]) + delta)
        for neuron, delta in sent:
            times = self.arrivals.get(neuron, 1)
            message = self._corrupt_message(neuron, delta)
            walked = self._deliver(neuron, message * times)
            self.recorder.count(np.array([self.sample]), np.array([1]), np.array([walked * times]))
            self.delta_square_sum[self._number(neuron)] += message * message * times
        self._apply_read_noise(tick)

    def _flip_weights(self, tick: int) -> None:
        """The flips of weight bits listed for this tick; what has been summed stands."""
        flips = self.disturbance.weight_flips
        now = (flips[:, 0] == self.sample) & (flips[:, 1] == tick)
        for _, _, number, cell, bit in flips[now].tolist():
            intact, mask = self.network.dense_couplings[number], self.flipped_bits[number]
            row, column = divmod(cell, mask.shape[1])
            mask[row, column] ^= 1 << bit
            if intact.is_self_coupling:
                mask[column, row] ^= 1 << bit
            weight = flip_words(intact.weight, mask, intact.weight_format)
            damaged = replace(intact, weight=weight)
            self.projections = [
                replace(p, coupling=damaged) if p.index == number else p for p in self.projections
            ]

    def _apply_faults(self, tick: int) -> None:
        """The faults listed for this tick; those of events wait for the event."""
        for _, _, neuron, fault, bit in self.faults[self.faults[:, 1] == tick].tolist():
            if fault == Fault.ACCUMULATOR_FLIP:
                self.accumulator[neuron] = flip_bits(
                    int(self.accumulator[neuron]), 1 << bit, WORD_SIGN
                )
            elif fault == Fault.EVENT_DROP:
                self.arrivals[neuron] = 0
            elif fault == Fault.EVENT_DUPLICATE:
                self.arrivals[neuron] = min(2 * self.arrivals.get(neuron, 1), 2)
            elif fault == Fault.EVENT_FLIP:
                self.message_xor_mask[neuron] = self.message_xor_mask.get(neuron, 0) ^ 1 << bit
            elif self.disturbance.stuck[neuron] == FREE:
                before = int(self.state[neuron])
                self._move(neuron, self._flip(neuron, before, 1 << bit))
                if fault == Fault.STATE_FLIP:
                    self._deliver(neuron, int(self.state[neuron]) - before)

    def _corrupt_message(self, neuron: int, delta: int) -> int:
        """The change that arrives: a two's complement word with some of its bits inverted."""
        sign = 1 << message_bits(self._population(neuron)) - 1
        mask = self.message_xor_mask.get(neuron, 0) ^ int(self.disturbance.message_xor_mask[neuron])
        return int(flip_bits(delta, mask, sign))

    def _apply_read_noise(self, tick: int) -> None:
        """What reading the weights for this tick's events leaves in the accumulators."""
        for read in self.disturbance.reads:
            delta_square_sum = np.array(self.delta_square_sum[read.source], np.int64)
            if tick <= read.last_tick and delta_square_sum:
                deviation = read.deviation(delta_square_sum)
                span = self.layout.of(self.network.relaxing[read.target])
                for i in range(span.start, span.stop):
                    error = int(noise_int(deviation, 1, read.seed, self.sample, tick, i))
                    self.accumulator[i] = wrap32(int(self.accumulator[i]) + error)
        self.delta_square_sum = dict.fromkeys(self.delta_square_sum, 0)

    def _update(self, neuron: int, tick: int) -> int:
        """Stuck bits, noise, ADC, the one rounding, DAC, inverted bits; stuck neurons skip all."""
        if self.disturbance.stuck[neuron] != FREE:
            return int(self.disturbance.stuck[neuron])
        population = self._population(neuron)
        fraction_bits = self.network.accumulator_fraction_bits(population.name)
        at_zero, at_one = self.disturbance.stuck_bits[neuron].tolist()
        total = int(self.accumulator[neuron]) & ~at_zero | at_one
        for noise in self.disturbance.noise:
            if tick <= noise.last_tick:
                total += int(
                    noise_int(
                        noise.scale[neuron], noise.octaves, noise.seed, self.sample, tick, neuron
                    )
                )
        adc, low, high, dac = (int(value) for value in self.disturbance.converter[neuron])
        total = min(max(round_to_multiple(total, adc), low), high)
        state_min, state_max = population.state_min, population.state_max
        half = rounding_half(fraction_bits)
        state = min(max(wrap32(total + half) >> fraction_bits, state_min), state_max)
        state = min(max(round_to_multiple(state, dac), state_min), state_max)
        return self._flip(neuron, state, int(self.disturbance.state_xor_mask[neuron]))

    def _flip(self, neuron: int, state: int, mask: int) -> int:
        population = self._population(neuron)
        return int(flip_state(state, mask, population.state_min, population.state_max))

    def _move(self, neuron: int, new: int) -> None:
        before = int(self.state[neuron])
        if new != before:
            columns = (np.array([value]) for value in (self.sample, neuron, before, new))
            self.recorder.change(*columns)
            self.moves += 1
        self.state[neuron] = new

    def _deliver(self, neuron: int, delta: int) -> int:
        """Adds W delta to every neighbour, wrapping at 32 bits; returns the weights walked."""
        source = self._population(neuron)
        row = neuron - self.layout.of(source).start
        walked = 0
        for projection in self.projections:
            if projection.source.name != source.name:
                continue
            where, weight = projection.row(row)
            added = (weight.astype(np.int64) * delta) << projection.shift
            places = self.layout.of(projection.target).start + where
            total = self.accumulator[places] + added
            self.accumulator[places] = total.astype(np.int32)
            walked += len(where)
        return walked

    def _population(self, neuron: int) -> Population:
        for population in self.network.relaxing:
            if self.layout.of(population).start <= neuron < self.layout.of(population).stop:
                return population
        raise IndexError(neuron)

    def _number(self, neuron: int) -> int:
        return self.network.relaxing.index(self._population(neuron))

    def _fresh_accumulators(self) -> npt.NDArray[np.int64]:
        """From biases, inputs, standing states and the nudge, as when a sample is presented."""
        states = {p.name: self.state[self.layout.of(p)] for p in self.network.relaxing}
        states[self.network.input.name] = self.start.inputs[self.sample].astype(np.int64)
        drive = self.start.drive[self.sample].astype(np.int64)
        return np.concatenate(
            [accumulators(self.network, p.name, states, drive) for p in self.network.relaxing]
        )


def prepare(start: Start, disturbance: Disturbance) -> Start:
    """`start` with stuck neurons in their places, checked.

    Raises InputError for a threshold (faults of a lossy machine are not defined), and where
    faults are listed for samples that there are not.
    """
    if start.threshold:
        raise InputError(f"a disturbed phase must have threshold 0, not {start.threshold}")
    check_samples(disturbance, len(start.inputs))
    stuck = disturbance.stuck
    return replace(start, states=np.where(stuck != FREE, stuck, start.states))
