"""Runs: neighbouring edges of one neuron whose weights lie side by side.

They are the form in which compiled code walks a coupling of any kind. An event of a source neuron
walks its runs; within a run both the targets and the weights follow one another, as the columns
of a matrix do. A row of a dense matrix is one run; a convolution has one run a kernel position, as
long as there are channels.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Neurons = npt.NDArray[np.intp]
Starts = npt.NDArray[np.int64]
Columns = npt.NDArray[np.int32]

NO_BREAKS: Neurons = np.zeros(0, dtype=np.intp)


class Runs(NamedTuple):
    """The runs of every source neuron, one after another.

    first: int64 (sources + 1,), where the runs of each source neuron begin. target, place, length:
    int32 (runs,), the first target neuron, the place of its weight, and how many follow.
    """

    first: Starts
    target: Columns
    place: Columns
    length: Columns

    @property
    def common_length(self) -> int:
        """The length of all runs, or 0 where they differ."""
        lengths = np.unique(self.length)
        return int(lengths[0]) if len(lengths) == 1 else 0

    def moved(self, places: int) -> "Runs":
        """The same runs, all weights `places` further on."""
        return self._replace(place=(self.place + places).astype(np.int32))


def runs_of(
    source: Neurons, target: Neurons, place: Neurons, *, sources: int, breaks: Neurons = NO_BREAKS
) -> Runs:
    """The runs of edges given in any order, arrays intp (edges,).

    sources: how many source neurons there are. breaks: places, rising, before which a run ends.
    """
    order = np.lexsort((target, source))
    source, target, place = source[order], target[order], place[order]
    goes_on = np.zeros(len(source), dtype=np.bool_)
    goes_on[1:] = (
        (source[1:] == source[:-1])
        & (target[1:] == target[:-1] + 1)
        & (place[1:] == place[:-1] + 1)
        & ~np.isin(place[1:], breaks)
    )
    begins = np.flatnonzero(~goes_on)
    return Runs(
        first=np.searchsorted(source[begins], np.arange(sources + 1)).astype(np.int64),
        target=target[begins].astype(np.int32),
        place=place[begins].astype(np.int32),
        length=np.diff(begins, append=len(source)).astype(np.int32),
    )


def joined(first: Runs, second: Runs) -> Runs:
    """All runs of both, those of one source neuron side by side; the sources are the same."""
    counts = np.diff(first.first) + np.diff(second.first)
    neurons = np.arange(len(counts))
    owner = np.concatenate([np.repeat(neurons, np.diff(runs.first)) for runs in (first, second)])
    order = np.argsort(owner, kind="stable")
    return Runs(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        *(np.concatenate([a, b])[order] for a, b in zip(first[1:], second[1:], strict=True)),
    )
