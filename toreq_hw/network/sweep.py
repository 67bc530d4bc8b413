"""What one sweep of a network updates, and what a reader of the network may rely on."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkError, ToreqError
from toreq_hw.network.couplings import Coupling
from toreq_hw.network.feedback import asymmetric
from toreq_hw.network.neuron_set import Block, Colour, NeuronSet
from toreq_hw.network.population import Population
from toreq_hw.network.schedule import COLOURING, Colouring, Schedule, colours
from toreq_hw.reading import shown


@dataclass(frozen=True)
class Pass:
    """Consecutive ticks that take whole populations.

    neuron_by_neuron: a population alone, a neuron a tick in index order; else one tick.
    """

    populations: tuple[str, ...]
    neuron_by_neuron: bool


class Need(Enum):
    """What a reader may need of a sweep."""

    ALWAYS_SETTLES = "every phase ends by itself"
    VISITS_EACH_NEURON_ONCE = "no neuron is updated twice in a sweep"
    WHOLE_POPULATIONS = "a colour holds whole populations, or one is taken neuron by neuron"
    STORED = "a network file can hold the schedule"


@dataclass(frozen=True, eq=False)
class Sweep:
    """One tick of each colour, in order, and answers to what readers ask.

    schedule: what the network was made with. populations: relaxing, in file order.
    Raises NetworkError for a schedule that the couplings do not allow.
    """

    schedule: Schedule | Colouring
    populations: tuple[Population, ...]
    couplings: tuple[Coupling, ...]

    @cached_property
    def colours(self) -> tuple[Colour, ...]:
        """What each tick updates, in tick order; the sets of a colour in file order."""
        return colours(self.schedule, self.populations, self.couplings)

    @cached_property
    def blocks(self) -> tuple[tuple[Block, ...], ...]:
        """The colours as runs of neighbouring neurons, for machines that update ranges."""
        return tuple(tuple(b for part in colour for b in part.blocks) for colour in self.colours)

    @property
    def name(self) -> str:
        """Of the schedule, as a network file or a message names it."""
        return "a colouring" if isinstance(self.schedule, Colouring) else self.schedule.value

    @cached_property
    def always_settles(self) -> bool:
        """Whether every change lowers an energy, so that relaxation ends by itself.

        Of a colouring: whether the weights at hand join no two neurons of a colour.
        """
        if asymmetric(self.populations, self.couplings):
            return False
        if isinstance(self.schedule, Colouring):
            return not any(_joins(self, coupling) for coupling in self.couplings)
        return self.schedule.always_settles

    @cached_property
    def visits_each_neuron_once(self) -> bool:
        """Whether no neuron is in two colours; every one is in at least one."""
        visits = sum(len(part) for colour in self.colours for part in colour)
        return visits == sum(p.size for p in self.populations)

    @cached_property
    def has_stored_colours(self) -> bool:
        """Whether a network file holds it as a colour for each neuron."""
        return isinstance(self.schedule, Colouring) and self.visits_each_neuron_once

    @property
    def file_version(self) -> int:
        """First version of the network file that can hold it."""
        return 2 if isinstance(self.schedule, Colouring) else 1

    def describe(self) -> Any:
        """Plain JSON value: the schedule's name in a network file.

        Of a colouring that no file can hold: its colours, by names and numbers of neurons.
        """
        if self.has_stored_colours:
            return COLOURING
        return self.schedule.describe()

    @property
    def whole_populations(self) -> bool:
        """Whether it is made of passes over whole populations; see `passes`."""
        return self._passes is not None

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The sweep as passes over whole populations. Raises NetworkError where it is not."""
        if self._passes is None:
            raise NetworkError(_refusal(self, Need.WHOLE_POPULATIONS, "here"))
        return self._passes

    @cached_property
    def _passes(self) -> tuple[Pass, ...] | None:
        sizes = {p.name: p.size for p in self.populations}
        found: list[Pass] = []
        tick = 0
        while tick < len(self.colours):
            colour = self.colours[tick]
            name = colour[0].population
            if all(len(part) == sizes[part.population] for part in colour):
                found.append(Pass(tuple(part.population for part in colour), False))
                tick += 1
                continue
            singles = tuple((NeuronSet(name, range(i, i + 1)),) for i in range(sizes[name]))
            if self.colours[tick : tick + len(singles)] != singles:
                return None
            found.append(Pass((name,), True))
            tick += len(singles)
        return tuple(found)

    def colour_of(self, name: str) -> npt.NDArray[np.int32]:
        """In which tick of a sweep each neuron of a population is updated, int32 (size,).

        Of a neuron that is updated more than once it is the last one.
        """
        size = next(p.size for p in self.populations if p.name == name)
        found = np.zeros(size, dtype=np.int32)
        for tick, colour in enumerate(self.colours):
            for part in colour:
                if part.population == name:
                    found[part.indices] = tick
        return found


def require(sweep: Sweep, where: str, *needs: Need, error: type[ToreqError] = NetworkError) -> None:
    """Raises `error` for the first need that the sweep does not meet.

    where: the reader, such as "on nengo" or "for the core".
    """
    answers = {
        Need.ALWAYS_SETTLES: lambda: sweep.always_settles,
        Need.VISITS_EACH_NEURON_ONCE: lambda: sweep.visits_each_neuron_once,
        Need.WHOLE_POPULATIONS: lambda: sweep.whole_populations,
        Need.STORED: lambda: isinstance(sweep.schedule, Schedule) or sweep.has_stored_colours,
    }
    for need in needs:
        if not answers[need]():
            raise error(_refusal(sweep, need, where))


def _refusal(sweep: Sweep, need: Need, where: str) -> str:
    unlike = asymmetric(sweep.populations, sweep.couplings)
    if need is Need.ALWAYS_SETTLES and unlike:
        return (
            f"coupling {shown(unlike[0].name)}: feedback must be symmetric {where}, not its own: "
            "nothing promises that the network settles"
        )
    if need is Need.ALWAYS_SETTLES and isinstance(sweep.schedule, Schedule):
        return (
            f"schedule must be parity or sequential {where}, not {sweep.name}: a two-cycle would "
            "never end; choose another schedule"
        )
    must = {
        Need.ALWAYS_SETTLES: "have no coupling inside a colour",
        Need.VISITS_EACH_NEURON_ONCE: "update no neuron twice in a sweep",
        Need.WHOLE_POPULATIONS: "hold whole populations in each colour",
        Need.STORED: "update no neuron twice in a sweep",
    }[need]
    remedy = "; use split_by_colour" if need is Need.WHOLE_POPULATIONS else ""
    return f"schedule must {must} {where}, found {sweep.name} that does not{remedy}"


def _joins(sweep: Sweep, coupling: Coupling) -> bool:
    """Whether a coupling has a weight that is not zero between two neurons of a colour."""
    names = {p.name for p in sweep.populations}
    if coupling.pre not in names or coupling.post not in names:
        return False
    pre, post, parameter = coupling.edges()
    joined = coupling.parameters.reshape(-1)[parameter] != 0
    pre, post = pre[joined], post[joined]
    if sweep.visits_each_neuron_once:
        same = sweep.colour_of(coupling.pre)[pre] == sweep.colour_of(coupling.post)[post]
        return bool(same.any())
    return any(
        bool((inside(colour, coupling.pre, pre) & inside(colour, coupling.post, post)).any())
        for colour in sweep.colours
    )


def inside(colour: Colour, name: str, neurons: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which neurons of a population a colour holds, bool (n,)."""
    held = [part.indices for part in colour if part.population == name]
    return np.isin(neurons, np.concatenate([np.zeros(0, dtype=np.intp), *held]))
