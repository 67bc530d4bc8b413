"""Splitting: how many neurons of a population one core can hold, and why not more.

A core holds neurons of one population, with every weight that leads to them: one list of
synapses for each source neuron (axon in) that reaches the core. A list is stored dense, every
weight in turn, or sparse, non-zero weights with their index, whichever is smaller.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.lava_backend.mapper.chip import Chip
from toreq_hw.network import Network, WeightFormat

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Incoming:
    """The weights that lead to a population from one source: (n_source, n_target), non-zero?"""

    source: str
    present: npt.NDArray[np.bool_]
    weight_bits: int


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
    """Every direction of a coupling that ends at population `name`."""
    found = []
    for coupling in network.couplings_of(name):
        ternary = coupling.weight_format is WeightFormat.TERNARY
        bits = chip.counts["ternary_weight_bits" if ternary else "weight_bits"]
        present = coupling.weight != 0
        if coupling.post == name:
            found.append(Incoming(coupling.pre, present, bits))
        elif coupling.pre == name:
            found.append(Incoming(coupling.post, present.T, bits))
    return found


def split(sources: list[Incoming], name: str, size: int, cores: int, chip: Chip) -> list[Part]:
    """`size` neurons spread evenly over `cores` cores."""
    edges = [round(k * size / cores) for k in range(cores + 1)]
    starts = np.array(edges[:-1])
    widths = np.diff(edges)
    bits = np.zeros(cores, dtype=np.int64)
    axons = np.zeros(cores, dtype=np.int64)
    for source in sources:
        # (n_source, cores): synapses of each source neuron's list on each core
        lists = np.add.reduceat(source.present, starts, axis=1, dtype=np.int64)
        bits += _list_bits(lists, widths, source.weight_bits, chip).sum(axis=0)
        axons += np.count_nonzero(lists, axis=0)
    return [Part(name, edges[k], edges[k + 1], int(bits[k]), int(axons[k])) for k in range(cores)]


def _list_bits(lists: Ints, widths: Ints, weight_bits: int, chip: Chip) -> Ints:
    """Memory of each synapse list: blocks of synapses with a header, rounded up to words."""
    dense = _encoded_bits(np.broadcast_to(widths, lists.shape), weight_bits, chip)
    sparse = _encoded_bits(lists, weight_bits + chip.counts["index_bits"], chip)
    smaller: Ints = np.where(lists > 0, np.minimum(dense, sparse), 0)
    return smaller


def _encoded_bits(synapses: Ints, synapse_bits: int, chip: Chip) -> Ints:
    block, word = chip.counts["synapses_per_block"], chip.counts["word_bits"]
    header = chip.counts["header_bits"]
    whole, rest = np.divmod(synapses, block)
    full_block = -(-(block * synapse_bits + header) // word) * word
    last_block = -(-(rest * synapse_bits + header) // word) * word
    total: Ints = whole * full_block + np.where(rest > 0, last_block, 0)
    return total


def axons_out(part: Part, outgoing: list[npt.NDArray[np.bool_]]) -> int:
    """Pairs of a neuron of the part and a core it must send to.

    outgoing: for each target population, bool (n_source, target cores), which are reached.
    """
    return sum(int(np.count_nonzero(reach[part.first : part.last])) for reach in outgoing)
