"""The integer energy that every changing tick of a coloured schedule lowers.

docs/numerics.md, section 4: the Lyapunov function behind "relaxation always stops".
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Population, Projection, check_states
from toreq_hw.network.feedback import asymmetric

_LIMIT = (1 << 63) - 1


@named_type_errors
def doubled_energy(
    network: Network,
    inputs: npt.ArrayLike,
    states: dict[str, npt.NDArray[np.int16]],
    drive: npt.NDArray[np.int32] | None = None,
) -> npt.NDArray[np.int64]:
    """Twice the energy, in units of 2^-G, G the largest depth plus fraction bits of a population.

    inputs: (batch, input.size). states: per relaxing population (batch, size). drive: int32
    (batch, output.size), the nudge of a nudged phase. What a clamped output sends is constant, as
    the input. Returns int64 (batch,). Raises InputError, also for a network that has no energy, and
    where its depths ask for more than 64 bits.
    """
    inputs = check_states(network.input, inputs)
    named = [p.name for p in network.relaxing if p.name not in states]
    if named:
        raise InputError(f"states must be given for {', '.join(named)}, found none")
    checked = {p.name: check_states(p, states[p.name]) for p in network.relaxing}
    for coupling in asymmetric(network.updating, network.couplings):
        raise InputError(
            f"coupling {coupling.name!r}: feedback must be symmetric for an energy, not its own"
        )
    scale = _scales(network)
    total = np.zeros(len(inputs), dtype=np.int64)
    wide = {name: s.astype(np.int64) for name, s in checked.items()}
    wide[network.input.name] = inputs.astype(np.int64)
    for population in network.updating:
        fraction_bits = network.accumulator_fraction_bits(population.name)
        own = wide[population.name]
        bias = network.biases[population.name].astype(np.int64)
        if drive is not None and population is network.output:
            bias = bias + drive
        local = _staircase(population, fraction_bits, own) - 2 * bias * own
        total += local.sum(axis=1) << scale[population.name]
    for projection in _one_each(network):
        target = projection.target.name
        pairs = (projection.apply(wide[projection.source.name]) * wide[target]).sum(axis=1)
        # The full double sum of a self-coupling holds each pair twice, as "doubled" asks for.
        times = 1 if projection.is_self_projection else 2
        total -= (times * pairs) << scale[target]
    return total


def _one_each(network: Network) -> list[Projection]:
    """One projection a coupling whose target updates, the forward one where both do."""
    updating = {p.name for p in network.updating}
    found = [p for p in network.forward_projections if p.target.name in updating]
    backward = (p for p in network.projections if p.backward)
    return found + [p for p in backward if p.source.name not in updating]


def _scales(network: Network) -> dict[str, int]:
    """G - d - F of each relaxing population: the energy has 2^this of what its neurons minimise.

    Raises InputError where sums of a network could leave 64 bits.
    """
    fraction_bits = {p.name: network.accumulator_fraction_bits(p.name) for p in network.updating}
    largest = max(network.depths[name] + bits for name, bits in fraction_bits.items())
    scale = {name: largest - network.depths[name] - bits for name, bits in fraction_bits.items()}
    deepest = max(network.depths.values())
    widest = sum(_largest_difference(network, p) << scale[p.name] for p in network.updating)
    if deepest and widest > _LIMIT:
        raise InputError(
            "depths of populations must be close enough for an energy in 64 bits, found 0 and "
            f"{deepest}"
        )
    return scale


def _largest_difference(network: Network, population: Population) -> int:
    """What the terms of a population's neurons can add up to, in units of their accumulators."""
    largest = max(population.state_max, -population.state_min)
    one = 1 << network.accumulator_fraction_bits(population.name)
    staircase = 2 * (largest + 1) * largest * one + 2 * largest * (one + 1)
    linear = 2 * largest * network.largest_sums[population.name]
    return population.size * (staircase + linear)


def _staircase(
    population: Population, fraction_bits: int, states: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Closed form of sum_{s_min <= k < s} ( ((k + 1) << (F + 1)) - 2 half - 1 )."""
    low = population.state_min
    steps = states - low
    levels = (states * (states + 1) - low * (low + 1)) // 2  # sum of k + 1
    return (levels << (fraction_bits + 1)) - steps * (2 * rounding_half(fraction_bits) + 1)
