"""How long a phase takes, exactly, from the list of its events: the core's timing contract.

    FREE   R + 1 + sum(input beats)            + relaxation + C + 3 (+ R + 1 with report)
    RAISE  R + 8 + C + 3                       + relaxation + C + 3 (+ R + 1 with report)
    LOWER  2 R + 8 + C + 3                     + relaxation + C + 3 (+ R + 1 with report)

    relaxation = sum over sweeps (1 + sum over blocks with news of a block)
    block      = 1 + r + 8 + sum(beats of its events) + 1

R: slices of all groups, r: slices that hold neurons of the block; C: output neurons; beats of
an event: groups of all its neighbours. Input events count if they are not zero. A
self-coupled block of r slices is cut behind each event: it is a sequence of blocks that end
with the slice of the event and begin again with that slice. Cycles in which the core waits
for an input word, or for its results to be taken, are not counted by the core nor here.

Blocks without news are skipped: those that no event has reached since their last update.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from toreq_hw.rtl.datapath import UPDATE_LATENCY
from toreq_hw.rtl.interfaces import Command
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.readout import LOOK_LATENCY
from toreq_hw.rtl.storage import INPUT


@dataclass(frozen=True)
class PhaseEvents:
    """What happened in a phase. events: (sweep, population, neuron), sweeps from 1, in order."""

    command: Command
    sweeps: int
    input_events: int
    events: Sequence[tuple[int, int, int]]


@dataclass(frozen=True)
class PhaseCost:
    """cycles: the counter of the core. beats: rows walked. synops: weights in them used."""

    cycles: int
    beats: int
    synops: int

    def useful(self, lanes: int) -> float:
        """Fraction of lane slots that walked a weight (1.0 where nothing was walked)."""
        return self.synops / (self.beats * lanes) if self.beats else 1.0


@dataclass
class TimingModel:
    """Follows a core through phases; it remembers which blocks have news between them."""

    parameters: CoreParameters
    _news: set[int] = field(default_factory=set)
    _news_free: set[int] = field(default_factory=set)

    def cost(self, phase: PhaseEvents, *, report: bool) -> PhaseCost:
        """The cost of the next phase."""
        parameters = self.parameters
        cycles = self._prologue(phase) + self._relaxation(phase) + parameters.classes + LOOK_LATENCY
        if report:
            cycles += parameters.slices + 1
        counts = [(INPUT, phase.input_events)]
        for number in range(len(parameters.relaxing)):
            counts.append((number, sum(event[1] == number for event in phase.events)))
        fans = [(fan, count) for source, count in counts for fan in parameters.fans_of(source)]
        return PhaseCost(
            cycles=cycles,
            beats=sum(fan.beats * count for fan, count in fans),
            synops=sum(fan.neighbours * count for fan, count in fans),
        )

    def _prologue(self, phase: PhaseEvents) -> int:
        """Passes before the first sweep; says which blocks start with news."""
        parameters = self.parameters
        slices, output = parameters.slices, parameters.output
        nudge = UPDATE_LATENCY + parameters.classes + LOOK_LATENCY
        if phase.command is Command.FREE:
            self._news = set(range(len(parameters.relaxing)))
            return slices + 1 + phase.input_events * parameters.beats_of(INPUT)
        if phase.command is Command.RAISE:
            self._news_free = set(self._news)
            self._news.add(output)
            return slices + nudge
        self._news = self._news_free | {output}
        return 2 * slices + nudge

    def _relaxation(self, phase: PhaseEvents) -> int:
        events: dict[tuple[int, int], list[int]] = {}
        for sweep, population, neuron in phase.events:
            events.setdefault((sweep, population), []).append(neuron)
        cycles = 0
        for sweep in range(1, phase.sweeps + 1):
            for population in self.parameters.order:
                if population in self._news:
                    self._news.remove(population)
                    cycles += self._block(population, events.get((sweep, population), []))
            cycles += 1
        return cycles

    def _block(self, population: int, neurons: list[int]) -> int:
        """One population's turn: its update passes, and the walks of the events they found."""
        slot = self.parameters.relaxing[population]
        if neurons:
            self._news |= {fan.target for fan in self.parameters.fans_of(population)}
        walks = len(neurons) * self.parameters.beats_of(population)
        overhead = 1 + UPDATE_LATENCY + 1
        slices = self.parameters.slices_of(population)
        if not slot.self_coupled:
            return overhead + slices + walks
        cycles, first = walks, 0
        for neuron in neurons:
            last = neuron // self.parameters.update_lanes
            cycles += overhead + last - first + 1
            first = last
        return cycles + overhead + slices - first
