"""Every state of every tick of a phase, kept as the list of changes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout


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
