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
    the input. Of a network with budget rows, `L' E2 + sum j a_j`, which breaks ties of a row.
    Returns int64 (batch,). Raises InputError, also for a network that has no energy, and where one
    asks for more than 64 bits.
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
        steps = _staircase(population, fraction_bits, own)
        if population.rows is not None:
            steps = _units_cost(network.row_tables[population.name], own)
        local = steps - 2 * bias * own
        total += local.sum(axis=1) << scale[population.name]
    for projection in _one_each(network):
        target = projection.target.name
        pairs = (projection.apply(wide[projection.source.name]) * wide[target]).sum(axis=1)
        # The full double sum of a self-coupling holds each pair twice, as "doubled" asks for.
        times = 1 if projection.is_self_projection else 2
        total -= (times * pairs) << scale[target]
    for share in network.term_shares:
        if share.role == 0:
            name = share.target.name
            total -= 2 * (share.apply(wide) * wide[name]).sum(axis=1) << scale[name]
    return _with_ties(network, total, wide)


def sums_energy_by_changes(network: Network) -> bool:
    """Whether `energy_of_changes` holds: no two neurons that change in one tick share a term."""
    rows = any(p.rows is not None for p in network.updating)
    return network.has_energy and network.sweep.always_settles and not rows


@named_type_errors
def energy_of_changes(
    network: Network,
    neurons: npt.NDArray[np.integer],
    before: npt.NDArray[np.integer],
    after: npt.NDArray[np.integer],
    accumulators: npt.NDArray[np.int64],
) -> int:
    """By how much the changes of one tick raise twice the energy: below 0 for every update.

    neurons, before, after: integers (changes,), neurons in `Layout` order. accumulators: int64
    (neurons,), of all, LSB 2^-F, without the rounding half. It takes a time that does not grow
    with the network. Raises InputError where `sums_energy_by_changes` is false.
    """
    if not sums_energy_by_changes(network):
        raise InputError("changes must be of a colour without terms inside, with an energy")
    scale, total, start = _scales(network), 0, 0
    for population in network.relaxing:
        inside = (neurons >= start) & (neurons < start + population.size)
        start += population.size
        if not inside.any():
            continue
        fraction_bits = network.accumulator_fraction_bits(population.name)
        old, new = before[inside].astype(np.int64), after[inside].astype(np.int64)
        steps = _staircase(population, fraction_bits, new)
        steps = steps - _staircase(population, fraction_bits, old)
        linear = 2 * accumulators[neurons[inside]] * (new - old)
        total += int((steps - linear).sum()) << scale[population.name]
    return total


def _units_cost(table: tuple[int, ...], states: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """sum_{k < a} (2 theta_k - 1) of each cell of a budget row."""
    cost = np.concatenate([[0], np.cumsum([2 * theta - 1 for theta in table])])
    found: npt.NDArray[np.int64] = cost[states]
    return found


def _tie_factor(network: Network) -> int:
    """L': one more than the length of the longest row; 1 without rows."""
    return 1 + max((p.rows.length for p in network.updating if p.rows is not None), default=0)


def _with_ties(
    network: Network, total: npt.NDArray[np.int64], states: dict[str, npt.NDArray[np.int64]]
) -> npt.NDArray[np.int64]:
    """L' E2 plus each unit's index in its row, which is how a row breaks ties."""
    total = total * _tie_factor(network)
    for population in network.updating:
        if population.rows is not None:
            index = np.arange(population.size) % population.rows.length
            total += states[population.name] @ index
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
    factor = _tie_factor(network)
    if factor > 1 and (widest + 1) * factor > _LIMIT:
        raise InputError(
            f"rows must be short enough for an energy in 64 bits, found length {factor - 1}"
        )
    return scale


def _largest_difference(network: Network, population: Population) -> int:
    """What the terms of a population's neurons can add up to, in units of their accumulators."""
    largest = max(population.state_max, -population.state_min)
    one = 1 << network.accumulator_fraction_bits(population.name)
    table = network.row_tables.get(population.name, ())
    if table:
        one = max(one, 2 * max(-table[0], table[-1]))
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
