"""The same image on another machine, beside the simulator, and where the two part first."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from toreq_hw import data
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

MACHINES = ("reference", "dense", "rtl", "lava")
"""Engines of the simulator, the compiled core, and Lava's model of Loihi 2."""


@dataclass(frozen=True)
class Difference:
    """Where two machines part. phase, tick: numbers in the recordings. text: the whole of it."""

    phase: int
    tick: int
    text: str


@dataclass(frozen=True, eq=False)
class Side:
    """The other machine's phases. difference: None where every state of every tick is the same."""

    name: str
    recording: Recording
    difference: Difference | None

    def header(self) -> dict[str, object]:
        """What the page says of it."""
        found = self.difference
        return {
            "name": self.name,
            "running": False,
            "difference": None if found is None else found.text,
            "phase": None if found is None else found.phase,
            "tick": None if found is None else found.tick,
        }

    def planes(self, view: View) -> Pixels | None:
        """The planes of the same tick, uint8 (4, height, width); None where it has none such."""
        if view.phase >= len(self.recording.phases):
            return None
        history = self.recording.phases[view.phase]
        tick = min(view.tick, history.last)
        return planes(self.recording, tick, phase=view.phase)


def compare(live: Live, name: str, fault: bool) -> Side:
    """Runs the phases of the image that is shown on both, and views them from their start.

    fault: the other machine has a broken weight, as a demonstration. Raises InputError for an
    unknown machine, and the errors of a machine that cannot run the network.
    """
    if name not in MACHINES:
        raise InputError(f"the machine must be one of {', '.join(MACHINES)}, not {name!r}")
    live.repair()
    live.begin()
    network = live.shown
    inputs = data.input_states(network, live.pixels[None], live.dataset.pixel_max)
    label = 0 if live.sample is None else live.dataset.test.labels[live.sample]
    samples = Samples(live.dataset.name, live.dataset.split, inputs, np.array([label]))
    other = with_fault(network) if fault else network
    shown = name + (", one weight broken" if fault else "")
    found = Recording(other, name=shown)
    results = _run(other, samples, found, name)
    mine = live.recording
    expected = simulated(network, samples, mine, "event", live.session)
    live.viewer.show(0, 0)
    return Side(shown, found, _first(expected, results))


def _run(
    network: Network, samples: Samples, recording: Recording, name: str
) -> Sequence[PhaseResult]:
    if name not in ("rtl", "lava"):
        return simulated(network, samples, recording, name)
    try:
        if name == "lava":
            return watch_lava(network, samples, recording)
        with tempfile.TemporaryDirectory(prefix="toreq-hw-") as folder:
            return watch_core(network, samples, recording, Path(folder))
    except ModuleNotFoundError as error:
        raise missing(
            f"the machine {name}", error.name, "rtl" if name == "rtl" else "lava"
        ) from error


def simulated(
    network: Network,
    samples: Samples,
    recording: Recording,
    engine: str,
    session: Session | None = None,
) -> list[PhaseResult]:
    """All phases of a session of the simulator, which `recording` watches."""
    if session is None:
        session = Session(network, engine=engine, observers=[recording])
        session.start(samples.inputs)
    results = [_ended(session)]
    for sign in (1, -1):
        session.nudge(samples.labels, sign)
        results.append(_ended(session))
    return results


def _ended(session: Session) -> PhaseResult:
    while not session.finished:
        session.step()
    return session.run()


def with_fault(network: Network) -> Network:
    """The network with one parameter's sign turned: the largest one of the last coupling."""
    couplings = list(network.couplings)
    weights = couplings[-1].parameters.copy()
    at = int(np.abs(weights).argmax())
    weights.flat[at] = -weights.flat[at]
    couplings[-1] = couplings[-1].with_parameters(couplings[-1].mirrored(weights))
    return replace(network, couplings=tuple(couplings))


def _first(expected: Sequence[PhaseResult], got: Sequence[PhaseResult]) -> Difference | None:
    for number, (one, other) in enumerate(zip(expected, got, strict=True)):
        found = first_difference(one, other)
        if found is not None:
            return Difference(number, found.tick or 0, str(found))
    return None
