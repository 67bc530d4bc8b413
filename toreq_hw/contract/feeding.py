"""Tells observers of a phase that a machine has run and of which it handed back the trace."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.energy import doubled_energy
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.operations import weights_walked
from toreq_hw.contract.results import PhaseResult
from toreq_hw.contract.ticks import Observer, PhaseStart, Tick
from toreq_hw.contract.trace import Trace
from toreq_hw.errors import InputError


def feed(
    result: PhaseResult,
    inputs: npt.NDArray[np.int16],
    drive: npt.NDArray[np.int32] | None,
    observer: Observer,
) -> None:
    """Tells an observer of a whole phase, tick by tick.

    result: with the trace of a lossless machine. inputs: int16 (batch, input.size). drive: int32
    (batch, output.size), of a nudged phase. Raises InputError for a result without a whole trace.
    """
    start = start_of(result, inputs, drive)
    observer.begin(start)
    for tick in ticks_of(result, start):
        observer.tick(tick)
    observer.end(result)


def start_of(
    result: PhaseResult, inputs: npt.NDArray[np.int16], drive: npt.NDArray[np.int32] | None
) -> PhaseStart:
    """What the phase of a result started from; arguments as those of `feed`. Raises InputError."""
    if drive is None:
        drive = np.zeros((len(inputs), result.network.output.size), dtype=np.int32)
    states = _whole_trace(result).initial
    return PhaseStart(result.network, result.phase, states, inputs, drive)


def ticks_of(result: PhaseResult, start: PhaseStart) -> Iterator[Tick]:
    """The ticks of a phase that has been run; see `feed`. Raises InputError."""
    trace, colours = _whole_trace(result), result.network.colours
    events_walk = weights_walked(trace.layout.network)
    by_tick = np.argsort(trace.tick, kind="stable")
    last = int(trace.ticks.max(initial=0))
    bounds = np.searchsorted(trace.tick[by_tick], np.arange(1, last + 2))
    states, batch = trace.initial.copy(), len(trace.initial)
    for number in range(1, last + 1):
        now = by_tick[bounds[number - 1] : bounds[number]]
        sample, neuron = trace.sample[now], trace.neuron[now]
        states = states.copy()
        states[sample, neuron] = trace.after[now]
        sweep, colour = divmod(number - 1, len(colours))
        walked = np.bincount(sample, weights=events_walk[neuron], minlength=batch)
        yield Tick(
            phase=result.phase,
            number=number,
            sweep=sweep + 1,
            colour=colour,
            visited=colours[colour],
            running=np.less_equal(number, trace.ticks),
            ended=np.equal(number, trace.ticks),
            sample=sample,
            neuron=neuron,
            before=trace.before[now],
            after=trace.after[now],
            events=np.bincount(sample, minlength=batch),
            synops=walked.astype(np.int64),
            registers=ComputedRegisters(start, states),
        )


class ComputedRegisters:
    """Registers as they follow from states that were seen, in exact sums; see `Registers`."""

    def __init__(self, start: PhaseStart, states: npt.NDArray[np.int16]) -> None:
        self._start, self._states = start, states

    @property
    def states(self) -> npt.NDArray[np.int16]:
        """int16 (batch, neurons)."""
        return self._states

    @property
    def accumulators(self) -> npt.NDArray[np.int64]:
        """int64 (batch, neurons)."""
        network = self._start.network
        sources = dict(Layout(network).split(self._states))
        sources[network.input.name] = self._start.inputs
        parts = []
        for population in network.relaxing:
            bias = network.biases[population.name].astype(np.int64)
            total = np.repeat(bias[None], len(self._states), axis=0)
            for projection in network.into(population.name):
                total += projection.apply(sources[projection.source.name].astype(np.int64))
            for share in network.shares_into(population.name):
                total += share.apply(sources)
            if population is network.output:
                total += self._start.drive
            parts.append(total)
        return np.concatenate(parts, axis=1)

    @property
    def energy(self) -> npt.NDArray[np.int64]:
        """int64 (batch,)."""
        network = self._start.network
        states = Layout(network).split(self._states)
        return doubled_energy(network, self._start.inputs, states, self._start.drive)


def _whole_trace(result: PhaseResult) -> Trace:
    if result.trace is None or result.trace.shown is not None:
        found = "none" if result.trace is None else "states of some ticks"
        raise InputError(f"a watched phase must have the trace of all its changes, found {found}")
    return result.trace
