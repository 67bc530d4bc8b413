"""A network with other weights: exact integers, or real conductances read by a converter."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.network import MAX_FRACTION_BITS, Network, WeightFormat
from toreq_hw.network.bounds import largest_fraction_bits

GRID_BITS = 6
"""Bits below a ternary weight's LSB that the converter of an analog array resolves: weights of
+-1 become +-64 of an 8-bit word, so that twice the largest weight still fits."""


def with_weights(network: Network, weights: Mapping[str, npt.NDArray[np.int8]]) -> Network:
    """`network` with some couplings' parameters replaced, by coupling name.

    weights: int8, each of the shape of the coupling's parameters.
    """
    couplings = tuple(
        c.with_parameters(weights[c.name]) if c.name in weights else c for c in network.couplings
    )
    return replace(network, couplings=couplings)


def through_converter(network: Network, real: Mapping[str, npt.NDArray[np.float64]]) -> Network:
    """`network` with real-valued weights, read by an 8-bit converter: integers again.

    real: parameters in units of the stored weight, by coupling name; others are read back as
    they are. A ternary coupling becomes INT8 with `GRID_BITS` more fraction bits, INT8 stays on its
    own grid; both saturate at +-127. Biases follow the finer LSB. Where every real weight equals
    the stored one, the result computes the same states, tick by tick. Arrays are float64 of the
    parameters' shapes.
    """
    couplings = []
    for coupling in network.couplings:
        wanted = real.get(coupling.name, coupling.parameters.astype(np.float64))
        ternary = coupling.weight_format is WeightFormat.TERNARY
        most = max(coupling.fraction_bits, coupling.back_fraction_bits)
        finer = min(GRID_BITS, MAX_FRACTION_BITS - most) if ternary else 0
        weight = np.clip(np.rint(wanted * (1 << finer)), -127, 127).astype(np.int8)
        grid: dict[str, Any] = {
            "fraction_bits": coupling.fraction_bits + finer,
            "weight_format": WeightFormat.INT8,
        }
        couplings.append(replace(coupling, **grid).with_parameters(weight))
    fraction_bits = {p.name: largest_fraction_bits(couplings, p.name) for p in network.relaxing}
    biases = {
        p.name: network.biases[p.name]
        << (fraction_bits[p.name] - network.accumulator_fraction_bits(p.name))
        for p in network.relaxing
    }
    return replace(network, couplings=tuple(couplings), biases=biases)
