"""Checks a neuromorphic run against the simulator: every state of every tick, every count."""

import numpy as np

from toreq_hw import sim
from toreq_hw.lava_backend.record import RunRecord
from toreq_hw.records.deployment import Agreement
from toreq_hw.targets.expected import Phases, first_difference_of


def compare(expected: Phases, found: RunRecord) -> Agreement:
    """Holds all three phases of a run against those of the simulator."""
    states = ticks = counts = 0
    for phase, record in zip(expected.all, found.phases, strict=True):
        states += _differing_changes(phase, record)
        ticks += int(np.count_nonzero(phase.sweeps != record.sweeps))
        events = (phase.events != record.events) | (phase.input_events != record.input_events)
        counts += int(np.count_nonzero(events))
    difference = first_difference_of(expected, found.phases)
    return Agreement(
        bit_exact=difference is None,
        first_difference=difference,
        differing_states=states,
        differing_ticks=ticks,
        differing_event_counts=counts,
    )


def _differing_changes(phase: sim.PhaseResult, record: sim.PhaseResult) -> int:
    assert phase.trace is not None, "simulate() keeps traces"
    assert record.trace is not None, "so do neuromorphic runs"
    mine, others = (set(map(tuple, trace.rows.tolist())) for trace in (phase.trace, record.trace))
    return len(mine ^ others)
