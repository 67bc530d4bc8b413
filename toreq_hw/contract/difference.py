"""Where two results of one phase part first, in words that name the place."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout

NOTHING = "none"
"""What is expected or found where one side has no value."""

STATE = "state"


@dataclass(frozen=True)
class Difference:
    """The first value that two results of one phase do not share.

    phase: name of the phase. sample: number in the batch. quantity: `STATE`, or a counter's name.
    expected, got: the two values, `NOTHING` where there is none. tick: of a state, 0 is the start
    of the phase; None of a counter. final: the state is the one the machine reported at the end.
    population, neuron: of a state; neuron is the number in the population.
    """

    phase: str
    sample: int
    quantity: str
    expected: int | str
    got: int | str
    tick: int | None = None
    population: str | None = None
    neuron: int | None = None
    final: bool = False

    def __str__(self) -> str:
        return (
            f"{self.phase} phase, sample {self.sample}, {self._place()}: "
            f"expected {self.expected}, got {self.got}"
        )

    def _place(self) -> str:
        if self.tick is None:
            return self.quantity
        final = " (final)" if self.final else ""
        return f"tick {self.tick}{final}, population {self.population!r}, neuron {self.neuron}"


@dataclass(frozen=True)
class Place:
    """A neuron's state in one tick of one sample. neuron: index in `Layout` order."""

    sample: int
    tick: int
    neuron: int

    def difference(
        self, layout: Layout, phase: str, expected: int | str, got: int | str
    ) -> Difference:
        """The difference of two states here."""
        population = layout.population_of(self.neuron)
        return Difference(
            phase=phase,
            sample=self.sample,
            quantity=STATE,
            expected=expected,
            got=got,
            tick=self.tick,
            population=population.name,
            neuron=self.neuron - layout.starts[population.name],
        )


def first_unequal(
    expected: npt.NDArray[np.integer], got: npt.NDArray[np.integer]
) -> tuple[int, ...] | None:
    """Index of the first unequal element of two integer arrays of one shape; None if all agree."""
    if np.array_equal(expected, got):
        return None
    return tuple(int(k) for k in np.argwhere(expected != got)[0])
