"""One long state vector for all relaxing populations, in file order.

The engines work on global neuron indices; people and files on populations. This is the map.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.network import Block, Network, Population, check_states


@named_type_errors
@dataclass(frozen=True, eq=False)
class Layout:
    """Where each relaxing population of `network` sits in the global state vector."""

    network: Network

    @cached_property
    def starts(self) -> dict[str, int]:
        """Global index of each relaxing population's first neuron."""
        starts, total = {}, 0
        for population in self.network.relaxing:
            starts[population.name] = total
            total += population.size
        return starts

    @cached_property
    def neurons(self) -> int:
        """Number of relaxing neurons."""
        return sum(p.size for p in self.network.relaxing)

    def span(self, block: Block) -> slice:
        """The global indices of a block."""
        start = self.starts[block.population]
        return slice(start + block.start, start + block.stop)

    def of(self, population: Population) -> slice:
        """The global indices of a population."""
        return self.span(Block(population.name, 0, population.size))

    def population_of(self, neuron: int) -> Population:
        """The population that holds global index `neuron`. Raises IndexError."""
        for population in self.network.relaxing:
            span = self.of(population)
            if span.start <= neuron < span.stop:
                return population
        raise IndexError(neuron)

    def split(self, states: npt.NDArray[np.int16]) -> dict[str, npt.NDArray[np.int16]]:
        """Views of each population's part of the last axis. states: int16 (..., neurons)."""
        return {p.name: states[..., self.of(p)] for p in self.network.relaxing}

    def join(self, states: Mapping[str, npt.NDArray[np.int16]]) -> npt.NDArray[np.int16]:
        """The inverse of `split`, checked: every relaxing population, in range, same batch.

        Raises InputError naming the population. Returns int16 (..., neurons).
        """
        expected = [p.name for p in self.network.relaxing]
        if sorted(states) != sorted(expected):
            raise InputError(
                f"states must be given for {', '.join(expected)}, not for {', '.join(states)}"
            )
        parts = [check_states(p, states[p.name]) for p in self.network.relaxing]
        for population, part in zip(self.network.relaxing, parts, strict=True):
            if len(part) != len(parts[0]):
                raise InputError(
                    f"states of {population.name!r}: must have as many samples as those of "
                    f"{expected[0]!r} ({len(parts[0])}), not {len(part)}"
                )
        return np.concatenate(parts, axis=1)
