"""What an event walks on a chip: the synapses of the lists that the map stores.

A list stored sparse holds no zero weight, so an event passes none; a dense list holds them all. A
neuron without a non-zero weight to a core has no list there, and sends no message to it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.lava_backend.mapper.mapping import Mapping
from toreq_hw.lava_backend.mapper.partition import Incoming, edges_of_cores, incoming
from toreq_hw.network import Network


@dataclass(frozen=True, eq=False)
class Walk:
    """Of one projection, onto the cores of its target.

    entry: its stored weights. target: population. cores: int64 (k,), places in `Mapping.cores`.
    edges: first neuron of each of these, and the number of neurons, (k + 1,). synapses: int64
    (n_source, k), of each list, 0 where there is none. dense: bool (n_source, k), stored dense.
    from_outside: the input sends, which is on no core.
    """

    entry: Incoming
    target: str
    cores: npt.NDArray[np.int64]
    edges: tuple[int, ...]
    synapses: npt.NDArray[np.int64]
    dense: npt.NDArray[np.bool_]
    from_outside: bool

    @property
    def source(self) -> str:
        """The population that sends."""
        return self.entry.source

    def reached(self, neuron: int) -> list[int]:
        """Targets of one source neuron's stored synapses, zeros of dense lists included."""
        before = self.entry.before[neuron]
        found: list[int] = []
        for k, (first, last) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            if self.dense[neuron, k]:
                found += range(first, last)
            else:
                nonzero = np.flatnonzero(np.diff(before[first : last + 1]))
                found += (first + nonzero).tolist()
        return found


def walks(network: Network, mapping: Mapping) -> list[Walk]:
    """Of every projection into a population that is on cores."""
    found = []
    for population in network.relaxing:
        cores = [k for k, core in enumerate(mapping.cores) if core.population == population.name]
        edges = edges_of_cores([mapping.cores[k] for k in cores])
        entries = incoming(network, mapping.chip, population.name)
        for projection, entry in zip(network.into(population.name), entries, strict=True):
            nonzero = entry.lists(edges)
            dense = entry.is_dense(edges, mapping.chip)
            synapses = np.where(dense, np.diff(edges), nonzero)
            place = np.array(cores)
            found.append(
                Walk(
                    entry=entry,
                    target=population.name,
                    cores=place,
                    edges=tuple(edges),
                    synapses=synapses,
                    dense=dense,
                    from_outside=projection.from_input,
                )
            )
    return found
