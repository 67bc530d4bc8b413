"""Compares what the monitors saw with what the model says; the first mismatch is one line."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from testbench.rtl.model import Event, Phase
from toreq_hw import sim
from toreq_hw.rtl.interfaces import summary_payload
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import TimingModel


@dataclass
class Seen:
    """One phase as the monitors saw it.

    events: (sweep, address, delta); inputs: (index, value); summary: fields by name. states is
    int array in the order of addresses, None without a report.
    """

    summary: dict[str, int]
    events: list[tuple[int, int, int]]
    inputs: list[tuple[int, int]]
    states: npt.NDArray[np.int64] | None


class MismatchError(Exception):
    """The core and the model differ; the message is the one line."""


@dataclass
class Checker:
    """Checks phases in the order they ran, and counts what it compared."""

    parameters: CoreParameters
    timing: TimingModel
    phases: int = 0
    states: int = 0
    events: int = 0
    cycles: int = 0
    costs: list[tuple[int, int]] = field(default_factory=list)

    def check(self, image: int, expected: Phase, seen: Seen, *, report: bool) -> None:
        """Raises MismatchError naming image, phase, tick, population, neuron, expected and got."""
        where = f"image {image}, phase {expected.command.name}"
        self._check_inputs(where, expected, seen)
        self._check_events(where, (*expected.unsent, *expected.events), seen.events)
        if report:
            if seen.states is None:
                raise MismatchError(f"{where}: expected a report of states, got none")
            self._check_states(image, expected, self._in_file_order(seen.states))
        self._check_summary(where, expected, seen.summary, report)
        self.phases += 1
        self.events += len(expected.events)

    def check_reply(
        self,
        image: int,
        expected: Phase,
        summary: dict[str, int],
        states: npt.NDArray[np.int16] | None,
    ) -> None:
        """The same without a monitor of events: `states` in file order, and the summary."""
        where = f"image {image}, phase {expected.command.name}"
        if states is not None:
            self._check_states(image, expected, states)
        self._check_summary(where, expected, summary, states is not None)
        self.phases += 1
        self.events += len(expected.events)

    def _check_inputs(self, where: str, expected: Phase, seen: Seen) -> None:
        for wanted, got in zip_longest(expected.input_events, seen.inputs):
            if wanted != got:
                raise MismatchError(
                    f"{where}, tick 0, population {self.parameters.input.name!r}: expected input "
                    f"event (index, value) {wanted}, got {got}"
                )

    def _check_events(
        self, where: str, expected: Sequence[Event], seen: Sequence[tuple[int, int, int]]
    ) -> None:
        """The core works block after block, the trace goes by ticks; neurons order both."""
        order = {population: k for k, population in enumerate(self.parameters.order)}
        wanted = sorted(expected, key=lambda e: (e.sweep, order[e.population], e.neuron))
        for event, got in zip_longest(wanted, seen):
            if event is not None and got == (event.sweep, event.address, event.delta):
                continue
            if event is None:
                raise MismatchError(f"{where}: expected no more events, got {got}")
            name = self.parameters.relaxing[event.population].name
            found = "none" if got is None else self._describe(got)
            raise MismatchError(
                f"{where}, tick {event.tick}, population {name!r}, neuron {event.neuron}: expected "
                f"{event.after} (delta {event.delta:+d}), got {found}"
            )

    def _describe(self, got: tuple[int, int, int]) -> str:
        sweep, number, delta = got
        for placement in self.parameters.relaxing:
            local = number - placement.first_group * self.parameters.lanes
            if 0 <= local < placement.groups * self.parameters.lanes:
                return f"delta {delta:+d} of {placement.name!r} neuron {local} in sweep {sweep}"
        return f"delta {delta:+d} of neuron {number} in sweep {sweep}"

    def _in_file_order(self, states: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Drops the lanes that hold no neuron."""
        spans = [(s.first_group * self.parameters.lanes, s.size) for s in self.parameters.relaxing]
        return np.concatenate([states[first : first + size] for first, size in spans])

    def _check_states(self, image: int, expected: Phase, states: npt.NDArray[np.integer]) -> None:
        """states: (neurons,) in file order."""
        layout = sim.Layout(expected.result.network)
        if len(states) != layout.neurons:
            raise MismatchError(
                f"image {image}, phase {expected.command.name}: expected {layout.neurons} states, "
                f"got {len(states)}"
            )
        self.states += len(states)
        got = sim.PhaseResult(layout.network, layout.split(states[None].astype(np.int16)))
        if difference := sim.first_difference(expected.result, got):
            raise MismatchError(str(replace(difference, sample=image)))

    def _check_summary(
        self, where: str, expected: Phase, summary: dict[str, int], report: bool
    ) -> None:
        cost = self.timing.cost(expected.for_timing(), report=report)
        wanted = {
            "phase": expected.command.value,
            "settled": int(expected.settled),
            "label": expected.label,
            "sweeps": expected.sweeps,
            "ticks": expected.sweeps * self.parameters.sweep_ticks,
            "events": len(expected.events),
            "input_events": len(expected.input_events),
            "saturations": expected.saturations,
            "beats": cost.beats,
            "cycles": cost.cycles,
        }
        fields = summary_payload(self.parameters)
        for name, exact in wanted.items():
            value = exact & ((1 << fields[name].width) - 1)  # narrow counters wrap
            if summary[name] != value:
                raise MismatchError(f"{where}, {name}: expected {value}, got {summary[name]}")
        self.cycles += cost.cycles
        self.costs.append((cost.synops, cost.beats))
