"""Networks whose colours are sets of neurons: a chequered lattice, and random ones."""

from dataclasses import replace

import numpy as np

from testbench.networks import Case, random_case
from toreq_hw.contract.layout import Layout
from toreq_hw.network import (
    Colouring,
    DenseCoupling,
    Network,
    NeuronSet,
    Population,
    Role,
    Schedule,
    WeightFormat,
)


def chequered_case(seed: int = 0, rows: int = 4, columns: int = 4, batch: int = 4) -> Case:
    """Input, a lattice whose neighbours are coupled, and an output; colours black, white, output.

    Two colours of the lattice are those of a chessboard: no two neighbours share one.
    """
    rng = np.random.default_rng(seed)
    size = rows * columns
    places = np.arange(size).reshape(rows, columns)
    lateral = np.zeros((size, size), dtype=np.int8)
    for one, other in ((places[1:], places[:-1]), (places[:, 1:], places[:, :-1])):
        lateral[one.ravel(), other.ravel()] = rng.integers(-90, 91, one.size)
    lateral += lateral.T
    populations = (
        Population("input", 6, Role.INPUT),
        Population("hidden", size, Role.HIDDEN, 7, signed=True),
        Population("output", 3, Role.OUTPUT, 6),
    )
    couplings = (
        DenseCoupling("input", "hidden", _weights(rng, 6, size), 9, WeightFormat.INT8),
        DenseCoupling("hidden", "hidden", lateral, 7, WeightFormat.INT8),
        DenseCoupling("hidden", "output", _weights(rng, size, 3), 6, WeightFormat.INT8),
    )
    black = (np.add(*np.divmod(np.arange(size), columns)) % 2 == 0).nonzero()[0].tolist()
    white = sorted(set(range(size)) - set(black))
    chess = (("hidden", black), ("hidden", white), ("output", range(3)))
    network = Network(
        populations,
        couplings,
        {"hidden": rng.integers(-500, 500, size, dtype=np.int32)},
        Colouring(tuple((NeuronSet(name, tuple(part)),) for name, part in chess)),
    )
    inputs = rng.integers(0, 256, (batch, 6), dtype=np.int16)
    return Case(network, inputs, rng.integers(0, 3, batch))


def coloured_case(seed: int, *, whole_output: bool = False) -> Case:
    """A random network, its neurons coloured one by one in random order: each takes the first
    colour that no neighbour has. Populations may couple to themselves. whole_output: the output
    has a colour of its own.
    """
    case = random_case(seed, schedule=Schedule.SEQUENTIAL, skips=True)
    network = case.network
    joined = adjacency(network)
    rng = np.random.default_rng(seed)
    colour = np.full(len(joined), -1)
    for neuron in rng.permutation(len(joined)):
        taken = set(colour[joined[neuron]].tolist())
        colour[neuron] = next(k for k in range(len(joined)) if k not in taken)
    if whole_output:
        colour[Layout(network).of(network.output)] = len(joined)
    order = rng.permutation(np.unique(colour))
    parts = Layout(network).split(colour[None].astype(np.int16))
    colours = tuple(
        tuple(
            NeuronSet(name, tuple(np.flatnonzero(own[0] == k).tolist()))
            for name, own in parts.items()
            if (own[0] == k).any()
        )
        for k in order.tolist()
    )
    return replace(case, network=replace(network, schedule=Colouring(colours)))


def adjacency(network: Network) -> np.ndarray:
    """Which relaxing neurons share a weight that is not zero, bool (neurons, neurons)."""
    layout = Layout(network)
    joined = np.zeros((layout.neurons, layout.neurons), dtype=bool)
    for projection in network.projections:
        if not projection.from_input:
            place = layout.of(projection.source), layout.of(projection.target)
            joined[place] = projection.matrix != 0
    return joined


def _weights(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    return rng.integers(-60, 61, (rows, columns)).astype(np.int8)
