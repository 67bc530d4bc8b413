"""What comes out of a phase, the same for every engine and every machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.trace import Trace
from toreq_hw.network import Network


class Status(IntEnum):
    """How a relaxation ended."""

    SETTLED = 0
    """A whole sweep changed nothing: an equilibrium."""
    CYCLE = 1
    """Synchronous updating returned to the state of two ticks before."""
    SWEEP_LIMIT = 2
    """The safety net: `max_sweeps` sweeps and still changing."""


@dataclass(frozen=True, eq=False)
class PhaseResult:
    """The end of one phase for a batch of samples.

    states: final states per relaxing population, int16 (batch, size).
    sweeps: int32 (batch,), sweeps run; the last one of a settled sample changed nothing.
    status: uint8 (batch,), values of `Status`.
    events: int64 (batch,), state changes sent by relaxing neurons.
    input_events: int64 (batch,), non-zero inputs (counted once per presentation).
    synops: int64 (batch,), stored weights walked by those events.
    dense_synops: int64 (batch,), weights a dense machine reads that computes the input drive
        once, recomputes every colour each tick, and stops at the same sweep.
    """

    network: Network
    states: dict[str, npt.NDArray[np.int16]]
    sweeps: npt.NDArray[np.int32]
    status: npt.NDArray[np.uint8]
    events: npt.NDArray[np.int64]
    input_events: npt.NDArray[np.int64]
    synops: npt.NDArray[np.int64]
    dense_synops: npt.NDArray[np.int64]
    trace: Trace | None

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """The largest output state of each sample; ties go to the lowest index."""
        classes: npt.NDArray[np.int64] = self.states[self.network.output.name].argmax(axis=1)
        return classes

    @property
    def ticks(self) -> npt.NDArray[np.int32]:
        """Ticks run, int32 (batch,): every sweep is one tick of each colour."""
        return self.sweeps * np.int32(len(self.network.colours))

    @property
    def unsettled(self) -> int:
        """How many samples did not reach an equilibrium."""
        return int(np.count_nonzero(self.status != Status.SETTLED))

    def first_difference(self, other: "PhaseResult") -> str | None:
        """One line naming the first disagreement with `other`, or None: counters, states, ticks."""
        if self.trace is not None and other.trace is not None:
            found = self.trace.first_difference(other.trace)
            if found:
                return found
        for name, states in self.states.items():
            if not np.array_equal(states, other.states[name]):
                sample, neuron = (int(k) for k in np.argwhere(states != other.states[name])[0])
                return (
                    f"sample {sample}, final state, population {name!r}, neuron {neuron}: expected "
                    f"{states[sample, neuron]}, got {other.states[name][sample, neuron]}"
                )
        for counter in ("sweeps", "status", "events", "input_events", "synops"):
            mine, others = getattr(self, counter), getattr(other, counter)
            if not np.array_equal(mine, others):
                sample = int(np.flatnonzero(mine != others)[0])
                return f"sample {sample}, {counter}: expected {mine[sample]}, got {others[sample]}"
        return None


@named_type_errors
def joined(parts: Sequence[PhaseResult]) -> PhaseResult:
    """One record of consecutive batches of the same network; without a trace."""

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    first = parts[0]
    return PhaseResult(
        network=first.network,
        states={n: np.concatenate([part.states[n] for part in parts]) for n in first.states},
        sweeps=column("sweeps"),
        status=column("status"),
        events=column("events"),
        input_events=column("input_events"),
        synops=column("synops"),
        dense_synops=column("dense_synops"),
        trace=None,
    )
