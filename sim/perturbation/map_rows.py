"""Rows of a fault map, from what layers do to a network and to standing states."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Coupling, DenseCoupling, Network
from toreq_hw.sim.perturbation.layer import States


def names(network: Network) -> list[tuple[str, int]]:
    """Population and number of each neuron, in `Layout` order."""
    return [(p.name, k) for p in network.relaxing for k in range(p.size)]


def pairs(
    name: list[tuple[str, int]], values: npt.NDArray[np.int16], where: npt.NDArray[np.bool_]
) -> tuple[tuple[str, int, int], ...]:
    """Rows of neurons `where` something acts, with its value. values, where: (neurons,)."""
    return tuple((*name[i], int(values[i])) for i in np.flatnonzero(where))


def weight_rows(network: Network, damaged: Network) -> list[tuple[str, int, int, int]]:
    """Cells of dense couplings that read otherwise in `damaged`."""
    rows = []
    for before, after in _pairs_of(network, damaged):
        if not isinstance(before, DenseCoupling) or not isinstance(after, DenseCoupling):
            continue
        for row, column in np.argwhere(before.weight != after.weight).tolist():
            rows.append((before.name, row, column, int(after.weight[row, column])))
    return rows


def parameter_rows(network: Network, damaged: Network) -> Iterator[tuple[str, int, int]]:
    """Parameters of all other couplings that read otherwise in `damaged`."""
    for before, after in _pairs_of(network, damaged):
        if not isinstance(before, DenseCoupling):
            words = after.parameters.ravel()
            for k in np.flatnonzero(before.parameters.ravel() != words).tolist():
                yield before.name, k, int(words[k])


def _pairs_of(network: Network, damaged: Network) -> Iterator[tuple[Coupling, Coupling]]:
    return zip(network.couplings, damaged.couplings, strict=True)


def state_rows(before: States, after: States) -> list[tuple[int, str, int, int]]:
    """States int16 (samples, size) by population that differ, one row each."""
    rows = []
    for name, states in before.items():
        for sample, neuron in np.argwhere(states != after[name]).tolist():
            rows.append((sample, name, neuron, int(after[name][sample, neuron])))
    return rows
