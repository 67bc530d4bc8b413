"""Couplings times a real gain, on the finest grid of INT8 weights that holds them."""

from collections.abc import Collection
from dataclasses import replace
from math import floor, log2

import numpy as np

from toreq_hw.network import MAX_FRACTION_BITS, Coupling, Network, WeightFormat
from toreq_hw.network.bounds import largest_fraction_bits
from toreq_hw.sim.perturbation.reprogram import GRID_BITS


def with_gain(network: Network, names: Collection[str], gain: float) -> Network:
    """The network with the couplings of these names times `gain`, rounded to INT8.

    They get the most fraction bits that hold the largest weight. Biases follow the new
    accumulators. Raises NetworkError where the result does not fit 32-bit accumulators.
    """
    couplings: list[Coupling] = []
    for coupling in network.couplings:
        if coupling.name not in names:
            couplings.append(coupling)
            continue
        largest = max(1, int(np.abs(coupling.parameters).max(initial=0))) * gain
        finer = min(GRID_BITS, floor(log2(127 / largest))) if largest else 0
        most = max(coupling.fraction_bits, coupling.back_fraction_bits)
        finer = max(-coupling.fraction_bits, min(finer, MAX_FRACTION_BITS - most))
        words = np.rint(coupling.parameters * gain * 2.0**finer).clip(-127, 127)
        grid = replace(  # type: ignore[call-arg] # every kind has these fields
            coupling,
            fraction_bits=coupling.fraction_bits + finer,
            weight_format=WeightFormat.INT8,
        )
        couplings.append(grid.with_parameters(words.astype(np.int8)))
    biases = {}
    for population in network.relaxing:
        name = population.name
        more = largest_fraction_bits(couplings, name, network.terms)
        more -= network.accumulator_fraction_bits(name)
        scaled = np.rint(network.biases[name] * 2.0**more)
        biases[name] = scaled.astype(np.int32)
    return replace(network, couplings=tuple(couplings), biases=biases)
