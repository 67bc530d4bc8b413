"""The same image on another machine, beside the simulator, and where the two part first.

`ask` says what is to be run, `carry_out` runs it, without the tab, and `stand_beside` compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw import data, sim
from toreq_hw.contract.difference import Difference
from toreq_hw.contract.results import PhaseResult, first_difference
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.network import Network
from toreq_hw.observatory.live import Live
from toreq_hw.observatory.picture import Pixels, planes
from toreq_hw.observatory.recording import Recording
from toreq_hw.observatory.viewer import View
from toreq_hw.sim.session import Session
from toreq_hw.targets import Samples
from toreq_hw.targets.watching import watch_core, watch_lava

MACHINES = {
    "reference": "reference engine",
    "dense": "dense engine",
    "rtl": "compiled core",
    "lava": "Lava",
}
"""Engines of the simulator, the core compiled from its RTL, and Lava's model of Loihi 2."""

APART = ("rtl", "lava")
"""Those that start tools of their own, and run in a process of their own."""


_TRIES = 100
"""Weights that are turned, one after another, until the image notices."""


@dataclass(frozen=True, eq=False)
class Request:
    """What another machine is to run. name: in `MACHINES`. title: in words.

    network: with its broken weight, if it has one. samples: the image that is shown. begun: serial
    of the free phase that the tab began for it.
    """

    name: str
    title: str
    network: Network
    samples: Samples
    begun: int


@dataclass(frozen=True, eq=False)
class Answer:
    """What it ran. recording: every tick. phases: their results, with traces."""

    recording: Recording
    phases: tuple[PhaseResult, ...]


@dataclass(frozen=True)
class Parting:
    """Where two machines part. phase: number in the recordings. found: the first difference."""

    phase: int
    found: Difference


@dataclass(frozen=True, eq=False)
class Side:
    """The other machine's phases. parting: None where every state of every tick is the same."""

    title: str
    recording: Recording
    parting: Parting | None

    def header(self) -> dict[str, object]:
        """What the page says of it."""
        if self.parting is None:
            return {"name": self.title, "running": False, "difference": None}
        found = self.parting.found
        return {
            "name": self.title,
            "running": False,
            "difference": str(found).replace(f", sample {found.sample}", ""),  # of the one shown
            "phase": self.parting.phase,
            "tick": found.tick or 0,
            "population": found.population,
            "neuron": found.neuron,
        }

    def planes(self, view: View) -> Pixels | None:
        """The planes of the same tick, uint8 (4, height, width); None where it has none such."""
        if view.phase >= len(self.recording.phases):
            return None
        history = self.recording.phases[view.phase]
        event = view.event
        if view.tick > history.last or event is None or event > len(history.step(view.tick).neuron):
            event = None
        return planes(self.recording, min(view.tick, history.last), phase=view.phase, event=event)


def ask(live: Live, name: str, fault: bool) -> Request:
    """What another machine is to run; the image is shown from rest, without damage.

    fault: the other machine has a broken weight, as a demonstration. Raises InputError for an
    unknown machine.
    """
    if name not in MACHINES:
        raise InputError(f"the machine must be one of {', '.join(MACHINES)}, not {name!r}")
    live.start_sound()
    network, dataset = live.shown, live.dataset
    inputs = data.input_states(network, live.pixels[None], dataset.pixel_max)
    label = 0 if live.sample is None else dataset.test.labels[live.sample]
    samples = Samples(dataset.name, dataset.split, inputs, np.array([label]))
    title = MACHINES[name]
    if fault:
        title, network = f"{title}, one weight broken", with_fault(network, inputs)
    return Request(name, title, network, samples, live.recording.phases[0].serial)


def carry_out(request: Request, folder: Path) -> Answer:
    """Runs all phases on the machine. folder: keeps compiled cores.

    Raises the errors of a machine that cannot run the network, MissingDependencyError without it.
    """
    recording = Recording(request.network, name=request.title)
    run = request.network, request.samples, recording
    try:
        if request.name == "lava":
            return Answer(recording, watch_lava(*run))
        if request.name == "rtl":
            return Answer(recording, watch_core(*run, folder))
    except ModuleNotFoundError as error:
        raise missing(f"the {request.title}", error.name, request.name) from error
    return Answer(recording, simulated(*run, request.name))


def stand_beside(live: Live, request: Request, answer: Answer) -> Side | None:
    """Runs the phases in the tab as well, and views them from their start.

    None where the tab has gone on to another image or network, or is broken.
    """
    if live.recording.phases[0].serial != request.begun or live.breaks:
        return None
    live.start_sound()
    expected = simulated(live.shown, request.samples, live.recording, "event", live.session)
    live.viewer.show(0, 0)
    return Side(request.title, answer.recording, _parting(expected, answer.phases))


def simulated(
    network: Network,
    samples: Samples,
    recording: Recording,
    engine: str,
    session: Session | None = None,
) -> tuple[PhaseResult, ...]:
    """All phases of a session of the simulator, which `recording` watches."""
    if session is None:
        session = Session(network, engine=engine, observers=[recording])
        session.start(samples.inputs)
    results = [_ended(session)]
    for sign in (1, -1):
        session.nudge(samples.labels, sign)
        results.append(_ended(session))
    return tuple(results)


def _ended(session: Session) -> PhaseResult:
    while not session.finished:
        session.step()
    return session.run()


def with_fault(network: Network, inputs: npt.NDArray[np.int16]) -> Network:
    """The network with the sign of one parameter of its last coupling turned.

    inputs: int16 (1, input.size). It is the first of the largest ones that changes where a free
    phase ends; the very first where none of them does.
    """
    sound, coupling = sim.relax(network, inputs).states, network.couplings[-1]
    order = np.argsort(-np.abs(coupling.parameters.astype(np.int64)), axis=None, kind="stable")
    for at in order[:_TRIES].tolist():
        broken = _turned(network, at)
        found = sim.relax(broken, inputs).states
        if any(not np.array_equal(sound[name], found[name]) for name in sound):
            return broken
    return _turned(network, int(order[0]))


def _turned(network: Network, at: int) -> Network:
    last = network.couplings[-1]
    weights = last.parameters.copy()
    weights.flat[at] = -weights.flat[at]
    broken = last.with_parameters(last.mirrored(weights))
    return replace(network, couplings=(*network.couplings[:-1], broken))


def _parting(expected: Sequence[PhaseResult], got: Sequence[PhaseResult]) -> Parting | None:
    for number, (one, other) in enumerate(zip(expected, got, strict=True)):
        found = first_difference(one, other)
        if found is not None:
            return Parting(number, found)
    return None
