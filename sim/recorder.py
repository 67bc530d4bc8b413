"""Collects what engines do, tick by tick, and closes it into a `PhaseResult`."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.operations import (
    common_or_each,
    dense_synops,
    fan_outs,
    walked,
    weights_walked,
)
from toreq_hw.contract.phases import NUDGED_PHASES
from toreq_hw.contract.readout import output_accumulators
from toreq_hw.contract.results import NOT_COUNTED, PhaseResult, Status
from toreq_hw.contract.trace import Trace
from toreq_hw.network import Block, Network
from toreq_hw.sim.start import Start, check_start

Indices = npt.NDArray[np.intp]
Changes = npt.NDArray[np.int64]


class Recorder:
    """Counters per sample, and every state change where somebody wants them.

    watched: keep the changes although the start asks for no trace.
    states: int16 (batch, neurons), of the samples that have ended; running: bool (batch,), those
    that have not. events, synops: int64 (batch,), so far.
    """

    def __init__(self, layout: Layout, start: Start, *, watched: bool = False) -> None:
        check_start(layout, start)
        batch = len(start.inputs)
        self._layout = layout
        self._start = start
        self._keeps = start.trace or watched
        self._changes: list[Changes] = []
        walks = weights_walked(layout.network)
        blocks = [block for colour in layout.network.sweep.blocks for block in colour]
        self._walks = {block: common_or_each(walks[layout.span(block)]) for block in blocks}
        self.states = start.states.copy()
        self.running = np.ones(batch, dtype=np.bool_)
        self._sweeps = np.zeros(batch, dtype=np.int32)
        self._tick = 0
        self._status = np.zeros(batch, dtype=np.uint8)
        self.events = np.zeros(batch, dtype=np.int64)
        self.synops = np.zeros(batch, dtype=np.int64)

    def begin_tick(self, tick: int) -> None:
        """Everything recorded from now on happens in tick `tick` (1 is the first)."""
        self._tick = tick

    def update(
        self,
        samples: Indices,
        block: Block,
        before: npt.NDArray[np.int16],
        after: npt.NDArray[np.int16],
        sends: npt.NDArray[np.bool_],
    ) -> None:
        """One block updated in `samples`; the arrays have shape (samples, neurons of block)."""
        events = np.count_nonzero(sends, axis=1)
        self.count(samples, events, walked(sends, events, self._walks[block]))
        if self._keeps:
            rows, columns = np.nonzero(before != after)
            neurons = self._layout.span(block).start + columns
            where = rows, columns
            self.change(samples[rows], neurons, before[where], after[where])

    def count(self, samples: Indices, events: Changes, synops: Changes) -> None:
        """Adds to the counters of some samples, int64 (samples,)."""
        self.events[samples] += events
        self.synops[samples] += synops

    def change(
        self,
        samples: Indices,
        neurons: npt.NDArray[np.integer],
        before: npt.NDArray[np.integer],
        after: npt.NDArray[np.integer],
    ) -> None:
        """Changes of states of this tick, arrays (changes,), in the order in which they happen."""
        if self._keeps:
            ticks = np.full(len(samples), self._tick)
            columns = (samples, ticks, neurons, before, after)
            self._changes.append(np.stack([c.astype(np.int64) for c in columns], axis=1))

    def end(
        self, samples: Indices, states: npt.NDArray[np.int16], sweeps: int, status: Status
    ) -> None:
        """Closes samples with their final states, shape (samples, neurons)."""
        self.states[samples] = states
        self.running[samples] = False
        self._sweeps[samples] = sweeps
        self._status[samples] = status

    def changes(self, first: int = 0) -> Changes:
        """All changes, int64 (n, 5), columns of `CHANGE_COLUMNS`, by sample and tick.

        first: leave out what `batches` were recorded before.
        """
        rows = np.concatenate([np.zeros((0, 5), dtype=np.int64), *self._changes[first:]])
        ordered: Changes = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        return ordered

    @property
    def batches(self) -> int:
        """How often changes were recorded."""
        return len(self._changes)

    def finish(self) -> PhaseResult:
        """The record of the whole batch."""
        return assemble(
            layout=self._layout,
            start=self._start,
            states=self.states,
            sweeps=self._sweeps,
            status=self._status,
            events=self.events,
            synops=self.synops,
            presented=np.count_nonzero(self._start.inputs, axis=1),
            changes=self.changes() if self._keeps else None,
        )


Run = Callable[[Changes, npt.NDArray[np.int64]], tuple[npt.NDArray[np.int16], Changes]]
"""Compiled code that relaxes a batch: takes room for changes, int64 (n, 4), and the row where
each sample's begin; gives states and counters, int64 (batch, 6): sweeps, status, events, synops,
changes, non-zero inputs."""


def run_twice(layout: Layout, start: Start, run: Run) -> PhaseResult:
    """What `run` makes of a start.

    With a trace, a first run counts the changes of each sample. A second one, the same bit for bit,
    writes them where they belong.
    """
    check_start(layout, start)
    batch = len(start.inputs)
    states, counters = run(np.zeros((0, 4), dtype=np.int64), np.zeros(batch, dtype=np.int64))
    changes = None
    if start.trace:
        count = counters[:, 4]
        rows = np.empty((int(count.sum()), 4), dtype=np.int64)
        run(rows, np.cumsum(count) - count)
        sample = np.repeat(np.arange(batch), count)
        changes = np.concatenate([sample[:, None], rows], axis=1)
    return assemble(
        layout,
        start,
        states,
        sweeps=counters[:, 0].astype(np.int32),
        status=counters[:, 1].astype(np.uint8),
        events=counters[:, 2],
        synops=counters[:, 3],
        presented=counters[:, 5],
        changes=changes,
    )


def assemble(
    layout: Layout,
    start: Start,
    states: npt.NDArray[np.int16],
    sweeps: npt.NDArray[np.int32],
    status: npt.NDArray[np.uint8],
    events: npt.NDArray[np.int64],
    synops: npt.NDArray[np.int64],
    presented: npt.NDArray[np.int64],
    changes: npt.NDArray[np.int64] | None,
) -> PhaseResult:
    """Adds what is the same for every engine: input events, dense cost, the trace.

    synops: those of relaxing neurons; the input's are added here. presented: non-zero inputs,
    which are events where the phase does not continue another one. changes: int64 (n, 5),
    columns sample, tick, neuron, before, after, sorted; None without a trace.
    """
    network = layout.network
    trace = None
    if changes is not None:
        ticks = sweeps * np.int32(len(network.colours))
        trace = Trace.of_changes(layout, start.states, ticks, changes)
    split = layout.split(states)
    sent = _sent_by_output(network, start.phase, split)
    input_events = np.zeros_like(events)
    for name, values, count in _presented(network, start, split, presented):
        input_events = input_events + count
        synops = synops + walked(values, count, common_or_each(fan_outs(network, name)))
    if sent.any():
        of_output = common_or_each(fan_outs(network, network.output.name))
        synops = synops + walked(split[network.output.name], sent, of_output)
    clamped = network.readout is not None
    return PhaseResult(
        network=network,
        phase=start.phase,
        states=split,
        sweeps=sweeps,
        status=status,
        events=events + sent,
        input_events=input_events,
        synops=synops,
        dense_synops=dense_synops(network, sweeps, continued=start.continued),
        readout=output_accumulators(network, start.inputs, split) if clamped else NOT_COUNTED,
        trace=trace,
    )


def _presented(
    network: Network,
    start: Start,
    states: dict[str, npt.NDArray[np.int16]],
    presented: npt.NDArray[np.int64],
) -> Iterator[tuple[str, npt.NDArray[Any], npt.NDArray[np.int64]]]:
    """What a phase presents: a clamped population, (batch, size) not zero where it sends an event,
    and how many it sends, int64 (batch,).
    """
    if start.continued:
        return
    inputs, count = start.inputs, presented
    if start.before is not None:
        inputs = inputs - start.before
        count = np.count_nonzero(inputs, axis=1)
    yield network.input.name, inputs, count
    for name in network.clamped - {network.input.name}:
        yield name, states[name], np.count_nonzero(states[name], axis=1)


def _sent_by_output(
    network: Network, phase: str, states: dict[str, npt.NDArray[np.int16]]
) -> npt.NDArray[np.int64]:
    """Events of a clamped output, int64 (batch,): its states as a nudged phase starts."""
    outputs = states[network.output.name]
    if network.readout is None or phase not in NUDGED_PHASES:
        return np.zeros(len(outputs), dtype=np.int64)
    sent: npt.NDArray[np.int64] = np.count_nonzero(outputs, axis=1)
    return sent
