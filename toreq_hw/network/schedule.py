"""Which neurons update together, and in which order: colours, ticks and sweeps.

A tick updates one colour; a sweep is one tick of each colour. In a coloured schedule no
coupling runs inside a colour, which is what makes relaxation always stop.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import Coupling
from toreq_hw.network.neuron_set import Colour, NeuronSet
from toreq_hw.network.population import Population
from toreq_hw.reading import shown

COLOURING = "colouring"
"""How a network file names a schedule whose colours it holds."""


class Schedule(Enum):
    """The three orders of updating that have a name.

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

    def describe(self) -> str:
        """As a network file names it."""
        return self.value


@dataclass(frozen=True)
class Colouring:
    """Colours chosen by hand: any sets of relaxing neurons, in tick order.

    A network file holds it as a colour for each neuron, if none is in two colours.
    `split_by_colour` makes a network of whole populations from it. Raises NetworkError where a
    colour is empty or has two sets of one population.
    """

    colours: tuple[Colour, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "colours", tuple(tuple(colour) for colour in self.colours))
        for k, colour in enumerate(self.colours):
            for part in colour:
                if not isinstance(part, NeuronSet):
                    raise NetworkError(f"colour {k} must hold NeuronSets, not {shown(part)}")
            names = [part.population for part in colour]
            if not names or len(set(names)) < len(names):
                raise NetworkError(
                    f"colour {k} must have one set of neurons a population, at least one, found "
                    f"{shown(names)}"
                )

    @classmethod
    def of(cls, numbers: Mapping[str, npt.NDArray[np.integer]]) -> "Colouring":
        """The colouring that gives each neuron a colour; each number from 0 on must be there.

        numbers: population name -> integers (size,). Raises NetworkError.
        """
        count = 1 + max((int(own.max(initial=-1)) for own in numbers.values()), default=-1)
        total = sum(own.size for own in numbers.values())
        if not 0 < count <= total or any(int(own.min(initial=0)) < 0 for own in numbers.values()):
            raise NetworkError(
                f"colours must be numbers from 0 to at most {max(total - 1, 0)}, found up to "
                f"{count - 1} or below 0"
            )
        found: list[list[NeuronSet]] = [[] for _ in range(count)]
        for name, own in numbers.items():
            order = np.argsort(own, kind="stable")
            starts = np.flatnonzero(np.diff(own[order], prepend=-1))
            for part in np.split(order, starts[1:]) if len(order) else []:
                found[int(own[part[0]])].append(NeuronSet(name, tuple(part.tolist())))
        return cls(tuple(tuple(colour) for colour in found))

    @classmethod
    def greedy(cls, updating: Sequence[Population], couplings: Sequence[Coupling]) -> "Colouring":
        """A colouring that joins no two neurons of a colour, whatever the weights are.

        Neurons in file order take the lowest colour that none of those has to which an edge of a
        coupling joins them.
        """
        first, size = {}, 0
        for population in updating:
            first[population.name] = size
            size += population.size
        neighbours: list[list[int]] = [[] for _ in range(size)]
        for coupling in couplings:
            if coupling.pre in first and coupling.post in first:
                pre, post, _ = coupling.edges()
                one, other = pre + first[coupling.pre], post + first[coupling.post]
                for i, j in zip(one.tolist(), other.tolist(), strict=True):
                    neighbours[i].append(j)
                    neighbours[j].append(i)
        colour = [-1] * size
        for neuron, joined in enumerate(neighbours):
            taken = {colour[other] for other in joined}
            colour[neuron] = next(k for k in range(size) if k not in taken)
        numbers = np.array(colour, dtype=np.int32)
        return cls.of({p.name: numbers[first[p.name] :][: p.size] for p in updating})

    def describe(self) -> list[list[tuple[str, list[int]]]]:
        """Plain JSON values: per colour, names of populations and numbers of neurons."""
        return [[(part.population, list(part.neurons)) for part in one] for one in self.colours]


def colours(
    schedule: Schedule | Colouring, relaxing: Sequence[Population], couplings: Sequence[Coupling]
) -> tuple[Colour, ...]:
    """The colours of a sweep in tick order; sets of a colour in file order.

    Raises NetworkError where PARITY meets a self-coupling or an odd cycle of populations. The same
    where a colouring names other neurons than those of `relaxing`, or leaves some out.
    """
    if isinstance(schedule, Colouring):
        return _check(schedule, relaxing)
    if schedule is Schedule.SYNCHRONOUS:
        return (tuple(NeuronSet.whole(p) for p in relaxing),)
    if schedule is Schedule.SEQUENTIAL:
        looped = {c.pre for c in couplings if c.is_self_coupling}
        return tuple((part,) for p in relaxing for part in _one_by_one(p, split=p.name in looped))
    for coupling in couplings:
        if coupling.is_self_coupling:
            raise NetworkError(
                f"schedule parity must have no self-coupling, found {shown(coupling.name)}; "
                "use sequential or synchronous"
            )
    names = {p.name: p for p in relaxing}
    pairs = [(c.pre, c.post) for c in couplings if c.pre in names and c.post in names]
    sides = two_sides(list(names), pairs)
    return tuple(tuple(NeuronSet.whole(names[name]) for name in side) for side in sides)


def two_sides(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> tuple[list[str], ...]:
    """The parity rule: `names` two-coloured along `pairs`, each component from its first name.

    A side without names is left out. Raises NetworkError for an odd cycle.
    """
    neighbours: dict[str, list[str]] = {name: [] for name in names}
    for one, other in pairs:
        neighbours[one].append(other)
        neighbours[other].append(one)
    parity: dict[str, int] = {}
    for first in names:
        if first in parity:
            continue
        parity[first] = 0
        frontier = [first]
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
    sides = ([name for name in names if parity[name] == side] for side in (0, 1))
    return tuple(side for side in sides if side)


def _one_by_one(population: Population, *, split: bool) -> list[NeuronSet]:
    if not split:
        return [NeuronSet.whole(population)]
    return [NeuronSet(population.name, range(i, i + 1)) for i in range(population.size)]


def _check(colouring: Colouring, relaxing: Sequence[Population]) -> tuple[Colour, ...]:
    """The colours with their sets in file order, every neuron of `relaxing` in at least one."""
    names = [p.name for p in relaxing]
    missing = {p.name: set(range(p.size)) for p in relaxing}
    for colour in colouring.colours:
        for part in colour:
            size = next((p.size for p in relaxing if p.name == part.population), 0)
            if part.neurons[-1] >= size:
                raise NetworkError(
                    f"colours must hold neurons of {', '.join(names)}, found "
                    f"{shown(part.population)} [{part.neurons[-1]}]"
                )
            missing[part.population].difference_update(part.neurons)
    for name, left in missing.items():
        if left:
            raise NetworkError(
                f"colours must hold every relaxing neuron, found none with {name!r} [{min(left)}]"
            )
    return tuple(
        tuple(sorted(colour, key=lambda part: names.index(part.population)))
        for colour in colouring.colours
    )
