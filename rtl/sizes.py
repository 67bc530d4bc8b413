"""Sizes of a core that take a look at the whole network."""

from typing import TypedDict

import numpy as np

from toreq_hw.contract.learning import BIAS_GUARD_BITS, BIAS_LATENT_LIMIT
from toreq_hw.errors import NetworkError
from toreq_hw.network import Need, Network, accumulator_range, require, require_plain
from toreq_hw.rtl.fixed_width import signed_bits
from toreq_hw.rtl.placement import PopulationPlacement, placement_of

MAX_ACCUMULATOR_BITS = 40
"""Widest accumulator; with any weights of the formats, not only those at hand."""


def update_order(network: Network) -> tuple[int, ...]:
    """Populations as the colours visit them; a self-coupled one stands for all its neurons.

    Populations of one colour share no coupling, so one may be walked before the next is
    updated: the core works block after block and never has to collect a whole colour.
    """
    names = [population.name for population in network.relaxing]
    visited = (name for part in network.sweep.passes for name in part.populations)
    return tuple(names.index(name) for name in visited)


def bias_bits_of(
    network: Network, placements: tuple[PopulationPlacement, ...], *, learns: bool
) -> int:
    """Bits of every bias with its rounding half added; of a core that `learns`, of any bias."""
    if learns:
        limit = (BIAS_LATENT_LIMIT >> BIAS_GUARD_BITS) + 1
        return signed_bits([-limit, limit + max(placement.half for placement in placements)])
    return max(
        signed_bits((network.biases[placement.name].astype(np.int64) + placement.half).tolist())
        for placement in placements
    )


def accumulator_bits_of(network: Network, bias_bits: int) -> int:
    """Bits of the sums that any weights and any biases of `bias_bits` can reach.

    Raises NetworkError naming the population where that is too many.
    """
    widest = 0
    for population in network.relaxing:
        bias = network.biases[population.name]
        low, high = accumulator_range(network.lowered, population.name, any_weights=True)
        bias_limit = 1 << (bias_bits - 1)
        ends = [int((low - bias).min()) - bias_limit, int((high - bias).max()) + bias_limit - 1]
        bits = signed_bits(ends)
        if bits > MAX_ACCUMULATOR_BITS:
            raise NetworkError(
                f"population {population.name!r}: accumulators for any weights must fit into "
                f"{MAX_ACCUMULATOR_BITS} bits, found {bits}; use fewer fraction bits or a "
                "smaller fan-in"
            )
        widest = max(widest, bits)
    return widest


class Sizes(TypedDict):
    """Fields of `CoreParameters` that follow from the network and the lanes alone."""

    input: PopulationPlacement
    output: int
    order: tuple[int, ...]
    accumulator_bits: int
    bias_bits: int
    beta_shift: int
    sweep_ticks: int
    network_sha256: str


def sizes_of(
    network: Network, relaxing: tuple[PopulationPlacement, ...], lanes: int, *, learns: bool
) -> Sizes:
    """The sizes of a core whose populations lie at `relaxing`.

    Raises NetworkError where accumulators would be too wide.
    """
    bias_bits = bias_bits_of(network, relaxing, learns=learns)
    return Sizes(
        input=placement_of(network, network.input, lanes, 0),
        output=network.relaxing.index(network.output),
        order=update_order(network),
        accumulator_bits=accumulator_bits_of(network, bias_bits),
        bias_bits=bias_bits,
        beta_shift=network.beta_shift,
        sweep_ticks=len(network.colours),
        network_sha256=network.sha256,
    )


def check_network(network: Network, max_sweeps: int, counter_bits: int) -> None:
    """Raises NetworkError where a core cannot count the sweeps, or knows no such schedule.

    The same for a clamped readout.
    """
    most = (1 << (counter_bits // 2)) - 1
    if not 1 <= max_sweeps <= most:
        raise NetworkError(f"max_sweeps must be in 1..{most}, not {max_sweeps!r}")
    require_plain(network, "for the core")
    require(
        network.sweep,
        "for the core",
        Need.ALWAYS_SETTLES,
        Need.VISITS_EACH_NEURON_ONCE,
        Need.WHOLE_POPULATIONS,
    )
