"""How long a phase takes, exactly, from the list of its events: the core's timing contract.

    FREE            R + 1 + sum(input beats)  + relaxation + C + 3 (+ R + 1 with report)
    NUDGE_POSITIVE  R + 8 + C + 3             + relaxation + C + 3 (+ R + 1 with report)
    NUDGE_NEGATIVE  2 R + 8 + C + 3           + relaxation + C + 3 (+ R + 1 with report)

    in a lossy core NUDGE_POSITIVE takes besides:
    sweep 0    = 1 + sum over all blocks of a block

    relaxation = sum over sweeps (1 + sum over pending blocks of a block)
    block      = 1 + r + 8 + sum(beats of its events) + 1

R: slices of all groups, r: slices that hold neurons of the block; C: output neurons; beats of
an event: groups of all its neighbours. Input events count if they are not zero. A
self-coupled block of r slices is cut behind each event: it is a sequence of blocks that end
with the slice of the event and begin again with that slice. Cycles in which the core waits
for an input word, or for its results to be taken, are not counted by the core nor here.

Of a lossy core (docs/numerics.md, section 3) an event is what is sent; a state that changes and
is not sent costs nothing here. Sweep 0 sends the unsent deltas of the free phase; nothing is
rounded, so a self-coupled block is not cut in it.

Other blocks are skipped: those that no event has reached since their last update.

LEARN, of a core that learns, has no sweeps: rtl/learning/timing.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from toreq_hw.argument_types import named_type_errors
from toreq_hw.rtl.datapath import UPDATE_LATENCY
from toreq_hw.rtl.learning.timing import most_learn_cycles
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import ENDING, PASSES, Command, Pending, Step
from toreq_hw.rtl.readout import READOUT_LATENCY
from toreq_hw.rtl.storage import INPUT


@dataclass(frozen=True)
class PhaseEvents:
    """What happened in a phase. events: (sweep, population, neuron), in order; sweeps from 1, and 0
    for the unsent deltas of a lossy core before a NUDGE_POSITIVE.
    """

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


@named_type_errors
@dataclass
class TimingModel:
    """Follows a core through phases; it remembers which blocks are pending between them."""

    parameters: CoreParameters
    _pending: set[int] = field(default_factory=set)
    _pending_saved: set[int] = field(default_factory=set)

    def cost(self, phase: PhaseEvents, *, report: bool) -> PhaseCost:
        """The cost of the next phase."""
        parameters = self.parameters
        cycles = self._prologue(phase) + self._relaxation(phase)
        cycles += sum(
            step_cycles(parameters, step) for step in ENDING if report or step is not Step.REPORT
        )
        counts = [(INPUT, phase.input_events)]
        for number in range(len(parameters.relaxing)):
            counts.append((number, sum(event[1] == number for event in phase.events)))
        walks = [(walk, count) for source, count in counts for walk in parameters.walks_of(source)]
        return PhaseCost(
            cycles=cycles,
            beats=sum(walk.beats * count for walk, count in walks),
            synops=sum(walk.neighbours * count for walk, count in walks),
        )

    def _prologue(self, phase: PhaseEvents) -> int:
        """Steps before the first sweep; says which blocks are due."""
        parameters = self.parameters
        entry, cycles = parameters.phase(phase.command), 0
        if entry.pending is Pending.ALL:
            self._pending = set(range(len(parameters.relaxing)))
        elif entry.pending is Pending.SAVED:
            self._pending = self._pending_saved | {parameters.output}
        for step in entry.steps:
            cycles += step_cycles(parameters, step)
            if step is Step.PRESENT:
                cycles += phase.input_events * parameters.beats_of(INPUT)
            elif step is Step.FLUSH:
                cycles += self._flush(phase)
            elif step is Step.SAVE:
                self._pending_saved = set(self._pending)
                self._pending.add(parameters.output)
        return cycles

    def _flush(self, phase: PhaseEvents) -> int:
        """Sweep 0: every block's turn, whether it is due or not, and it stays so."""
        cycles = 0
        for population in self.parameters.order:
            neurons = [event[2] for event in phase.events if event[:2] == (0, population)]
            cycles += self._block(population, neurons, is_cut=False)
        return cycles

    def _relaxation(self, phase: PhaseEvents) -> int:
        events: dict[tuple[int, int], list[int]] = {}
        for sweep, population, neuron in phase.events:
            events.setdefault((sweep, population), []).append(neuron)
        cycles = 0
        for sweep in range(1, phase.sweeps + 1):
            for population in self.parameters.order:
                if population in self._pending:
                    self._pending.remove(population)
                    neurons = events.get((sweep, population), [])
                    is_cut = self.parameters.relaxing[population].self_coupled
                    cycles += self._block(population, neurons, is_cut=is_cut)
            cycles += 1
        return cycles

    def _block(self, population: int, neurons: list[int], *, is_cut: bool) -> int:
        """One population's turn: its update passes, and the walks of the events they found."""
        if neurons:
            self._pending |= {walk.target for walk in self.parameters.walks_of(population)}
        beats = len(neurons) * self.parameters.beats_of(population)
        slices = self.parameters.slices_of(population)
        if not is_cut:
            return block_cycles(self.parameters, population) + beats
        overhead = block_cycles(self.parameters, population) - slices
        cycles, first = beats, 0
        for neuron in neurons:
            last = neuron // self.parameters.update_lanes
            cycles += overhead + last - first + 1
            first = last
        return cycles + overhead + slices - first


@named_type_errors
def most_cycles(parameters: CoreParameters) -> int:
    """What no phase exceeds: every input is an event, every neuron moves in every sweep, and the
    sweeps go up to their limit. Waiting for words and for results to be taken comes on top.
    """
    model = TimingModel(parameters)
    placements = enumerate(parameters.relaxing)
    blocks = (model._block(n, list(range(s.size)), is_cut=s.self_coupled) for n, s in placements)
    sweep = 1 + sum(blocks)
    image = parameters.input.size * parameters.beats_of(INPUT)
    most = {Step.PRESENT: image, Step.FLUSH: sweep}
    if parameters.learning:
        most[Step.LEARN] = most_learn_cycles(parameters)
    begins = max(
        sum(step_cycles(parameters, step) + most.get(step, 0) for step in phase.steps)
        for phase in parameters.phases
    )
    ends = sum(step_cycles(parameters, step) for step in ENDING)
    return begins + parameters.max_sweeps * sweep + ends


def step_cycles(parameters: CoreParameters, step: Step) -> int:
    """Cycles of a step, without the beats of the events that it walks or sends."""
    if step in PASSES:
        return parameters.slices
    if step in (Step.NUDGE, Step.CLASSIFY):
        return parameters.classes + READOUT_LATENCY
    if step is Step.REPORT:
        return parameters.slices + 1
    return UPDATE_LATENCY if step is Step.PAUSE else 1


def block_cycles(parameters: CoreParameters, population: int) -> int:
    """Cycles of a block, without the beats of its events."""
    return 1 + parameters.slices_of(population) + UPDATE_LATENCY + 1
