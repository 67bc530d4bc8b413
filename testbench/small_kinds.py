"""A small network of a convolution and a sparse coupling, for readers that take toys as well."""

from collections.abc import Callable

import numpy as np

from testbench.structured import dense_equivalent, drawn_weights, population
from testbench.toy_couplings import ToyCase, toy_case
from toreq_hw.network import (
    ConvolutionCoupling,
    Coupling,
    Network,
    Population,
    Schedule,
    SparseCoupling,
    WeightFormat,
)
from toreq_hw.network.couplings import patterns

MOST = 40
"""Magnitude of a weight, where the format has as many."""


def small_case(
    seed: int,
    weight_format: WeightFormat = WeightFormat.INT8,
    schedule: Schedule = Schedule.PARITY,
    batch: int = 3,
    state_bits: int = 4,
) -> ToyCase:
    """input -convolution- hidden -sparse- output; without parity hidden has a ring to itself too.

    The biases of hidden are one a channel. Arguments are those of `toy_case`.
    """
    rng = np.random.default_rng(seed)
    f = 5 if weight_format is WeightFormat.INT8 else 1
    shapes = {"input": (4, 4, 1), "hidden": (3, 3, 2), "output": (5,)}
    populations = tuple(
        population(name, shape, state_bits, shared=name == "hidden")
        for name, shape in shapes.items()
    )
    couplings: list[Coupling] = [
        ConvolutionCoupling(
            "input",
            "hidden",
            drawn_weights(rng, weight_format, (2, 2, 1, 2), MOST),
            f,
            weight_format,
            input_shape=(4, 4, 1),
        ),
        _few_pairs(rng, populations[1:], patterns.random(18, 5, 0.4, seed), weight_format, f + 1),
    ]
    if schedule is not Schedule.PARITY:
        ends = (populations[1], populations[1])
        couplings.append(_few_pairs(rng, ends, patterns.ring(18, 2), weight_format, f))
    biases = {p.name: rng.integers(-60, 61, p.biases).astype(np.int32) for p in populations[1:]}
    network = Network(populations, tuple(couplings), biases, schedule)
    return ToyCase(
        network=network,
        inputs=rng.integers(0, network.input.state_max + 1, (batch, 16)).astype(np.int16),
        labels=rng.integers(0, 5, batch),
        dense=dense_equivalent(network),
    )


def _few_pairs(
    rng: np.random.Generator,
    ends: tuple[Population, ...],
    pairs: patterns.Pairs,
    weight_format: WeightFormat,
    fraction_bits: int,
) -> SparseCoupling:
    one, other = ends
    return SparseCoupling.of_pairs(
        one.name,
        other.name,
        pairs,
        (one.size, other.size),
        weight=drawn_weights(rng, weight_format, (len(pairs[0]),), MOST),
        fraction_bits=fraction_bits,
        weight_format=weight_format,
    )


Maker = Callable[..., ToyCase]

MAKERS: tuple[Maker, ...] = (toy_case, small_case)
"""Kinds that only the tests know, and those of the project: readers are tried with both."""
