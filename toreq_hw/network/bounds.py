"""How large an accumulator can become: exact ranges, so that overflow is excluded, not hoped.

The range of neuron i is reached at a corner of the state box: every neighbour at the end of
its range that pushes i furthest. The nudge adds at most ((s_max - s_min) << F) >> beta_shift.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from toreq_hw.network.coupling import Coupling
    from toreq_hw.network.network import Network
    from toreq_hw.network.population import Population

ACCUMULATOR_LIMIT = (1 << 31) - 1 - (1 << 15)
"""Largest magnitude of an accumulator: 32 bits signed, room left for the rounding half."""

Range = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def accumulator_range(network: "Network", name: str, *, any_weights: bool = False) -> Range:
    """Smallest and largest accumulator of each neuron, nudged phases included.

    Returns two int64 arrays, shape (size,), in units of the LSB 2^-F. With `any_weights`
    the bound holds for every weight the formats allow (weights loaded at run time, or
    learned) instead of the weights at hand; biases are those of the network in both cases.
    """
    population = network.population(name)
    fraction_bits = network.accumulator_fraction_bits(name)
    low = network.biases[name].astype(np.int64)
    high = low.copy()
    for coupling in network.couplings_of(name):
        shift = fraction_bits - coupling.fraction_bits
        for smallest, largest in _sum_ranges(network, coupling, name, any_weights):
            low += smallest << shift
            high += largest << shift
    if population is network.output:
        nudge = nudge_limit(population, fraction_bits, network.beta_shift)
        low -= nudge
        high += nudge
    return low, high


def accumulator_bits(network: "Network", name: str, *, any_weights: bool = False) -> int:
    """Bits of a two's complement accumulator that holds the range and its rounding half."""
    low, high = accumulator_range(network, name, any_weights=any_weights)
    half = (1 << network.accumulator_fraction_bits(name)) >> 1
    return max((int(high.max()) + half).bit_length(), (-int(low.min()) - 1).bit_length()) + 1


def nudge_limit(population: "Population", fraction_bits: int, beta_shift: int) -> int:
    """Largest magnitude of the nudge n = (e << F) >> beta_shift, for any error e."""
    reach = population.state_max - population.state_min
    return -((-reach << fraction_bits) >> beta_shift)


def _sum_ranges(
    network: "Network", coupling: "Coupling", name: str, any_weights: bool
) -> list[Range]:
    """Ranges of sum_j W s_j into population `name`; one entry per direction that enters it."""
    ranges = []
    if coupling.post == name:
        ranges.append(_sum_range(network.population(coupling.pre), coupling, False, any_weights))
    if coupling.pre == name and not coupling.is_self_coupling:
        ranges.append(_sum_range(network.population(coupling.post), coupling, True, any_weights))
    return ranges


def _sum_range(
    source: "Population", coupling: "Coupling", transposed: bool, any_weights: bool
) -> Range:
    weight = coupling.weight.T if transposed else coupling.weight
    if any_weights:
        terms = source.size - coupling.is_self_coupling
        reach = terms * coupling.weight_format.limit * max(source.state_max, -source.state_min)
        full = np.full(weight.shape[1], reach, dtype=np.int64)
        return -full, full
    positive = np.maximum(weight, 0).sum(axis=0, dtype=np.int64)
    negative = np.minimum(weight, 0).sum(axis=0, dtype=np.int64)
    low = positive * source.state_min + negative * source.state_max
    high = positive * source.state_max + negative * source.state_min
    return low, high
