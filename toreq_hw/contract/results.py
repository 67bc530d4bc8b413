"""What comes out of a phase, the same for every engine and every machine, and one comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.cycles import period
from toreq_hw.contract.difference import NOTHING, STATE, Difference, first_unequal
from toreq_hw.contract.phases import Phase
from toreq_hw.contract.trace import Trace, trace_difference
from toreq_hw.network import Network

CONTINUED = "continued"
"""Of a phase that goes on from states that were given: none of the three of learning."""


FRAME = "frame"
"""Of a phase whose inputs follow others while the states are carried on."""


class Status(IntEnum):
    """How a phase ended."""

    SETTLED = 0
    """A whole sweep changed nothing: an equilibrium."""
    CYCLE = 1
    """States returned: see `cycles`."""
    SWEEP_LIMIT = 2
    """The safety net: `max_sweeps` sweeps and still changing."""


NOT_COUNTED: npt.NDArray[Any] = np.zeros(0, dtype=np.int64)
"""A counter that a machine does not keep."""

COUNTERS = ("sweeps", "status", "events", "input_events", "synops")
"""Those of a `PhaseResult` that are compared, beside its classes."""


@dataclass(frozen=True, eq=False)
class PhaseResult:
    """The end of one phase for a batch of samples. Counters that a machine does not keep are
    `NOT_COUNTED`.

    phase: its name. states: final states per relaxing population, int16 (batch, size); a population
    that the machine did not report is left out.
    sweeps: int32 (batch,), sweeps run; the last one of a settled sample changed nothing.
    status: uint8 (batch,), values of `Status`.
    events: int64 (batch,), state changes sent by relaxing neurons.
    input_events: int64 (batch,), non-zero inputs (counted once per presentation).
    synops: int64 (batch,), stored weights walked by those events.
    dense_synops: int64 (batch,), weights a dense machine reads that computes the input drive
        once, recomputes every colour each tick, and stops at the same sweep.
    readout: int32 (batch, output.size), the accumulators of a clamped output at the end; empty for
        an output that relaxes.
    own_classes: int64 (batch,), the classes that the machine itself named, where it does.
    costs: counters that only this kind of machine has (cycles, ...), int64 (batch,) by name.
    """

    network: Network
    states: dict[str, npt.NDArray[np.int16]]
    phase: str = Phase.FREE
    sweeps: npt.NDArray[np.int32] = field(default_factory=lambda: NOT_COUNTED)
    status: npt.NDArray[np.uint8] = field(default_factory=lambda: NOT_COUNTED)
    events: npt.NDArray[np.int64] = field(default_factory=lambda: NOT_COUNTED)
    input_events: npt.NDArray[np.int64] = field(default_factory=lambda: NOT_COUNTED)
    synops: npt.NDArray[np.int64] = field(default_factory=lambda: NOT_COUNTED)
    dense_synops: npt.NDArray[np.int64] = field(default_factory=lambda: NOT_COUNTED)
    trace: Trace | None = None
    own_classes: npt.NDArray[np.int64] = field(default_factory=lambda: NOT_COUNTED)
    readout: npt.NDArray[np.int32] = field(default_factory=lambda: NOT_COUNTED)
    costs: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """The largest output state of each sample; ties go to the lowest index.

        Of a clamped output the largest accumulator, where the machine reports those. Of a readout
        with several rows, (batch, rows).
        """
        if len(self.own_classes):
            return self.own_classes
        readout = self.network.readout
        ranked = self.readout if readout else self.states[self.network.output.name]
        if readout is not None and readout.rows > 1 and len(ranked):
            parts = ranked.reshape(len(ranked), readout.rows, -1)
            named: npt.NDArray[np.int64] = parts.argmax(axis=2)
            return named
        classes: npt.NDArray[np.int64] = ranked.argmax(axis=1) if len(ranked) else NOT_COUNTED
        return classes

    @property
    def ticks(self) -> npt.NDArray[np.int32]:
        """Ticks run, int32 (batch,): every sweep is one tick of each colour."""
        return self.sweeps * np.int32(len(self.network.colours))

    @property
    def periods(self) -> npt.NDArray[np.int32]:
        """Sweeps after which states return, int32 (batch,): 1 settled, 0 at the sweep limit."""
        found = np.where(self.status == Status.SETTLED, np.int32(1), np.int32(0))
        cycled = self.status == Status.CYCLE
        found[cycled] = period(self.network, self.sweeps[cycled])
        return found

    @property
    def unsettled(self) -> int:
        """How many samples did not reach an equilibrium."""
        return int(np.count_nonzero(self.status != Status.SETTLED))


def first_difference(expected: PhaseResult, got: PhaseResult) -> Difference | None:
    """The first state, tick or counter in which two results of a phase part; None if none does.

    expected: a result that counts sweeps. Traces are compared first, tick by tick, then final
    states, counters and the class. What only one side counts or traces is not compared; a
    population that `got` lacks is a difference.
    """
    found = None
    if expected.trace is not None and got.trace is not None:
        found = trace_difference(expected.trace, got.trace, expected.phase)
    found = found or _final_difference(expected, got)
    for name in COUNTERS:
        values = getattr(expected, name), getattr(got, name)
        found = found or _counter_difference(expected.phase, name, *values)
    found = found or _readout_difference(expected, got)
    if len(got.own_classes):
        values = expected.classes, got.own_classes
        found = found or _counter_difference(expected.phase, "class", *values)
    return found


def _final_difference(expected: PhaseResult, got: PhaseResult) -> Difference | None:
    for name, states in expected.states.items():
        found = got.states.get(name)
        missing = (0, 0) if states.size else None
        at = missing if found is None else first_unequal(states, found)
        if at is not None:
            sample, neuron = at
            return Difference(
                phase=expected.phase,
                sample=sample,
                quantity=STATE,
                expected=int(states[at]),
                got=NOTHING if found is None else int(found[at]),
                tick=int(expected.ticks[sample]),
                population=name,
                neuron=neuron,
                final=True,
            )
    return None


def _readout_difference(expected: PhaseResult, got: PhaseResult) -> Difference | None:
    """Of the accumulators of a clamped output, where both sides report them."""
    both = len(expected.readout) and len(got.readout)
    at = first_unequal(expected.readout, got.readout) if both else None
    if at is None:
        return None
    what = f"accumulator {at[1]} of the output"
    return Difference(expected.phase, at[0], what, int(expected.readout[at]), int(got.readout[at]))


def _counter_difference(
    phase: str, name: str, expected: npt.NDArray[Any], got: npt.NDArray[Any]
) -> Difference | None:
    """Of a counter that both sides keep."""
    at = first_unequal(expected, got) if len(expected) and len(got) else None
    if at is None:
        return None
    return Difference(phase, at[0], name, int(expected[at]), int(got[at]))


def differing_samples(expected: PhaseResult, got: PhaseResult) -> npt.NDArray[np.bool_]:
    """Which samples differ in a final state, a counter or a class; bool (batch,)."""
    differs = np.zeros(len(next(iter(expected.states.values()))), dtype=np.bool_)
    for name, states in expected.states.items():
        differs |= (states != got.states[name]).any(axis=1)
    columns = [(getattr(expected, name), getattr(got, name)) for name in COUNTERS]
    for mine, others in [*columns, (expected.classes, got.classes)]:
        if len(mine) and len(others):
            differs |= (mine != others).reshape(len(mine), -1).any(axis=1)
    return differs


def one_sample(result: PhaseResult, sample: int) -> PhaseResult:
    """The result of one sample of a batch, as a batch of one; without a trace."""
    part = slice(sample, sample + 1)
    counters = (*COUNTERS, "dense_synops", "own_classes", "readout")
    return replace(
        result,
        states={name: states[part] for name, states in result.states.items()},
        costs={name: values[part] for name, values in result.costs.items()},
        trace=None,
        **{name: getattr(result, name)[part] for name in counters},
    )


def of_trace(network: Network, phase: str, trace: Trace, **counters: Any) -> PhaseResult:
    """The result of a phase of which a machine gave the trace. counters: fields of `PhaseResult`.

    The sweeps follow from the ticks of the trace.
    """
    return PhaseResult(
        network=network,
        states=trace.layout.split(trace.final),
        phase=phase,
        trace=trace,
        sweeps=trace.ticks // np.int32(len(network.colours)),
        **counters,
    )


@named_type_errors
def join_results(parts: Sequence[PhaseResult]) -> PhaseResult:
    """One record of consecutive batches of the same phase and network; without a trace."""

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    first = parts[0]
    reported = [n for n in first.states if all(n in part.states for part in parts)]
    counters = (*COUNTERS, "dense_synops", "own_classes", "readout")
    return replace(
        first,
        states={n: np.concatenate([part.states[n] for part in parts]) for n in reported},
        costs={n: np.concatenate([part.costs[n] for part in parts]) for n in first.costs},
        trace=None,
        **{name: column(name) for name in counters},
    )
