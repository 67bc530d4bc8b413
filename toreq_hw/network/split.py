"""The default lowering of colours: a network whose colours hold whole populations only.

A population with neurons in several colours becomes one population a colour. Every tick updates
the same neurons from the same sums, so states are the same in every tick; `Split` knows which
neuron is which. For machines that update whole populations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import Coupling, lowered
from toreq_hw.network.network import Network
from toreq_hw.network.neuron_set import NeuronSet
from toreq_hw.network.population import Population, Role
from toreq_hw.network.schedule import Colouring, Schedule
from toreq_hw.network.support import require_plain
from toreq_hw.network.sweep import Need, Sweep, require

States = Mapping[str, npt.NDArray[np.int16]]


@dataclass(frozen=True, eq=False)
class Split:
    """A network and the one it was split from. parts: per relaxing population of `network`, in
    file order, the neurons of `original` that it holds.
    """

    original: Network
    network: Network
    parts: Mapping[str, NeuronSet]

    @property
    def neuron_numbers(self) -> npt.NDArray[np.int64]:
        """Of each relaxing neuron of `network` its number in `original`, int64 (neurons,).

        Numbers count relaxing neurons in file order.
        """
        sizes = [p.size for p in self.original.relaxing]
        first = dict(
            zip((p.name for p in self.original.relaxing), np.cumsum([0, *sizes[:-1]]), strict=True)
        )
        numbers = [first[part.population] + part.indices for part in self.parts.values()]
        joined: npt.NDArray[np.int64] = np.concatenate(numbers).astype(np.int64)
        return joined

    def to_parts(self, states: States) -> dict[str, npt.NDArray[np.int16]]:
        """States of `original` as `network` has them. Arrays are (..., size)."""
        return {
            name: np.ascontiguousarray(states[part.population][..., part.indices])
            for name, part in self.parts.items()
        }

    def to_original(self, states: States) -> dict[str, npt.NDArray[np.int16]]:
        """States of `network` as `original` has them; the inverse of `to_parts`.

        Arrays are int16 (batch, size).
        """
        found = {}
        for population in self.original.relaxing:
            mine = [(k, p) for k, p in self.parts.items() if p.population == population.name]
            shape = (*states[mine[0][0]].shape[:-1], population.size)
            whole = np.empty(shape, dtype=np.int16)
            for name, part in mine:
                whole[..., part.indices] = states[name]
            found[population.name] = whole
        return found


@named_type_errors
def split_by_colour(network: Network) -> Split:
    """`network` with one population per population and colour, named `<population>_<k>`, k from 0.

    Populations stand in the order in which a sweep first updates them. A population of one
    colour keeps its name. The schedule is one that a network file can name, where one of those
    has the same ticks. Raises NetworkError where a neuron is updated twice in a sweep, and where
    the output has several colours: a network has one output. The same for a clamped readout.
    """
    sweep = network.sweep
    require_plain(network, "to be split by colour")
    require(sweep, "to be split by colour", Need.VISITS_EACH_NEURON_ONCE)
    parts = _parts(network)
    if sum(part.population == network.output.name for part in parts.values()) > 1:
        raise NetworkError(
            f"output {network.output.name!r} must have one colour to be split, found more"
        )
    populations = (
        network.input,
        *(_part(network.population(s.population), n, s) for n, s in parts.items()),
    )
    couplings = tuple(c for whole in network.couplings for c in _split(network, whole, parts))
    biases = {name: network.biases[s.population][s.indices] for name, s in parts.items()}
    schedule = _schedule(sweep, populations, couplings, parts)
    made = Network(populations, couplings, biases, schedule, network.beta_shift)
    return Split(network, made, parts)


def _parts(network: Network) -> dict[str, NeuronSet]:
    """Name -> neurons of each part, in the order of a sweep."""
    visits = [part for colour in network.colours for part in colour]
    names = [p.name for p in network.populations]
    parts: dict[str, NeuronSet] = {}
    for part in visits:
        name = part.population
        if sum(other.population == name for other in visits) > 1:
            free = (f"{name}_{k}" for k in range(len(visits)))
            name = next(new for new in free if new not in parts)
            if name in names:
                raise NetworkError(f"population {name!r}: must be renamed, a part takes this name")
        parts[name] = part
    return parts


def _part(whole: Population, name: str, neurons: NeuronSet) -> Population:
    """The population of a part; with positions and shared biases only if it is the whole."""
    if len(neurons) == whole.size:
        return replace(whole, name=name)
    return replace(whole.plain, name=name, size=len(neurons))


def _split(network: Network, whole: Coupling, parts: Mapping[str, NeuronSet]) -> list[Coupling]:
    """The coupling's part between each pair of parts. Between two neurons of one part there is
    none where all weights there are zero; every other part is kept, so that F stays as it is.
    """
    everything = NeuronSet.whole(network.input)
    ends = [
        {n: s for n, s in parts.items() if s.population == end} or {network.input.name: everything}
        for end in (whole.pre, whole.post)
    ]
    if set(ends[0]) == {whole.pre} and set(ends[1]) == {whole.post}:
        return [whole]
    matrix = lowered(whole).weight
    found: list[Coupling] = []
    for k, (pre, rows) in enumerate(ends[0].items()):
        for m, (post, columns) in enumerate(ends[1].items()):
            weight = matrix[np.ix_(rows.indices, columns.indices)]
            if whole.is_self_coupling and (m < k or (m == k and not weight.any())):
                continue
            found.append(replace(lowered(whole), pre=pre, post=post, weight=weight))
    return found


def _schedule(
    sweep: Sweep,
    populations: tuple[Population, ...],
    couplings: tuple[Coupling, ...],
    parts: Mapping[str, NeuronSet],
) -> Schedule | Colouring:
    """The colours in terms of parts, as a stored schedule where one has them."""
    name_of = {id(part): name for name, part in parts.items()}
    by_name = {p.name: p for p in populations}
    wanted = Colouring(
        tuple(
            tuple(NeuronSet.whole(by_name[name_of[id(part)]]) for part in colour)
            for colour in sweep.colours
        )
    )
    relaxing = tuple(p for p in populations if p.role is not Role.INPUT)
    for stored in (Schedule.SEQUENTIAL, Schedule.PARITY):
        try:
            if Sweep(stored, relaxing, couplings).colours == wanted.colours:
                return stored
        except NetworkError:
            continue
    return wanted
