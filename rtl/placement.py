"""Where populations live in the accumulator and state memories."""

from dataclasses import dataclass
from functools import cached_property

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.errors import NetworkError
from toreq_hw.network import Network, Population
from toreq_hw.rtl.fixed_width import index_bits, signed_bits

LANES = (2, 4, 8, 16, 32, 64, 128, 256)
"""Lane counts that work: a power of two makes every bank address a field, not a sum."""

MOST_LANES = LANES[-1]


@dataclass(frozen=True)
class PopulationPlacement:
    """Where a population lives: `groups` rows of `lanes` neurons, from row `first_group` on.

    fraction_bits: F of docs/numerics.md. self_coupled: updated neuron by neuron. The input's
    placement has no rows of its own (`first_group` is 0 and unused).
    """

    name: str
    size: int
    groups: int
    first_group: int
    state_min: int
    state_max: int
    state_bits: int
    signed: bool
    fraction_bits: int
    self_coupled: bool

    @property
    def half(self) -> int:
        """The rounding half, in accumulator LSBs."""
        return rounding_half(self.fraction_bits)

    @property
    def state_range(self) -> int:
        """The largest difference of two states."""
        return self.state_max - self.state_min


@dataclass(frozen=True)
class NeuronRows:
    """Where all neurons of a core lie. Populations are numbered in file order.

    A *group* is a row of `lanes` accumulators, what a beat of a walk adds to. A *slice* is a row
    of `update_lanes` states, what a beat of an update rounds; a group has `slices_per_group`.
    """

    lanes: int
    update_lanes: int
    relaxing: tuple[PopulationPlacement, ...]

    @cached_property
    def groups(self) -> int:
        """Rows of the accumulator memory, one page."""
        return sum(placement.groups for placement in self.relaxing)

    @property
    def lane_bits(self) -> int:
        """Bits of a lane number."""
        return self.lanes.bit_length() - 1

    @property
    def group_bits(self) -> int:
        """Bits of a group's number."""
        return index_bits(self.groups)

    @property
    def slices_per_group(self) -> int:
        """Slices that make a group."""
        return self.lanes // self.update_lanes

    @property
    def slices(self) -> int:
        """Rows of the state memory, one page."""
        return self.groups * self.slices_per_group

    @property
    def slice_bits(self) -> int:
        """Bits of a slice's number."""
        return self.group_bits + self.part_bits

    @property
    def part_bits(self) -> int:
        """Low bits of a slice's number: which part of its group it is."""
        return self.slices_per_group.bit_length() - 1

    @property
    def update_lane_bits(self) -> int:
        """Bits of a neuron's place in its slice."""
        return self.update_lanes.bit_length() - 1

    @property
    def neuron_address_bits(self) -> int:
        """Bits of a neuron's number over all groups: group and lane, or slice and place."""
        return self.group_bits + self.lane_bits

    @property
    def state_bits(self) -> int:
        """Bits of a state of any relaxing population, two's complement if any is signed."""
        return max(signed_bits([s.state_min, s.state_max]) for s in self.relaxing) - (
            not self.has_signed_states
        )

    @property
    def has_signed_states(self) -> bool:
        """Whether any relaxing population has negative states."""
        return any(placement.signed for placement in self.relaxing)

    def first_slice(self, number: int) -> int:
        """The slice at which population `number` begins."""
        return self.relaxing[number].first_group * self.slices_per_group

    def slices_of(self, number: int) -> int:
        """The slices that hold neurons of population `number`."""
        return -(-self.relaxing[number].size // self.update_lanes)


def check_lanes(lanes: int, update_lanes: int | None) -> int:
    """Lanes that update: all, where nothing is said.

    Raises NetworkError where no core has so many.
    """
    if lanes not in LANES:
        raise NetworkError(f"lanes must be one of {', '.join(map(str, LANES))}, not {lanes!r}")
    update_lanes = lanes if update_lanes is None else update_lanes
    if update_lanes not in LANES or update_lanes > lanes:
        raise NetworkError(
            f"update_lanes must be a power of two in 2..{lanes} (lanes), not {update_lanes!r}"
        )
    return update_lanes


def largest_move(placements: tuple[PopulationPlacement, ...]) -> int:
    """The largest difference of two states of a population."""
    return max(placement.state_range for placement in placements)


def placements_of(network: Network, lanes: int) -> tuple[PopulationPlacement, ...]:
    """The relaxing populations, packed in file order."""
    placements: list[PopulationPlacement] = []
    first = 0
    for population in network.relaxing:
        placements.append(placement_of(network, population, lanes, first))
        first += placements[-1].groups
    return tuple(placements)


def placement_of(
    network: Network, population: Population, lanes: int, first_group: int
) -> PopulationPlacement:
    """The place of one population that begins at row `first_group`."""
    return PopulationPlacement(
        name=population.name,
        size=population.size,
        groups=-(-population.size // lanes),
        first_group=first_group,
        state_min=population.state_min,
        state_max=population.state_max,
        state_bits=population.state_bits,
        signed=population.signed,
        fraction_bits=network.accumulator_fraction_bits(population.name),
        self_coupled=any(p.is_self_projection for p in network.into(population.name)),
    )
