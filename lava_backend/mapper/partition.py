"""Splitting: how many neurons of a population one core can hold, and why not more.

A core holds neurons of one population, with every weight that leads to them: one list of
synapses for each source neuron (axon in) that reaches the core. A list is stored dense, every
weight in turn, or sparse, non-zero weights with their index, whichever is smaller. Where the chip
can, equal lists of shared weights are stored once (`sharing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.lava_backend.mapper.sharing import SharedEdges, shared_edges
from toreq_hw.network import Network, WeightFormat
from toreq_hw.records.chip import Chip, Core

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Incoming:
    """The weights that lead to a population from one source.

    before: int32 (n_source, n_target + 1), how many non-zero weights of a source neuron lead
    to targets before each; every split is counted from it without another look at the weights.
    shared: its edges, where several have one weight and the chip stores equal lists once.
    """

    source: str
    before: npt.NDArray[np.int32]
    weight_bits: int
    shared: SharedEdges | None = None

    def lists(self, edges: Sequence[int]) -> Ints:
        """Synapses of each source neuron's list on each core, int64 (n_source, cores).

        edges: first neuron of every core, and the number of neurons.
        """
        counts: Ints = np.diff(self.before[:, edges], axis=1).astype(np.int64)
        return counts

    def bits(self, edges: Sequence[int], chip: Chip, *, sharing: bool = True) -> Ints:
        """Memory of all lists on each core, int64 (cores,).

        edges: as for `lists`. sharing: False counts every list, whatever the chip can.
        """
        found = _list_bits(self.lists(edges), np.diff(edges), self.weight_bits, chip)
        if sharing and self.shared is not None:
            found = found * self.shared.stored(edges)
        total: Ints = found.sum(axis=0)
        return total

    def is_dense(self, edges: Sequence[int], chip: Chip) -> npt.NDArray[np.bool_]:
        """Which lists are stored dense, bool (n_source, cores); sparse where both are as large."""
        lists = self.lists(edges)
        dense, sparse = _both_bits(lists, np.diff(edges), self.weight_bits, chip)
        found: npt.NDArray[np.bool_] = (lists > 0) & (dense < sparse)
        return found


@dataclass(frozen=True)
class Part:
    """Neurons first..last - 1 of a population, and what they take on a core."""

    population: str
    first: int
    last: int
    synapse_bits: int
    axons_in: int
    axons_out: int = 0

    @property
    def neurons(self) -> int:
        """How many."""
        return self.last - self.first


def incoming(network: Network, chip: Chip, name: str) -> list[Incoming]:
    """The weights of every projection into population `name`."""
    found = []
    for projection in network.into(name):
        ternary = projection.weight_format is WeightFormat.TERNARY
        bits = chip.counts["ternary_weight_bits" if ternary else "weight_bits"]
        shared = shared_edges(projection, chip.counts["axons_per_list"])
        found.append(Incoming(projection.source.name, _before(projection.matrix), bits, shared))
    return found


def _before(weight: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
    before = np.zeros((weight.shape[0], weight.shape[1] + 1), dtype=np.int32)
    np.cumsum(weight != 0, axis=1, out=before[:, 1:])
    return before


def split(sources: list[Incoming], name: str, size: int, cores: int, chip: Chip) -> list[Part]:
    """`size` neurons spread evenly over `cores` cores."""
    edges = [round(k * size / cores) for k in range(cores + 1)]
    bits = np.zeros(cores, dtype=np.int64)
    axons = np.zeros(cores, dtype=np.int64)
    for source in sources:
        bits += source.bits(edges, chip)
        axons += np.count_nonzero(source.lists(edges), axis=0)
    return [Part(name, edges[k], edges[k + 1], int(bits[k]), int(axons[k])) for k in range(cores)]


def _list_bits(lists: Ints, widths: Ints, weight_bits: int, chip: Chip) -> Ints:
    """Memory of each synapse list: blocks of synapses with a header, rounded up to words."""
    dense, sparse = _both_bits(lists, widths, weight_bits, chip)
    smaller: Ints = np.where(lists > 0, np.minimum(dense, sparse), 0)
    return smaller


def _both_bits(lists: Ints, widths: Ints, weight_bits: int, chip: Chip) -> tuple[Ints, Ints]:
    """Of each list, stored dense and stored sparse."""
    dense = _encoded_bits(widths, weight_bits, chip)
    sparse = _encoded_bits(lists, weight_bits + chip.counts["index_bits"], chip)
    return dense, sparse


def _encoded_bits(synapses: Ints, synapse_bits: int, chip: Chip) -> Ints:
    block, word = chip.counts["synapses_per_block"], chip.counts["word_bits"]
    header = chip.counts["header_bits"]
    whole, rest = np.divmod(synapses, block)
    full_block = -(-(block * synapse_bits + header) // word) * word
    last_block = -(-(rest * synapse_bits + header) // word) * word
    total: Ints = whole * full_block + np.where(rest > 0, last_block, 0)
    return total


def edges_of(parts: list[Part]) -> list[int]:
    """First neuron of every part, and the number of neurons."""
    return [*(part.first for part in parts), parts[-1].last]


def edges_of_cores(cores: Sequence[Core]) -> list[int]:
    """First neuron of every core of a population, and the number of its neurons."""
    return [*(core.first for core in cores), cores[-1].last]


def axons_out(part: Part, outgoing: list[npt.NDArray[np.bool_]]) -> int:
    """Pairs of a neuron of the part and a core it must send to.

    outgoing: for each target population, bool (n_source, target cores), which are reached.
    """
    return sum(int(np.count_nonzero(reached[part.first : part.last])) for reached in outgoing)
