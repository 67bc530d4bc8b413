"""Checks a neuromorphic run against the simulator: every state of every tick, every count."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from toreq_hw import sim
from toreq_hw.lava_backend.record import RunRecord
from toreq_hw.targets.expected import Phases, first_difference_of


@dataclass(frozen=True)
class Agreement:
    """What differs; all zero where a run is bit-exact.

    differing_states: changes (sample, tick, neuron, before, after) that only one side has.
    differing_ticks, differing_event_counts: samples and phases in which these counters differ.
    first_difference: one line naming the first of all, or None.
    """

    differing_states: int
    differing_ticks: int
    differing_event_counts: int
    first_difference: str | None

    @property
    def bit_exact(self) -> bool:
        """Whether nothing differs."""
        return self.first_difference is None

    def describe(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "bit_exact": self.bit_exact,
            "differing_states": self.differing_states,
            "differing_ticks": self.differing_ticks,
            "differing_event_counts": self.differing_event_counts,
            "first_difference": self.first_difference,
        }


def compare(expected: Phases, found: RunRecord) -> Agreement:
    """Holds all three phases of a run against those of the simulator."""
    states = ticks = counts = 0
    for phase, record in zip(expected.all, found.phases, strict=True):
        states += _differing_changes(phase, record)
        ticks += int(np.count_nonzero(phase.sweeps != record.sweeps))
        events = (phase.events != record.events) | (phase.input_events != record.input_events)
        counts += int(np.count_nonzero(events))
    return Agreement(states, ticks, counts, first_difference_of(expected, found.phases))


def _differing_changes(phase: sim.PhaseResult, record: sim.PhaseResult) -> int:
    assert phase.trace is not None, "simulate() keeps traces"
    assert record.trace is not None, "so do neuromorphic runs"
    mine, others = (set(map(tuple, trace.rows.tolist())) for trace in (phase.trace, record.trace))
    return len(mine ^ others)
