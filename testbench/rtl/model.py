"""What the core must do: the simulator's states, events and counters, in the core's terms."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.results import one_sample
from toreq_hw.network import Network
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.timing import PhaseEvents


@dataclass(frozen=True)
class Event:
    """One event of a relaxing neuron. address: the core's number for the neuron.

    before: the state it sent last, and after: the one it sends. Sweep 0 (tick 0) is what was
    unsent in the free phase, sent before the first sweep of a nudged one.
    """

    tick: int
    sweep: int
    population: int
    neuron: int
    address: int
    before: int
    after: int

    @property
    def delta(self) -> int:
        """What the event carries."""
        return self.after - self.before


@dataclass(frozen=True)
class Phase:
    """One phase of one image. input_events: (index, value) of non-zero inputs, if presented.

    events: of the sweeps; unsent: those of sweep 0, which no counter counts. silent: (sweep,
    population) of each change of a state that was not sent. result: the simulator's, of this
    image alone.
    """

    command: Command
    states: npt.NDArray[np.int16]
    label: int
    settled: bool
    sweeps: int
    events: tuple[Event, ...]
    unsent: tuple[Event, ...]
    silent: tuple[tuple[int, int], ...]
    input_events: tuple[tuple[int, int], ...]
    saturations: int
    result: sim.PhaseResult

    def for_timing(self) -> PhaseEvents:
        """What the timing model needs to know."""
        return PhaseEvents(
            command=self.command,
            sweeps=self.sweeps,
            input_events=len(self.input_events),
            events=[(e.sweep, e.population, e.neuron) for e in (*self.unsent, *self.events)],
        )


@dataclass(frozen=True)
class _Sends:
    """far: the events; near: changes of state that were not sent; unsent: what is left of them
    at the end of the phase, as one event a neuron."""

    far: tuple[Event, ...]
    near: tuple[Event, ...]
    unsent: tuple[Event, ...]


class Model:
    """The golden model of one network under one limit on sweeps and one threshold."""

    def __init__(
        self, network: Network, parameters: CoreParameters, max_sweeps: int, threshold: int = 0
    ) -> None:
        self._network = network
        self._parameters = parameters
        self._max_sweeps = max_sweeps
        self._threshold = threshold
        self._layout = sim.Layout(network)

    def phases(
        self, inputs: npt.NDArray[np.int16], labels: npt.NDArray[np.int64] | None
    ) -> list[list[Phase]]:
        """Per image, its phases: FREE, and with labels NUDGE_POSITIVE and NUDGE_NEGATIVE."""
        free = self._relax(inputs)
        runs = {Command.FREE: free}
        if labels is not None:
            drive = sim.nudge(self._network, free.states[self._network.output.name], labels)
            for command, sign in ((Command.NUDGE_POSITIVE, 1), (Command.NUDGE_NEGATIVE, -1)):
                runs[command] = self._relax(
                    inputs, states=free.states, drive=np.int32(sign) * drive
                )
        return [self._phases(runs, inputs, image) for image in range(len(inputs))]

    def _phases(
        self, runs: dict[Command, sim.PhaseResult], inputs: npt.NDArray[np.int16], image: int
    ) -> list[Phase]:
        phases = []
        unsent: tuple[Event, ...] = ()
        for command, run in runs.items():
            presented = inputs[image] if command is Command.FREE else inputs[image][:0]
            sends = self._sends(run, image)
            due = unsent if command is Command.NUDGE_POSITIVE else ()
            phases.append(self._phase(command, run, presented, image, sends, due))
            unsent = sends.unsent
        return phases

    def _relax(self, inputs: npt.NDArray[np.int16], **start: object) -> sim.PhaseResult:
        return sim.relax(
            self._network,
            inputs,
            trace=True,
            max_sweeps=self._max_sweeps,
            threshold=self._threshold,
            **start,  # type: ignore[arg-type]  # states and drive, as relax names them
        )

    def _phase(
        self,
        command: Command,
        run: sim.PhaseResult,
        presented: npt.NDArray[np.int16],
        image: int,
        sends: _Sends,
        unsent: tuple[Event, ...],
    ) -> Phase:
        placements = self._parameters.relaxing
        ends = [
            (placements[e.population].state_min, placements[e.population].state_max)
            for e in sends.far
        ]
        return Phase(
            command=command,
            states=self._layout.join(run.states)[image],
            label=int(run.classes[image]),
            settled=bool(run.status[image] == sim.Status.SETTLED),
            sweeps=int(run.sweeps[image]),
            events=sends.far,
            unsent=unsent,
            silent=tuple((e.sweep, e.population) for e in sends.near),
            input_events=tuple((int(k), int(presented[k])) for k in np.flatnonzero(presented)),
            result=one_sample(run, image),
            saturations=sum(e.after in end for e, end in zip(sends.far, ends, strict=True)),
        )

    def _sends(self, run: sim.PhaseResult, image: int) -> _Sends:
        """What neurons send: the simulator's trace has their changes of state."""
        trace = run.trace
        assert trace is not None
        entries = trace.of_sample(image)
        columns = (trace.tick, trace.neuron, trace.after)
        rows = zip(*(column[entries].tolist() for column in columns), strict=True)
        sent = trace.initial[image].tolist()
        far, near = [], []
        for tick, neuron, after in rows:
            event = self._event(tick, neuron, sent[neuron], after)
            if abs(event.delta) > self._threshold:
                far.append(event)
                sent[neuron] = after
            else:
                near.append(event)
        assert len(far) == run.events[image], "sends must be those that the simulator counts"
        ends = enumerate(zip(sent, self._layout.join(run.states)[image].tolist(), strict=True))
        unsent = (self._event(0, neuron, *pair) for neuron, pair in ends if pair[0] != pair[1])
        return _Sends(tuple(far), tuple(near), tuple(unsent))

    def _event(self, tick: int, neuron: int, before: int, after: int) -> Event:
        for number, (placement, population) in enumerate(
            zip(self._parameters.relaxing, self._network.relaxing, strict=True)
        ):
            span = self._layout.of(population)
            if span.start <= neuron < span.stop:
                local = neuron - span.start
                return Event(
                    tick=tick,
                    sweep=-(-tick // self._parameters.sweep_ticks),
                    population=number,
                    neuron=local,
                    address=placement.first_group * self._parameters.lanes + local,
                    before=before,
                    after=after,
                )
        raise IndexError(neuron)
