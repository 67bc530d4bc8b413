"""Checks a neuromorphic run against the simulator: every state of every tick, every count."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from toreq_hw import sim
from toreq_hw.lava_backend.record import PhaseRecord, RunRecord
from toreq_hw.targets.expected import Phases


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
    first = None
    for name, phase, record in zip(expected.names, expected.all, found.phases, strict=True):
        states += _differing_changes(phase, record)
        ticks += int(np.count_nonzero(phase.sweeps != record.sweeps))
        events = (phase.events != record.events) | (phase.input_events != record.input_events)
        counts += int(np.count_nonzero(events))
        difference = _first_difference(phase, record)
        if first is None and difference is not None:
            first = f"{name} phase, {difference}"
    return Agreement(states, ticks, counts, first)


def _differing_changes(phase: sim.PhaseResult, record: PhaseRecord) -> int:
    trace = _trace(phase)
    columns = (trace.sample, trace.tick, trace.neuron, trace.before, trace.after)
    mine = set(zip(*(column.tolist() for column in columns), strict=True))
    return len(mine ^ set(map(tuple, record.changes.tolist())))


def _first_difference(phase: sim.PhaseResult, record: PhaseRecord) -> str | None:
    expected = _trace(phase)
    colours = np.int32(len(phase.network.colours))
    sample, tick, neuron = record.changes[:, :3].astype(np.int32).T
    before, after = record.changes[:, 3:].astype(np.int16).T
    ticks = record.sweeps.astype(np.int32) * colours
    found = sim.Trace(
        layout=expected.layout,
        initial=record.initial,
        ticks=ticks,
        sample=sample,
        tick=tick,
        neuron=neuron,
        before=before,
        after=after,
    )
    difference = expected.first_difference(found)
    if difference is not None:
        return difference
    for counter in ("events", "input_events"):
        mine, other = getattr(phase, counter), getattr(record, counter)
        if not np.array_equal(mine, other):
            at = int(np.flatnonzero(mine != other)[0])
            return f"sample {at}, {counter}: expected {mine[at]}, got {other[at]}"
    if not np.array_equal(expected.initial, record.initial):
        at = int(np.argwhere(expected.initial != record.initial)[0][0])
        return f"sample {at}: the phase starts from another state"
    return None


def _trace(phase: sim.PhaseResult) -> sim.Trace:
    assert phase.trace is not None, "simulate() keeps traces"
    return phase.trace
