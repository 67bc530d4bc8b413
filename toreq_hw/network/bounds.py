"""How large an accumulator can become: exact ranges, so that overflow is excluded, not hoped.

The range of neuron i is reached at a corner of the state box: every neighbour at the end of
its range that pushes i furthest. The nudge adds at most ((s_max - s_min) << F) >> beta_shift.
A clamped output is not nudged; what it sends is in its own state range. Trilinear terms have
bounds in place of ranges: see `TermShare.sum_range`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings.coupling import Range
from toreq_hw.network.fixed_point import nudge, rounding_half
from toreq_hw.reading import shown

if TYPE_CHECKING:
    from toreq_hw.network.couplings import Coupling
    from toreq_hw.network.network import Network
    from toreq_hw.network.population import Population
    from toreq_hw.network.trilinear import Trilinear

ACCUMULATOR_LIMIT = (1 << 31) - 1 - (1 << 15)
"""Largest magnitude of an accumulator: 32 bits signed, room left for the rounding half."""


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
    for projection in network.into(name):
        smallest, largest = projection.sum_range(any_weights=any_weights)
        low += smallest
        high += largest
    for share in network.shares_into(name):
        smallest, largest = share.sum_range()
        low += smallest
        high += largest
    if population is network.output and network.readout is None:
        drive = nudge_limit(population, fraction_bits, network.beta_shift)
        low -= drive
        high += drive
    return low, high


def check_accumulators(network: "Network") -> None:
    """Raises NetworkError where an accumulator of a network could leave 32 bits."""
    for name, largest in network.largest_sums.items():
        if largest > ACCUMULATOR_LIMIT:
            raise NetworkError(
                f"population {shown(name)}: accumulators must stay within "
                f"+-{ACCUMULATOR_LIMIT} (32 bits, rounding included), worst case is {largest}"
            )


def accumulator_bits(network: "Network", name: str, *, any_weights: bool = False) -> int:
    """Bits of a two's complement accumulator that holds the range and its rounding half."""
    low, high = accumulator_range(network, name, any_weights=any_weights)
    half = rounding_half(network.accumulator_fraction_bits(name))
    return max((int(high.max()) + half).bit_length(), (-int(low.min()) - 1).bit_length()) + 1


def nudge_limit(population: "Population", fraction_bits: int, beta_shift: int) -> int:
    """Largest magnitude of the nudge n = (e << F) >> beta_shift, for any error e."""
    state_range = population.state_max - population.state_min
    return -int(nudge(-state_range, fraction_bits, beta_shift))


def largest_fraction_bits(
    couplings: Sequence["Coupling"], name: str, terms: Sequence["Trilinear"] = ()
) -> int:
    """F of docs/numerics.md: the largest fraction bits of what arrives at a population, or 0."""
    forward = [c.fraction_bits for c in couplings if c.post == name]
    forward += [term.fraction_bits for term in terms if name in term.ends]
    return max([0, *forward, *(c.back_fraction_bits for c in couplings if c.pre == name)])
