"""Every state of every tick of a phase, kept as the list of changes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.difference import Difference, Place, first_unequal
from toreq_hw.contract.layout import Layout

CHANGE_COLUMNS = ("sample", "tick", "neuron", "before", "after")
"""Of the rows of changes that `Trace.of_changes` takes."""

Shown = tuple[npt.NDArray[np.int64], ...]


@dataclass(frozen=True, eq=False)
class Trace:
    """The changes of state of a phase, by sample and tick; neurons are in `Layout` order.

    Entries are sorted by sample, then tick: `sample` int32, `tick` int32 (1 is the first tick),
    `neuron` int32 (global index in `Layout` order), `before` and `after` int16. Within a tick they
    are sorted by neuron, but under faults: there a neuron may change twice in a tick, and entries
    are in the order in which they happened. With threshold 0 and without faults each entry is one
    event of delta after - before.

    initial: int16 (batch, neurons), the states at the start. ticks: int32 (batch,), ticks run.
    shown: per sample the ticks after which a machine's states were seen, int64 (n,), ascending,
    where those are all that is known of it; None where the changes themselves are.
    """

    layout: Layout
    initial: npt.NDArray[np.int16]
    ticks: npt.NDArray[np.int32]
    sample: npt.NDArray[np.int32]
    tick: npt.NDArray[np.int32]
    neuron: npt.NDArray[np.int32]
    before: npt.NDArray[np.int16]
    after: npt.NDArray[np.int16]
    shown: Shown | None = None

    @classmethod
    def of_changes(
        cls,
        layout: Layout,
        initial: npt.NDArray[np.int16],
        ticks: npt.NDArray[np.integer],
        changes: npt.NDArray[np.integer],
    ) -> "Trace":
        """changes: integers (n, 5), columns as `CHANGE_COLUMNS`, sorted as `Trace` says."""
        sample, tick, neuron = changes[:, :3].astype(np.int32).T
        before, after = changes[:, 3:].astype(np.int16).T
        return cls(
            layout=layout,
            initial=initial,
            ticks=ticks.astype(np.int32),
            sample=sample,
            tick=tick,
            neuron=neuron,
            before=before,
            after=after,
        )

    def of_sample(self, sample: int) -> slice:
        """The entries of one sample."""
        start, stop = np.searchsorted(self.sample, (sample, sample + 1))
        return slice(int(start), int(stop))

    def sends(self, sample: int, threshold: int) -> npt.NDArray[np.int64]:
        """The entries of one sample that are events: moves further than the threshold from what the
        neuron sent last. Of a phase that starts without unsent deltas.
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

    def trajectory(self, sample: int) -> npt.NDArray[np.int16]:
        """Every state of one sample, int16 (ticks + 1, neurons): row t the states after tick t."""
        rows = np.repeat(self.initial[sample][None], int(self.ticks[sample]) + 1, axis=0)
        for index in range(*self.of_sample(sample).indices(len(self.sample))):
            rows[self.tick[index] :, self.neuron[index]] = self.after[index]
        return rows

    def states(self, sample: int) -> dict[str, npt.NDArray[np.int16]]:
        """The trajectory of one sample: per population int16, shape (ticks + 1, size).

        Row 0 is the start, row t the state after tick t, the last row the final state.
        """
        return self.layout.split(self.trajectory(sample))

    @cached_property
    def final(self) -> npt.NDArray[np.int16]:
        """States at the end of the phase, int16 (batch, neurons)."""
        states = self.initial.copy()
        states[self.sample, self.neuron] = self.after  # sorted by tick: the last one stays
        return states

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """The entries as int64 (n, 5), columns as `CHANGE_COLUMNS`."""
        columns = (self.sample, self.tick, self.neuron, self.before, self.after)
        return np.stack([c.astype(np.int64) for c in columns], axis=1)


def sorted_changes(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Rows of `CHANGE_COLUMNS`, integers (n, 5), by sample, tick and neuron."""
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))
    ordered: npt.NDArray[np.int64] = rows[order].astype(np.int64)
    return ordered


def trace_of_states(
    layout: Layout,
    ticks: npt.NDArray[np.integer],
    seen: list[dict[int, npt.NDArray[np.int16]]],
) -> Trace:
    """The trace of a machine whose states are read between ticks, not its changes.

    ticks: integers (batch,), ticks run. seen: per sample the states int16 (neurons,) after each
    tick at which they were read, by tick; tick 0 is the start, which is all zero if not among them.
    """
    batch = len(seen)
    initial = np.zeros((batch, layout.neurons), dtype=np.int16)
    rows = [np.zeros((0, 5), dtype=np.int64)]
    for sample, states in enumerate(seen):
        before = initial[sample] = states.get(0, initial[sample])
        for tick in sorted(states):
            after = states[tick]
            neuron = np.flatnonzero(before != after)
            where = (np.full(len(neuron), k) for k in (sample, tick))
            rows.append(np.stack([*where, neuron, before[neuron], after[neuron]], axis=1))
            before = after
    found = Trace.of_changes(layout, initial, ticks, np.concatenate(rows))
    shown = tuple(np.array(sorted(states), dtype=np.int64) for states in seen)
    return Trace(**{**vars(found), "shown": shown})


def trace_difference(expected: Trace, got: Trace, phase: str) -> Difference | None:
    """The first state, else the first number of ticks, in which two traces of a phase differ.

    phase: its name. Where a trace holds states that were seen now and then, those are compared.
    """
    whole = expected.shown is None and got.shown is None
    compare = _changes_difference if whole else _seen_difference
    if found := compare(expected, got, phase):
        return found
    at = first_unequal(expected.ticks, got.ticks)
    if at is None:
        return None
    values = int(expected.ticks[at]), int(got.ticks[at])
    return Difference(phase, at[0], "ticks", *values)


def _changes_difference(expected: Trace, got: Trace, phase: str) -> Difference | None:
    at = first_unequal(expected.initial, got.initial)
    if at is not None:
        values = [int(trace.initial[at]) for trace in (expected, got)]
        return Place(at[0], 0, at[1]).difference(expected.layout, phase, *values)
    mine, others = expected.rows, got.rows
    common = min(len(mine), len(others))
    differs = np.flatnonzero((mine[:common] != others[:common]).any(axis=1))
    if len(differs):
        index = int(differs[0])
        row = min(mine[index].tolist(), others[index].tolist())
    elif len(mine) != len(others):
        row = (mine if len(mine) > common else others)[common].tolist()
    else:
        return None
    place = Place(*row[:3])
    states = [_state(trace, place) for trace in (expected, got)]
    if states[0] != states[1]:
        return place.difference(expected.layout, phase, *states)
    ways = [_way(trace, place) for trace in (expected, got)]  # it changed twice, under faults
    return place.difference(expected.layout, phase, *ways)


def _state(trace: Trace, place: Place) -> int:
    """The state at the end of the tick."""
    entries = trace.of_sample(place.sample)
    known = (trace.neuron[entries] == place.neuron) & (trace.tick[entries] <= place.tick)
    after = trace.after[entries][known]
    return int(after[-1] if len(after) else trace.initial[place.sample, place.neuron])


def _way(trace: Trace, place: Place) -> str:
    """The states that a neuron took within the tick."""
    entries = trace.of_sample(place.sample)
    here = (trace.neuron[entries] == place.neuron) & (trace.tick[entries] == place.tick)
    states = [*trace.before[entries][here][:1], *trace.after[entries][here]]
    return " to ".join(str(state) for state in states) or "no change"


def _seen_difference(expected: Trace, got: Trace, phase: str) -> Difference | None:
    """Compares the states after every tick that both sides know; the ends are for others."""
    for sample in range(len(expected.initial)):
        mine, others = expected.trajectory(sample), got.trajectory(sample)
        for tick in _common_ticks(expected, got, sample):
            at = first_unequal(mine[tick], others[tick])
            if at is not None:
                values = int(mine[tick][at]), int(others[tick][at])
                return Place(sample, tick, at[0]).difference(expected.layout, phase, *values)
    return None


def compared_states(expected: Trace, got: Trace) -> int:
    """How many states `trace_difference` compares: those of every neuron in each common tick."""
    samples = range(len(expected.initial))
    return sum(len(_common_ticks(expected, got, k)) for k in samples) * expected.layout.neurons


def _common_ticks(one: Trace, other: Trace, sample: int) -> list[int]:
    ticks = set(range(min(int(one.ticks[sample]), int(other.ticks[sample])) + 1))
    for trace in (one, other):
        if trace.shown is not None:
            ticks &= set(trace.shown[sample].tolist())
    return sorted(ticks)
