"""Which neurons update together, and in which order: colours, ticks and sweeps.

A tick updates one colour; a sweep is one tick of each colour. In a coloured schedule no
coupling runs inside a colour, which is what makes relaxation always stop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import Coupling
from toreq_hw.network.population import Population
from toreq_hw.reading import shown


class Schedule(Enum):
    """The three orders of updating.

    PARITY: two colours of whole populations, alternating along the couplings; every
        layered network has one. The first relaxing population in file order goes first.
    SEQUENTIAL: populations one after another in file order; one that couples to itself is
        updated neuron by neuron, in index order. Takes any network.
    SYNCHRONOUS: everything at once. Two-cycles are possible; they are detected, not solved.
    """

    PARITY = "parity"
    SEQUENTIAL = "sequential"
    SYNCHRONOUS = "synchronous"

    @property
    def always_settles(self) -> bool:
        """Whether every change lowers the energy, so that relaxation ends by itself."""
        return self is not Schedule.SYNCHRONOUS


@dataclass(frozen=True)
class Block:
    """Neurons `start` up to (not including) `stop` of one population."""

    population: str
    start: int
    stop: int


Colour = tuple[Block, ...]


@named_type_errors
def colours(
    schedule: Schedule, relaxing: Sequence[Population], couplings: Sequence[Coupling]
) -> tuple[Colour, ...]:
    """The colours of a sweep in tick order; blocks of a colour in file order.

    Raises NetworkError where PARITY meets a self-coupling or an odd cycle of populations.
    """
    if schedule is Schedule.SYNCHRONOUS:
        return (tuple(Block(p.name, 0, p.size) for p in relaxing),)
    if schedule is Schedule.SEQUENTIAL:
        looped = {c.pre for c in couplings if c.is_self_coupling}
        return tuple((block,) for p in relaxing for block in _one_by_one(p, split=p.name in looped))
    parity = _parity(relaxing, couplings)
    both = (
        tuple(Block(p.name, 0, p.size) for p in relaxing if parity[p.name] == side)
        for side in (0, 1)
    )
    return tuple(colour for colour in both if colour)


def _one_by_one(population: Population, *, split: bool) -> list[Block]:
    if not split:
        return [Block(population.name, 0, population.size)]
    return [Block(population.name, i, i + 1) for i in range(population.size)]


def _parity(relaxing: Sequence[Population], couplings: Sequence[Coupling]) -> dict[str, int]:
    """Two-colours the graph of relaxing populations, each component from its first one."""
    neighbours: dict[str, list[str]] = {p.name: [] for p in relaxing}
    for coupling in couplings:
        if coupling.is_self_coupling:
            raise NetworkError(
                f"schedule parity must have no self-coupling, found {shown(coupling.name)}; "
                "use sequential or synchronous"
            )
        if coupling.pre in neighbours:
            neighbours[coupling.pre].append(coupling.post)
            neighbours[coupling.post].append(coupling.pre)
    parity: dict[str, int] = {}
    for population in relaxing:
        if population.name in parity:
            continue
        parity[population.name] = 0
        frontier = [population.name]
        while frontier:
            name = frontier.pop()
            for other in neighbours[name]:
                if other not in parity:
                    parity[other] = 1 - parity[name]
                    frontier.append(other)
                elif parity[other] == parity[name]:
                    raise NetworkError(
                        "schedule parity must have no odd cycle of populations, found one "
                        f"through {shown(name)} and {shown(other)}; use sequential or synchronous"
                    )
    return parity
