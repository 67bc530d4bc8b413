"""The disturbed reference: docs/robustness.md line by line, one sample at a time.

An incremental machine in plain NumPy: accumulators are kept, events are delivered, and faults
strike where a `Disturbance` says. With none it computes what `sim.reference` computes.
"""

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
from toreq_hw.sim.perturbation.draws import noise_int
from toreq_hw.sim.perturbation.weight_damage import flipped
from toreq_hw.sim.recorder import assemble
from toreq_hw.sim.reference import accumulators
from toreq_hw.sim.start import Start

Change = tuple[int, int, int, int, int]


class DisturbedReference:
    """Relaxes samples one by one under a disturbance; slow, and meant to be read."""

    def __init__(self, network: Network, disturbance: Disturbance) -> None:
        check_disturbance(network, disturbance)
        self._network = network
        self._layout = Layout(network)
        self._disturbance = disturbance

    def relax(self, start: Start) -> PhaseResult:
        """Runs every sample to its end; see `Start` and `PhaseResult`."""
        start = prepared(start, self._disturbance)
        runs = [_Run(self._network, self._disturbance, start, k) for k in range(len(start.inputs))]
        ends = [run.relax() for run in runs]
        changes = np.array([c for run in runs for c in run.changes], dtype=np.int64)
        return assemble(
            self._layout,
            start,
            np.array([run.state for run in runs], dtype=np.int16).reshape(start.states.shape),
            sweeps=np.array([sweeps for sweeps, _ in ends], dtype=np.int32),
            status=np.array([status for _, status in ends], dtype=np.uint8),
            events=np.array([run.events for run in runs], dtype=np.int64),
            synops=np.array([run.synops for run in runs], dtype=np.int64),
            presented=np.count_nonzero(start.inputs, axis=1),
            changes=changes.reshape(-1, 5) if start.trace else None,
        )


class _Run:
    """One sample's registers: states int64, accumulators int64, in `Layout` order."""

    def __init__(self, network: Network, disturbance: Disturbance, start: Start, k: int) -> None:
        self.network, self.layout = network, Layout(network)
        self.disturbance, self.sample, self.start = disturbance, k, start
        self.state = start.states[k].astype(np.int64)
        self.faults = disturbance.faults[disturbance.faults[:, 0] == k]
        self.projections = list(network.projections)
        self.flipped_bits = [np.zeros(c.weight.shape, np.uint8) for c in network.dense_couplings]
        self.changes: list[Change] = []
        self.events = self.synops = 0
        self.arrivals: dict[int, int] = {}
        self.garbled: dict[int, int] = {}
        self.squares = dict.fromkeys(range(-1, len(network.relaxing)), 0)
        self.accumulator = self._fresh_accumulators()
        if not start.continued:
            self.squares[-1] = int((start.inputs[k].astype(np.int64) ** 2).sum())
            self._misread(0)

    def relax(self) -> tuple[int, Status]:
        """Sweeps until a sweep that begins after the last fault changes nothing."""
        colours = len(self.network.colours)
        for sweep in range(1, self.start.max_sweeps + 1):
            before = len(self.changes)
            for colour in range(colours):
                self._tick((sweep - 1) * colours + colour + 1, colour)
            over = (sweep - 1) * colours >= self.disturbance.quiet_after
            if over and len(self.changes) == before:
                return sweep, Status.SETTLED
        return self.start.max_sweeps, Status.SWEEP_LIMIT

    def _tick(self, tick: int, colour: int) -> None:
        self.arrivals.clear()
        self.garbled.clear()
        self._flip_weights(tick)
        self._strike(tick)
        if tick >= self.disturbance.frozen_from[colour]:
            return
        spans = [self.layout.span(block) for block in self.network.sweep.blocks[colour]]
        updates = [(i, self._updated(i, tick)) for s in spans for i in range(s.start, s.stop)]
        sent = [(i, new - int(self.state[i])) for i, new in updates if new != self.state[i]]
        for neuron, delta in sent:
            self._move(tick, neuron, int(self.state[neuron]) + delta)
        for neuron, delta in sent:
            self.events += 1
            times = self.arrivals.get(neuron, 1)
            message = self._received(neuron, delta)
            walked = self._deliver(neuron, message * times)
            self.synops += walked * times
            self.squares[self._number(neuron)] += message * message * times
        self._misread(tick)

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
            weight = flipped(intact.weight, mask, intact.weight_format)
            damaged = replace(intact, weight=weight)
            self.projections = [
                replace(p, dense=damaged) if p.index == number else p for p in self.projections
            ]

    def _strike(self, tick: int) -> None:
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
                self.garbled[neuron] = self.garbled.get(neuron, 0) ^ 1 << bit
            elif self.disturbance.stuck[neuron] == FREE:
                before = int(self.state[neuron])
                self._move(tick, neuron, self._flipped(neuron, before, 1 << bit))
                if fault == Fault.STATE_FLIP:
                    self._deliver(neuron, int(self.state[neuron]) - before)

    def _received(self, neuron: int, delta: int) -> int:
        """The change that arrives: a two's complement word with some of its bits inverted."""
        sign = 1 << message_bits(self._population(neuron)) - 1
        mask = self.garbled.get(neuron, 0) ^ int(self.disturbance.garbled[neuron])
        return int(flip_bits(delta, mask, sign))

    def _misread(self, tick: int) -> None:
        """What reading the weights for this tick's events leaves in the accumulators."""
        for read in self.disturbance.reads:
            squares = np.array(self.squares[read.source], np.int64)
            if tick <= read.last_tick and squares:
                deviation = read.deviation(squares)
                span = self.layout.of(self.network.relaxing[read.target])
                for i in range(span.start, span.stop):
                    error = int(noise_int(deviation, 1, read.seed, self.sample, tick, i))
                    self.accumulator[i] = wrap32(int(self.accumulator[i]) + error)
        self.squares = dict.fromkeys(self.squares, 0)

    def _updated(self, neuron: int, tick: int) -> int:
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
        return self._flipped(neuron, state, int(self.disturbance.inverted[neuron]))

    def _flipped(self, neuron: int, state: int, mask: int) -> int:
        population = self._population(neuron)
        return int(flip_state(state, mask, population.state_min, population.state_max))

    def _move(self, tick: int, neuron: int, new: int) -> None:
        before = int(self.state[neuron])
        if new != before:
            self.changes.append((self.sample, tick, neuron, before, new))
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


def prepared(start: Start, disturbance: Disturbance) -> Start:
    """`start` with stuck neurons in their places, checked.

    Raises InputError for a threshold (faults of a lossy machine are not defined), and where
    faults are listed for samples that there are not.
    """
    if start.threshold:
        raise InputError(f"a disturbed phase must have threshold 0, not {start.threshold}")
    check_samples(disturbance, len(start.inputs))
    stuck = disturbance.stuck
    return replace(start, states=np.where(stuck != FREE, stuck, start.states))
