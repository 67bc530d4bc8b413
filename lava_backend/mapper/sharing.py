"""Weights that several synapses share, where a chip stores such a list of synapses once.

Two axons have the same list on a core where their synapses have the same parameters at the same
distances from their first target. The chip then needs the list once and a first target an axon.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.network import DenseCoupling, Projection

Ints = npt.NDArray[np.int64]

_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class SharedEdges:
    """Synapses that are not zero, sorted by source and target; each int64 (synapses,).

    sources: neurons there are. axons_per_list: how many axons may use one list.
    """

    source: Ints
    target: Ints
    parameter: Ints
    sources: int
    axons_per_list: int

    def stored(self, edges: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Which source neurons' lists a core has to store, bool (sources, cores).

        edges: first neuron of every core, and the number of neurons.
        """
        cores = len(edges) - 1
        found = np.zeros((self.sources, cores), dtype=np.bool_)
        if not len(self.source):
            return found
        core = np.searchsorted(np.asarray(edges), self.target, side="right") - 1
        begins = np.flatnonzero(np.diff(self.source * cores + core, prepend=-1))
        pattern = self._patterns(begins)
        order = np.lexsort((pattern, core[begins]))
        own, at = pattern[order], core[begins][order]
        first = np.flatnonzero((np.diff(at, prepend=-1) != 0) | (own != np.roll(own, 1)))
        place = np.arange(len(own)) - np.repeat(first, np.diff(first, append=len(own)))
        kept = order[place % self.axons_per_list == 0]
        found[self.source[begins][kept], core[begins][kept]] = True
        return found

    def _patterns(self, begins: Ints) -> npt.NDArray[np.uint64]:
        """A number for each list, equal where distances and parameters are."""
        lengths = np.diff(begins, append=len(self.target))
        distance = self.target - np.repeat(self.target[begins], lengths)
        word = (distance.astype(np.uint64) << np.uint64(32)) ^ self.parameter.astype(np.uint64)
        for shift in (30, 27, 31):
            word = (word ^ (word >> np.uint64(shift))) * _MIX
        total: npt.NDArray[np.uint64] = np.add.reduceat(word, begins)
        return total


def shared_edges(projection: Projection, axons_per_list: int) -> SharedEdges | None:
    """The edges of a projection whose parameters are shared, else None.

    None as well where the chip lets no two axons use one list.
    """
    coupling = projection.coupling
    if axons_per_list == 1 or isinstance(coupling, DenseCoupling):
        return None
    pre, post, parameter = (part.astype(np.int64) for part in coupling.edges())
    if len(parameter) <= coupling.parameters.size or coupling.is_self_coupling:
        return None
    source, target = (post, pre) if projection.backward else (pre, post)
    there = np.flatnonzero(coupling.parameters.reshape(-1)[parameter] != 0)
    order = there[np.lexsort((target[there], source[there]))]
    return SharedEdges(
        source[order], target[order], parameter[order], projection.source.size, axons_per_list
    )
