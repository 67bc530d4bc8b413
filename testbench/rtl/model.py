"""What the core must do: the simulator's states, events and counters, in the core's terms."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.network import Network
from toreq_hw.rtl.interfaces import Command
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import PhaseEvents


@dataclass(frozen=True)
class Event:
    """One event of a relaxing neuron. slot: the core's number for the neuron."""

    tick: int
    sweep: int
    population: int
    neuron: int
    slot: int
    before: int
    after: int

    @property
    def delta(self) -> int:
        """What the event carries."""
        return self.after - self.before


@dataclass(frozen=True)
class Phase:
    """One phase of one image. input_events: (index, value) of non-zero inputs, if presented."""

    command: Command
    states: npt.NDArray[np.int16]
    label: int
    settled: bool
    sweeps: int
    events: tuple[Event, ...]
    input_events: tuple[tuple[int, int], ...]
    saturations: int

    def for_timing(self) -> PhaseEvents:
        """What the timing model needs to know."""
        return PhaseEvents(
            command=self.command,
            sweeps=self.sweeps,
            input_events=len(self.input_events),
            events=[(e.sweep, e.population, e.neuron) for e in self.events],
        )


class Model:
    """The golden model of one network under one limit on sweeps."""

    def __init__(self, network: Network, parameters: CoreParameters, max_sweeps: int) -> None:
        self._network = network
        self._parameters = parameters
        self._max_sweeps = max_sweeps
        self._layout = sim.Layout(network)

    def phases(
        self, inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64] | None
    ) -> list[list[Phase]]:
        """Per image, its phases: FREE, and with labels RAISE and LOWER."""
        free = self._relax(inputs)
        runs = {Command.FREE: free}
        if labels is not None:
            drive = sim.nudge(self._network, free.states[self._network.output.name], labels)
            for command, sign in ((Command.RAISE, 1), (Command.LOWER, -1)):
                runs[command] = self._relax(
                    inputs, states=free.states, drive=np.int32(sign) * drive
                )
        return [
            [self._phase(command, run, inputs, image) for command, run in runs.items()]
            for image in range(len(inputs))
        ]

    def _relax(self, inputs: npt.NDArray[np.int16], **start: object) -> sim.Relaxation:
        return sim.relax(
            self._network,
            inputs,
            trace=True,
            max_sweeps=self._max_sweeps,
            **start,  # type: ignore[arg-type]  # states and drive, as relax names them
        )

    def _phase(
        self, command: Command, run: sim.Relaxation, inputs: npt.NDArray[np.int16], image: int
    ) -> Phase:
        events = self._events(run, image)
        slots = self._parameters.relaxing
        ends = [(slots[e.population].state_min, slots[e.population].state_max) for e in events]
        presented = inputs[image] if command is Command.FREE else inputs[image][:0]
        return Phase(
            command=command,
            states=self._layout.join(run.states)[image],
            label=int(run.classes[image]),
            settled=bool(run.status[image] == sim.Status.SETTLED),
            sweeps=int(run.sweeps[image]),
            events=events,
            input_events=tuple((int(k), int(presented[k])) for k in np.flatnonzero(presented)),
            saturations=sum(e.after in end for e, end in zip(events, ends, strict=True)),
        )

    def _events(self, run: sim.Relaxation, image: int) -> tuple[Event, ...]:
        trace = run.trace
        assert trace is not None
        entries = trace.of_sample(image)
        columns = (trace.tick, trace.neuron, trace.before, trace.after)
        rows = zip(*(column[entries].tolist() for column in columns), strict=True)
        return tuple(self._event(*row) for row in rows)

    def _event(self, tick: int, neuron: int, before: int, after: int) -> Event:
        for number, (slot, population) in enumerate(
            zip(self._parameters.relaxing, self._network.relaxing, strict=True)
        ):
            span = self._layout.of(population)
            if span.start <= neuron < span.stop:
                local = neuron - span.start
                return Event(
                    tick=tick,
                    sweep=1 + (tick - 1) // self._parameters.sweep_ticks,
                    population=number,
                    neuron=local,
                    slot=slot.first_group * self._parameters.lanes + local,
                    before=before,
                    after=after,
                )
        raise IndexError(neuron)
