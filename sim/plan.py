"""A network flattened into arrays, the form in which compiled code walks it.

Every direction of every coupling becomes a *fan*: rows of weights from a source population
to a target population, contiguous per source neuron. The input only has fans outwards; a
coupling between relaxing populations has two, its matrix and its transpose.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network
from toreq_hw.sim.fixed_point import rounding_half
from toreq_hw.sim.layout import Layout

Ints = npt.NDArray[np.int64]


class Plan(NamedTuple):
    """Populations are numbered by relaxing order; the input has number -1.

    fan_first: fans of population p are fan_first[p] .. fan_first[p + 1] - 1, and those of
    the input fan_first[-2] .. fan_first[-1] - 1. fan_weight: where a fan's rows begin in
    `weights`; row j of a fan to `target` has population_size[target] entries.
    """

    population_start: Ints
    population_size: Ints
    fraction_bits: Ints
    half: Ints
    state_min: Ints
    state_max: Ints
    fan_first: Ints
    fan_target: Ints
    fan_weight: Ints
    fan_shift: Ints
    fan_synops: Ints
    weights: npt.NDArray[np.int8]
    colour_first: Ints
    block_population: Ints
    block_start: Ints
    block_stop: Ints
    bias: npt.NDArray[np.int32]


def compile_plan(network: Network) -> Plan:
    """Flattens `network`; global neuron indices are those of `Layout`."""
    layout = Layout(network)
    number = {p.name: index for index, p in enumerate(network.relaxing)}
    fans: list[tuple[str, int, int, int]] = []
    first = [0]
    rows: list[npt.NDArray[np.int8]] = []
    offset = 0
    for source in [*(p.name for p in network.relaxing), network.input.name]:
        for target, shift, weight in _fans(network, source):
            fans.append((source, number[target], offset, shift))
            rows.append(weight.ravel())
            offset += weight.size
        first.append(len(fans))
    blocks = [block for colour in network.colours for block in colour]
    fraction_bits = [network.accumulator_fraction_bits(p.name) for p in network.relaxing]
    sizes = [p.size for p in network.relaxing]
    fan_target = _ints([target for _, target, _, _ in fans])
    return Plan(
        population_start=_ints([layout.starts[p.name] for p in network.relaxing]),
        population_size=_ints(sizes),
        fraction_bits=_ints(fraction_bits),
        half=_ints([rounding_half(f) for f in fraction_bits]),
        state_min=_ints([p.state_min for p in network.relaxing]),
        state_max=_ints([p.state_max for p in network.relaxing]),
        fan_first=_ints(first),
        fan_target=fan_target,
        fan_weight=_ints([weight for _, _, weight, _ in fans]),
        fan_shift=_ints([shift for _, _, _, shift in fans]),
        fan_synops=_ints([sizes[target] for target in fan_target]),
        weights=np.concatenate([np.zeros(0, dtype=np.int8), *rows]),
        colour_first=_ints(np.cumsum([0, *(len(colour) for colour in network.colours)]).tolist()),
        block_population=_ints([number[b.population] for b in blocks]),
        block_start=_ints([layout.span(b).start for b in blocks]),
        block_stop=_ints([layout.span(b).stop for b in blocks]),
        bias=np.concatenate([network.biases[p.name] for p in network.relaxing]),
    )


def _fans(network: Network, source: str) -> list[tuple[str, int, npt.NDArray[np.int8]]]:
    """(target, shift, weight rows by source neuron) of every coupling that leaves `source`."""
    fans = []
    for coupling in network.couplings_of(source):
        target = coupling.post if coupling.pre == source else coupling.pre
        if target == network.input.name:
            continue
        weight = coupling.weight if coupling.pre == source else coupling.weight.T
        shift = network.accumulator_fraction_bits(target) - coupling.fraction_bits
        fans.append((target, shift, np.ascontiguousarray(weight)))
    return fans


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)
