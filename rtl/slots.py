"""Where populations live in the accumulator and state memories."""

from dataclasses import dataclass

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.network import Network, Population


@dataclass(frozen=True)
class Slot:
    """Where a population lives: `groups` rows of `lanes` neurons, from row `first_group` on.

    fraction_bits: F of docs/numerics.md. self_coupled: updated neuron by neuron. The input's
    slot has no rows of its own (`first_group` is 0 and unused).
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
    def reach(self) -> int:
        """The largest difference of two states."""
        return self.state_max - self.state_min


def largest_move(slots: tuple[Slot, ...]) -> int:
    """The largest difference of two states of a population."""
    return max(slot.reach for slot in slots)


def relaxing_slots(network: Network, lanes: int) -> tuple[Slot, ...]:
    """The relaxing populations, packed in file order."""
    slots: list[Slot] = []
    first = 0
    for population in network.relaxing:
        slots.append(slot_of(network, population, lanes, first))
        first += slots[-1].groups
    return tuple(slots)


def slot_of(network: Network, population: Population, lanes: int, first_group: int) -> Slot:
    """The place of one population that begins at row `first_group`."""
    return Slot(
        name=population.name,
        size=population.size,
        groups=-(-population.size // lanes),
        first_group=first_group,
        state_min=population.state_min,
        state_max=population.state_max,
        state_bits=population.state_bits,
        signed=population.signed,
        fraction_bits=network.accumulator_fraction_bits(population.name),
        self_coupled=any(
            c.is_self_coupling and c.pre == population.name for c in network.dense_couplings
        ),
    )
