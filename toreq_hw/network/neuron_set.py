"""Sets of neurons of one population: what a colour is made of."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkError
from toreq_hw.network.population import Population
from toreq_hw.reading import shown


@dataclass(frozen=True)
class Block:
    """Neurons `start` up to (not including) `stop` of one population."""

    population: str
    start: int
    stop: int


@dataclass(frozen=True)
class NeuronSet:
    """Some neurons of one population. neurons: their numbers, rising; at least one.

    Neighbouring numbers are kept as a `range`, so that equal sets compare equal.
    Raises NetworkError.
    """

    population: str
    neurons: range | tuple[int, ...]

    def __post_init__(self) -> None:
        given = self.neurons
        if isinstance(given, range) and given.step == 1 and given and given[0] >= 0:
            return
        numbers = tuple(given)
        if not all(type(number) is int for number in numbers):
            raise NetworkError(
                f"neurons of {shown(self.population)}: must be whole numbers, not {shown(numbers)}"
            )
        rising = all(one < other for one, other in pairwise(numbers))
        if not numbers or numbers[0] < 0 or not rising:
            raise NetworkError(
                f"neurons of {shown(self.population)}: must be rising numbers from 0 on, at least "
                f"one, not {shown(numbers)}"
            )
        together = numbers[-1] - numbers[0] + 1 == len(numbers)
        found = range(numbers[0], numbers[-1] + 1) if together else numbers
        object.__setattr__(self, "neurons", found)

    @classmethod
    def whole(cls, population: Population) -> "NeuronSet":
        """Every neuron of a population."""
        return cls(population.name, range(population.size))

    def __len__(self) -> int:
        return len(self.neurons)

    @property
    def indices(self) -> npt.NDArray[np.intp]:
        """The numbers as an array, intp (len,)."""
        return np.array(self.neurons, dtype=np.intp)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The same neurons as runs of neighbours, in order: what an engine updates at once."""
        if isinstance(self.neurons, range):
            return (Block(self.population, self.neurons[0], self.neurons[-1] + 1),)
        breaks = np.flatnonzero(np.diff(self.indices) > 1) + 1
        parts = np.split(self.indices, breaks)
        return tuple(Block(self.population, int(part[0]), int(part[-1]) + 1) for part in parts)


Colour = tuple[NeuronSet, ...]
"""What one tick updates: at most one set a population."""
