"""What goes into a relaxation and what comes out of it, the same for every engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.layout import Layout


class Status(IntEnum):
    """How a relaxation ended."""

    SETTLED = 0
    """A whole sweep changed nothing: an equilibrium."""
    CYCLE = 1
    """Synchronous updating returned to the state of two ticks before."""
    SWEEP_LIMIT = 2
    """The safety net: `max_sweeps` sweeps and still changing."""


@dataclass(frozen=True, eq=False)
class Start:
    """A checked request: where every sample starts and what drives it.

    inputs: int16 (batch, n_input); states: int16 (batch, neurons) in `Layout` order;
    drive: int32 (batch, n_output), added to the output accumulators (the nudge).
    continued: the phase starts from standing states and accumulators (a nudged phase, or a
    state disturbed on purpose), so the inputs are not presented again.
    detects_cycles: the schedule allows two-cycles, so end where one is seen.
    threshold: 0 is lossless; above it, a neuron sends only when its state is further than
    the threshold from the state it last sent.
    """

    inputs: npt.NDArray[np.int16]
    states: npt.NDArray[np.int16]
    drive: npt.NDArray[np.int32]
    continued: bool
    threshold: int
    max_sweeps: int
    trace: bool
    detects_cycles: bool


def check_start(layout: Layout, start: Start) -> None:
    """Raises InputError where a start does not fit the network that an engine was made for."""
    network, batch = layout.network, len(start.inputs)
    for what, array, shape, dtype in (
        ("inputs", start.inputs, (batch, network.input.size), np.int16),
        ("states", start.states, (batch, layout.neurons), np.int16),
        ("drive", start.drive, (batch, network.output.size), np.int32),
    ):
        if array.shape != shape or array.dtype != dtype:
            raise InputError(
                f"{what} of a start must be {np.dtype(dtype)} of shape {shape} for this engine's "
                f"network, not {array.dtype} {array.shape}"
            )


@dataclass(frozen=True, eq=False)
class Trace:
    """Every state of every tick, kept as the list of changes.

    Entries are sorted by sample, then tick, then neuron: `sample` int32, `tick` int32
    (1 is the first tick), `neuron` int32 (global index in `Layout` order), `before` and
    `after` int16. With threshold 0 each entry is one event of delta after - before.
    """

    layout: Layout
    initial: npt.NDArray[np.int16]
    ticks: npt.NDArray[np.int32]
    sample: npt.NDArray[np.int32]
    tick: npt.NDArray[np.int32]
    neuron: npt.NDArray[np.int32]
    before: npt.NDArray[np.int16]
    after: npt.NDArray[np.int16]

    def of_sample(self, sample: int) -> slice:
        """The entries of one sample."""
        start, stop = np.searchsorted(self.sample, (sample, sample + 1))
        return slice(int(start), int(stop))

    def sends(self, sample: int, threshold: int) -> npt.NDArray[np.int64]:
        """The entries of one sample that are events: moves further than the threshold from what the
        neuron sent last. Of a phase that starts with nothing withheld.
        """
        entries = self.of_sample(sample)
        everything = np.arange(entries.start, entries.stop)
        if threshold == 0:
            return everything
        sent, far = self.initial[sample].tolist(), []
        changes = zip(self.neuron[entries].tolist(), self.after[entries].tolist(), strict=True)
        for neuron, after in changes:
            far.append(abs(after - sent[neuron]) > threshold)
            if far[-1]:
                sent[neuron] = after
        return everything[np.array(far, dtype=np.bool_)]

    def states(self, sample: int) -> dict[str, npt.NDArray[np.int16]]:
        """The trajectory of one sample: per population int16, shape (ticks + 1, size).

        Row 0 is the start, row t the state after tick t, the last row the final state.
        """
        rows = np.repeat(self.initial[sample][None], int(self.ticks[sample]) + 1, axis=0)
        for index in range(*self.of_sample(sample).indices(len(self.sample))):
            rows[self.tick[index] :, self.neuron[index]] = self.after[index]
        return self.layout.split(rows)

    def first_difference(self, other: "Trace") -> str | None:
        """One line naming the first differing sample, tick and neuron; None if there is none."""
        mine, others = self._rows, other._rows
        common = min(len(mine), len(others))
        differs = np.flatnonzero((mine[:common] != others[:common]).any(axis=1))
        if len(differs):
            index = int(differs[0])
            row = min(mine[index].tolist(), others[index].tolist())
        elif len(mine) != len(others):
            row = (mine if len(mine) > common else others)[common].tolist()
        elif not np.array_equal(self.ticks, other.ticks):
            sample = int(np.flatnonzero(self.ticks != other.ticks)[0])
            return f"sample {sample}: {self.ticks[sample]} ticks, found {other.ticks[sample]}"
        else:
            return None
        sample, tick, neuron = row[:3]
        return f"sample {sample}, tick {tick}, {self._name(neuron)}: {self._pair(other, row)}"

    def _pair(self, other: "Trace", row: list[int]) -> str:
        sample, tick, neuron = row[:3]
        return (
            f"expected {self._state(sample, tick, neuron)}, "
            f"got {other._state(sample, tick, neuron)}"
        )

    def _state(self, sample: int, tick: int, neuron: int) -> int:
        entries = self.of_sample(sample)
        known = (self.neuron[entries] == neuron) & (self.tick[entries] <= tick)
        after = self.after[entries][known]
        return int(after[-1] if len(after) else self.initial[sample, neuron])

    def _name(self, neuron: int) -> str:
        for population in self.layout.network.relaxing:
            span = self.layout.of(population)
            if span.start <= neuron < span.stop:
                return f"population {population.name!r}, neuron {neuron - span.start}"
        raise IndexError(neuron)

    @cached_property
    def _rows(self) -> npt.NDArray[np.int64]:
        columns = (self.sample, self.tick, self.neuron, self.before, self.after)
        return np.stack([c.astype(np.int64) for c in columns], axis=1)


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The end of one phase for a batch of samples.

    states: final states per relaxing population, int16 (batch, size).
    sweeps: int32 (batch,), sweeps run; the last one of a settled sample changed nothing.
    status: uint8 (batch,), values of `Status`.
    events: int64 (batch,), state changes sent by relaxing neurons.
    input_events: int64 (batch,), non-zero inputs (counted once per presentation).
    synops: int64 (batch,), stored weights walked by those events.
    dense_synops: int64 (batch,), weights a dense machine reads that computes the input drive
        once, recomputes every colour each tick, and stops at the same sweep.
    """

    network: Network
    states: dict[str, npt.NDArray[np.int16]]
    sweeps: npt.NDArray[np.int32]
    status: npt.NDArray[np.uint8]
    events: npt.NDArray[np.int64]
    input_events: npt.NDArray[np.int64]
    synops: npt.NDArray[np.int64]
    dense_synops: npt.NDArray[np.int64]
    trace: Trace | None

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """The largest output state of each sample; ties go to the lowest index."""
        classes: npt.NDArray[np.int64] = self.states[self.network.output.name].argmax(axis=1)
        return classes

    @property
    def ticks(self) -> npt.NDArray[np.int32]:
        """Ticks run, int32 (batch,): every sweep is one tick of each colour."""
        return self.sweeps * np.int32(len(self.network.colours))

    @property
    def unsettled(self) -> int:
        """How many samples did not reach an equilibrium."""
        return int(np.count_nonzero(self.status != Status.SETTLED))

    def first_difference(self, other: "Relaxation") -> str | None:
        """One line naming the first disagreement with `other`, or None: counters, states, ticks."""
        if self.trace is not None and other.trace is not None:
            found = self.trace.first_difference(other.trace)
            if found:
                return found
        for name, states in self.states.items():
            if not np.array_equal(states, other.states[name]):
                sample, neuron = (int(k) for k in np.argwhere(states != other.states[name])[0])
                return (
                    f"sample {sample}, final state, population {name!r}, neuron {neuron}: expected "
                    f"{states[sample, neuron]}, got {other.states[name][sample, neuron]}"
                )
        for counter in ("sweeps", "status", "events", "input_events", "synops"):
            mine, others = getattr(self, counter), getattr(other, counter)
            if not np.array_equal(mine, others):
                sample = int(np.flatnonzero(mine != others)[0])
                return f"sample {sample}, {counter}: expected {mine[sample]}, got {others[sample]}"
        return None


def joined(parts: Sequence[Relaxation]) -> Relaxation:
    """One record of consecutive batches of the same network; without a trace."""

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    first = parts[0]
    return Relaxation(
        network=first.network,
        states={n: np.concatenate([part.states[n] for part in parts]) for n in first.states},
        sweeps=column("sweeps"),
        status=column("status"),
        events=column("events"),
        input_events=column("input_events"),
        synops=column("synops"),
        dense_synops=column("dense_synops"),
        trace=None,
    )
