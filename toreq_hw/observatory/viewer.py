"""Which tick of a recording is viewed: steps forward run the session, steps back look back."""

from dataclasses import dataclass, replace
from typing import Protocol

from toreq_hw.contract.phases import NUDGED_PHASES
from toreq_hw.errors import InputError
from toreq_hw.observatory.history import History
from toreq_hw.observatory.picture import Pixels, planes
from toreq_hw.observatory.recording import Recording

UNITS = ("tick", "sweep", "event")


@dataclass(frozen=True)
class View:
    """The tick that is shown. phase: its number in the recording. event: changes of that tick."""

    phase: int
    tick: int
    event: int | None = None


class Runs(Protocol):
    """What makes ticks: a session, or nothing where a recording is all there is."""

    @property
    def finished(self) -> bool:
        """Whether its phase is over."""

    def step(self) -> object:
        """One more tick."""


class Viewer:
    """A session that runs as far as it is viewed. view: the tick that is shown."""

    def __init__(self, session: Runs, recording: Recording) -> None:
        self._session, self.recording = session, recording
        self.view = View(0, 0)

    def show_last(self) -> None:
        """Views the start of the last phase."""
        self.view = View(len(self.recording.phases) - 1, self.recording.last.first)

    @property
    def history(self) -> History:
        """The phase that is viewed."""
        return self.recording.phases[self.view.phase]

    @property
    def finished(self) -> bool:
        """Whether no tick of the last phase is still to come."""
        return self._session.finished

    @property
    def at_end(self) -> bool:
        """Whether there is nothing behind the viewed tick, and the phase is over."""
        last = self.view.phase == len(self.recording.phases) - 1
        whole = self.view.event is None and self.view.tick == self.history.last
        return last and whole and self.finished

    def advance(self, unit: str, count: int = 1) -> None:
        """Moves the view forward; runs ticks of the session where they are not there yet."""
        _check_unit(unit)
        for _ in range(count):
            if self.at_end:
                return
            if unit == "event":
                self._next_event()
            else:
                self._next_tick()
                while unit == "sweep" and self.view.tick % self.history.colours and not self.at_end:
                    self._next_tick()

    def back(self, unit: str) -> None:
        """Moves the view back, to the end of the phase before where its own begins."""
        _check_unit(unit)
        history, view = self.history, self.view
        if unit == "event" and (view.event or 0) > 0:
            self.view = replace(view, event=(view.event or 1) - 1)
            return
        step = history.colours if unit == "sweep" else 1
        floor = view.tick - (view.tick % step or step)
        if view.tick > history.first:
            tick = max(history.first, floor)
            event = None
            if unit == "event":  # before the last change of the tick that is viewed
                tick, changes = view.tick, len(history.step(view.tick).neuron)
                tick, event = (
                    (tick, changes - 1) if changes and view.event is None else (tick - 1, None)
                )
            self.view = View(view.phase, tick, event)
        elif view.phase > 0:
            phase = view.phase - 1
            self.view = View(phase, self.recording.phases[phase].last)

    def show(self, phase: int, tick: int) -> None:
        """Views a tick that is kept."""
        if phase >= len(self.recording.phases):
            raise InputError(f"the phase must be one of {len(self.recording.phases)}, not {phase}")
        history = self.recording.phases[phase]
        self.view = View(phase, min(max(tick, history.first), history.last))

    def planes(self) -> Pixels:
        """The planes of the view, uint8 (4, height, width)."""
        view = self.view
        return planes(self.recording, view.tick, phase=view.phase, event=view.event)

    def reached(self) -> dict[str, int]:
        """How many neurons of each population a viewed nudged phase has moved so far."""
        history = self.history
        free = self.recording.equilibrium(history)
        if history.phase not in NUDGED_PHASES or free is None:
            return {}
        away = history.states(self.view.tick) != free
        found, start = {}, 0
        for population in self.recording.plan.populations[1:]:
            found[population.name] = int(away[start : start + population.size].sum())
            start += population.size
        return found

    def _next_tick(self) -> None:
        view, history = self.view, self.history
        if view.tick == history.last and view.event is None:
            if view.phase + 1 < len(self.recording.phases):
                self.view = View(view.phase + 1, self.recording.phases[view.phase + 1].first)
                return
            self._session.step()
        tick = view.tick if view.event is not None else view.tick + 1
        self.view = View(view.phase, max(tick, self.history.first))

    def _next_event(self) -> None:
        """One more change of the viewed tick; a tick without changes is one event."""
        view, history = self.view, self.history
        if view.event is not None:
            changes = len(history.step(view.tick).neuron)
            following = view.event + 1
            self.view = replace(view, event=following if following < changes else None)
            return
        self._next_tick()
        if self.view.phase == view.phase and len(self.history.step(self.view.tick).neuron) > 1:
            self.view = replace(self.view, event=1)


def _check_unit(unit: str) -> None:
    if unit not in UNITS:
        raise InputError(f"a step must be one {', '.join(UNITS)}, not {unit!r}")
