"""Mapping a network: split, count, place, and say for each core what it holds of each limit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.operations import message_bits
from toreq_hw.errors import InputError
from toreq_hw.lava_backend.mapper.partition import (
    Incoming,
    Part,
    axons_out,
    edges_of,
    incoming,
    split,
)
from toreq_hw.lava_backend.mapper.place import Placement, place
from toreq_hw.network import Network, Population, accumulator_bits
from toreq_hw.records.chip import Chip, ChipMap, Core, SharedWeights

MAX_CORES = 1 << 14
"""128 chips of 128 cores; a network that needs more is refused rather than mapped for hours."""

LIMITS = ("neurons", "synapse_bits", "axons_in", "axons_out")
"""Of a core; `<limit>_per_core` in a chip description."""


@dataclass(frozen=True)
class Violation:
    """A limit that a population breaks, and how to correct it."""

    population: str
    limit: str
    needed: int
    allowed: int
    fix: str

    def __str__(self) -> str:
        return (
            f"population {self.population!r}: {self.limit} must be at most {self.allowed}, "
            f"needs {self.needed}; {self.fix}"
        )


@dataclass(frozen=True)
class Mapping:
    """The whole map. hops: mean distance an event travels, before and after placement.

    shared: what lists of shared weights take, by projection.
    """

    chip: Chip
    cores: tuple[Core, ...]
    chips_used: int
    hops_in_order: float
    hops: float
    violations: tuple[Violation, ...]
    shared: tuple[SharedWeights, ...] = ()

    @property
    def cores_used(self) -> int:
        """Neurocores that hold neurons."""
        return len(self.cores)

    def record(self) -> ChipMap:
        """The map as it is written."""
        return ChipMap(
            chip=self.chip,
            cores_used=self.cores_used,
            chips_used=self.chips_used,
            hops_per_event=self.hops,
            hops_per_event_in_order=self.hops_in_order,
            cores=self.cores,
            violations=tuple(str(violation) for violation in self.violations),
            shared=self.shared,
        )


@named_type_errors
def map_network(
    network: Network, chip: Chip, events: npt.NDArray[np.float64] | None = None
) -> Mapping:
    """Maps `network` onto as many cores and chips as it takes.

    events: mean events of each relaxing neuron a sample, (neurons,) in file order, for
    placement; one each if None. A network that breaks a limit however it is split is mapped as
    if it did not, and the violations say what breaks. The input is not on a core: its events
    come in from outside.
    """
    sources = {p.name: incoming(network, chip, p.name) for p in network.relaxing}
    counts = {p.name: _fewest_cores(sources[p.name], p, chip) for p in network.relaxing}
    parts = _with_axons_out(network, chip, sources, counts)
    flat = [part for name in counts for part in parts[name]]
    traffic = _traffic(network, sources, parts, events)
    placement = place(traffic, chip)
    cores = tuple(_core(part, k, placement, chip) for k, part in enumerate(flat))
    return Mapping(
        chip=chip,
        cores=cores,
        chips_used=-(-len(flat) // chip.cores),
        hops_in_order=placement.hops_in_order,
        hops=placement.hops,
        violations=tuple(_violations(network, chip, parts)),
        shared=tuple(_shared(network, chip, sources, parts)),
    )


def _shared(
    network: Network,
    chip: Chip,
    sources: dict[str, list[Incoming]],
    parts: dict[str, list[Part]],
) -> Iterator[SharedWeights]:
    """Of every projection whose synapses outnumber its weights."""
    for target, entries in sources.items():
        edges = edges_of(parts[target])
        for projection, entry in zip(network.into(target), entries, strict=True):
            coupling = projection.coupling
            synapses = int(projection.fan_outs.sum())
            if synapses > coupling.parameters.size and not coupling.is_self_coupling:
                yield SharedWeights(
                    projection=projection.name,
                    weights=coupling.parameters.size,
                    synapses=synapses,
                    bits=int(entry.bits(edges, chip).sum()),
                    bits_unshared=int(entry.bits(edges, chip, sharing=False).sum()),
                )


def _fewest_cores(sources: list[Incoming], population: Population, chip: Chip) -> int:
    """The fewest equal parts that keep neurons, synapse memory and axons in within limits.

    A limit that a single neuron breaks is left to the violations: no split can repair it.
    """
    name, size = population.name, population.size
    alone = _worst(split(sources, name, size, size, chip))
    mendable = {
        limit: chip.counts[f"{limit}_per_core"]
        for limit in ("synapse_bits", "axons_in")
        if alone[limit] <= chip.counts[f"{limit}_per_core"]
    }
    fewest, most = -(-size // chip.counts["neurons_per_core"]), size
    while fewest < most:
        middle = (fewest + most) // 2
        worst = _worst(split(sources, name, size, middle, chip))
        if all(worst[limit] <= allowed for limit, allowed in mendable.items()):
            most = middle
        else:
            fewest = middle + 1
    _check_size(fewest, name)
    return fewest


def _worst(parts: list[Part]) -> dict[str, int]:
    return {limit: max(getattr(part, limit) for part in parts) for limit in LIMITS}


def _check_size(cores: int, name: str) -> None:
    if cores > MAX_CORES:
        raise InputError(
            f"population {name!r}: must map to at most {MAX_CORES} cores, needs {cores} or more"
        )


def _with_axons_out(
    network: Network, chip: Chip, sources: dict[str, list[Incoming]], counts: dict[str, int]
) -> dict[str, list[Part]]:
    """Splits further where a core would send to too many others; raises `counts` in place."""
    while True:
        parts = {
            p.name: split(sources[p.name], p.name, p.size, counts[p.name], chip)
            for p in network.relaxing
        }
        reached = _reached_cores(network, sources, parts)
        for name, of_name in parts.items():
            parts[name] = [replace(p, axons_out=axons_out(p, reached[name])) for p in of_name]
        grown = False
        for population in network.relaxing:
            most = max(part.axons_out for part in parts[population.name])
            over = most / chip.counts["axons_out_per_core"]
            if over > 1 and counts[population.name] < population.size:
                wanted = int(counts[population.name] * over) + 1
                counts[population.name] = min(population.size, wanted)
                _check_size(counts[population.name], population.name)
                grown = True
        if not grown:
            return parts


def _reached_cores(
    network: Network, sources: dict[str, list[Incoming]], parts: dict[str, list[Part]]
) -> dict[str, list[npt.NDArray[np.bool_]]]:
    """By source population: which cores of each target its neurons reach, bool (n, cores)."""
    reached: dict[str, list[npt.NDArray[np.bool_]]] = {p.name: [] for p in network.relaxing}
    for target, entries in sources.items():
        edges = edges_of(parts[target])
        for entry in entries:
            if entry.source in reached:
                reached[entry.source].append(entry.lists(edges) > 0)
    return reached


def _traffic(
    network: Network,
    sources: dict[str, list[Incoming]],
    parts: dict[str, list[Part]],
    events: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.float64]:
    """Events a sample from each core to each other, float64 (cores, cores), in parts' order."""
    numbers = np.cumsum([0, *(len(parts[p.name]) for p in network.relaxing)])
    offset = {p.name: int(n) for p, n in zip(network.relaxing, numbers, strict=False)}
    ends = np.cumsum([p.size for p in network.relaxing])
    rates = np.ones(int(ends[-1])) if events is None else events
    rate = {p.name: r for p, r in zip(network.relaxing, np.split(rates, ends[:-1]), strict=True)}
    traffic = np.zeros((int(numbers[-1]), int(numbers[-1])))
    for target, entries in sources.items():
        edges = edges_of(parts[target])
        for entry in entries:
            if entry.source in rate:
                weighted = (entry.lists(edges) > 0) * rate[entry.source][:, None]
                source_starts = [part.first for part in parts[entry.source]]
                block = np.add.reduceat(weighted, source_starts, axis=0)
                rows, columns = offset[entry.source], offset[target]
                traffic[rows : rows + len(block), columns : columns + block.shape[1]] += block
    return traffic


def _core(part: Part, index: int, placement: Placement, chip: Chip) -> Core:
    position = int(placement.positions[index])
    number, within = divmod(position, chip.cores)
    row, column = divmod(within, chip.counts["grid_columns"])
    used = {limit: int(getattr(part, limit)) for limit in LIMITS}
    percent = {k: round(100 * n / chip.counts[f"{k}_per_core"], 1) for k, n in used.items()}
    return Core(
        chip=number,
        column=column,
        row=row,
        population=part.population,
        first=part.first,
        last=part.last,
        used=used,
        percent=percent,
    )


_FIXES = {
    "synapse_bits": "prune weights, use ternary weights, or narrow the layers around it",
    "axons_in": "narrow the layers that feed it or prune whole rows of weights",
    "axons_out": "narrow the layers it feeds, so that they take fewer cores",
}


def _violations(network: Network, chip: Chip, parts: dict[str, list[Part]]) -> list[Violation]:
    found = []
    for population in network.relaxing:
        worst = _worst(parts[population.name])
        for limit, fix in _FIXES.items():
            allowed = chip.counts[f"{limit}_per_core"]
            if worst[limit] > allowed:
                found.append(Violation(population.name, limit, worst[limit], allowed, fix))
        needed = accumulator_bits(network, population.name)
        allowed = chip.counts["accumulator_bits"]
        if needed > allowed:
            fix = "use fewer state bits, fewer fraction bits or ternary weights"
            found.append(Violation(population.name, "accumulator_bits", needed, allowed, fix))
    for population in network.populations:
        needed = message_bits(population)
        if needed > chip.counts["message_bits"]:
            fix = "use a chip with graded spikes, or nengo-loihi's rate-coded approximation"
            allowed = chip.counts["message_bits"]
            found.append(Violation(population.name, "message_bits", needed, allowed, fix))
    return found
