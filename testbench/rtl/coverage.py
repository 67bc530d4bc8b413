"""Functional coverage: what the tests must have made happen, by name."""

from collections import Counter

from testbench.rtl.model import Phase
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command

SEQUENCER_STATES = (
    "IDLE",
    "CLEAR",
    "SAVE",
    "KEEP",
    "RESTORE",
    "UPDATE",
    "PAUSE",
    "NUDGE",
    "PRESENT",
    "NEXT",
    "WALK",
    "CLASSIFY",
    "REPORT",
    "LEARN",
    "SUMMARY",
)
"""All of them: a state of the machine that is not here is an error when it is seen waiting."""

BINS = (
    "saturated at s_max",
    "saturated at s_min",
    "zero input dropped",
    "update without change",
    "empty input",
    "full row changed at once",
    "largest event burst",
    "queue at its deepest",
    "row walk",
    "column walk",
    "self-coupled walk",
    "negative delta",
    "input starved",
    "input held back",
    "states held back",
    "summary held back",
    "command held back",
    "load held back",
    "dense input",
    "sparse input",
    "report",
    "no report",
    "sweep limit hit",
    "reset while presenting",
    "reset while relaxing",
    "reset while results wait",
    "weights reloaded between images",
    "weights reloaded in any order",
    "refused load between phases",
    "load between phases",
    "threshold loaded between images",
    "delta unsent",
    "unsent delta sent before a nudge",
    "unsent delta of a self-coupled population",
    "unsettled though nothing was sent",
    "sweep limit hit with unsent deltas",
    "next command taken in the cycle after the summary",
    "next image begun in the cycle after the summary",
    *(f"a source waits in {state}" for state in SEQUENCER_STATES),
    "states held back in REPORT",
    "summary held back in SUMMARY",
    "input starved in PRESENT",
    *(f"phase {command.name}" for command in Command),
    *(f"fault {fault.name}" for fault in Fault),
)


class Coverage:
    """Counts hits of the bins; an unknown name is an error."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()

    def hit(self, name: str, times: int = 1) -> None:
        """Counts `times` hits of a bin."""
        if name not in BINS:
            raise KeyError(name)
        if times:
            self.hits[name] += times

    def of_phase(self, parameters: CoreParameters, phase: Phase) -> None:
        """What a phase that the core agreed on has shown."""
        self.hit(f"phase {phase.command.name}")
        self.hit("sweep limit hit", not phase.settled)
        self.hit("negative delta", sum(e.delta < 0 for e in phase.events))
        updated = {(e.sweep, e.population) for e in phase.events}
        self.hit("update without change", (phase.sweeps, parameters.order[0]) not in updated)
        self._unsent_deltas(parameters, phase)
        largest = max(range(len(parameters.relaxing)), key=lambda k: parameters.relaxing[k].size)
        self._walks(parameters, {e.population for e in phase.events})
        for event in phase.events:
            placement = parameters.relaxing[event.population]
            self.hit("saturated at s_max", event.after == placement.state_max)
            self.hit("saturated at s_min", event.after == placement.state_min)
        for key in updated:
            self._block(parameters, phase, key, is_largest=key[1] == largest)

    def _block(
        self, parameters: CoreParameters, phase: Phase, key: tuple[int, int], *, is_largest: bool
    ) -> None:
        placement = parameters.relaxing[key[1]]
        neurons = [e.neuron for e in phase.events if (e.sweep, e.population) == key]
        rows = Counter(neuron // parameters.update_lanes for neuron in neurons)
        if placement.self_coupled:
            return
        self.hit("full row changed at once", parameters.update_lanes in rows.values())
        if is_largest:
            self.hit(
                "largest event burst", len(neurons) == placement.size > parameters.update_lanes
            )
            self.hit("queue at its deepest", len(rows) == parameters.queue_depth > 1)

    def _unsent_deltas(self, parameters: CoreParameters, phase: Phase) -> None:
        silent = {sweep for sweep, _ in phase.silent} - {e.sweep for e in phase.events}
        selves = [parameters.relaxing[number].self_coupled for _, number in phase.silent]
        self.hit("delta unsent", len(phase.silent))
        self.hit("unsent delta of a self-coupled population", sum(selves))
        self.hit("unsent delta sent before a nudge", len(phase.unsent))
        self.hit("unsettled though nothing was sent", len(silent))
        self.hit("sweep limit hit with unsent deltas", bool(phase.silent) and not phase.settled)

    def _walks(self, parameters: CoreParameters, populations: set[int]) -> None:
        for walk in parameters.walks:
            if walk.source in populations:
                self.hit("column walk" if walk.by_column else "row walk")
                self.hit("self-coupled walk", walk.source == walk.target)
