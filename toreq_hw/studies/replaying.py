"""The machines that replay a fault map, each held against the reference engine."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw import sim
from toreq_hw.contract.trace import compared_states
from toreq_hw.extras import missing
from toreq_hw.network import Network
from toreq_hw.records.replay import Comparison
from toreq_hw.sim.perturbation.fault_map import FaultMap

MACHINES = ("sim", "rtl", "lava")

States = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class ReplayCase:
    """What is replayed: a map, its inputs, and where the phase begins (None: at rest)."""

    network: Network
    fault_map: FaultMap
    inputs: States
    states: dict[str, States] | None
    max_sweeps: int

    @property
    def start(self) -> States:
        """int16 (samples, neurons), the map's standing states put in."""
        layout = sim.Layout(self.network)
        if self.states is None:
            return np.zeros((len(self.inputs), layout.neurons), dtype=np.int16)
        return layout.join(self.fault_map.apply_states(self.states))

    def relax(self, engine: str) -> sim.PhaseResult:
        """The map on one engine of the simulator, traced."""
        return self.fault_map.relax(
            self.network,
            self.inputs,
            engine=engine,
            states=self.states,
            max_sweeps=self.max_sweeps,
            trace=True,
        )


class Expected:
    """Every state of every tick, by the reference engine."""

    def __init__(self, case: ReplayCase) -> None:
        self.result = case.relax(sim.EngineName.REFERENCE)

    def compare(self, machine: str, found: sim.PhaseResult) -> Comparison:
        """found: the machine's phase, with a trace of the ticks that it shows."""
        assert self.result.trace is not None
        assert found.trace is not None
        difference = sim.first_difference(self.result, found)
        return Comparison(
            machine,
            compared_states(self.result.trace, found.trace),
            None if difference is None else str(difference),
        )


def replay(case: ReplayCase, machine: str, folder: Path) -> list[Comparison]:
    """Comparisons of one machine; of the simulator one for each engine."""
    expected = Expected(case)
    if machine == "sim":
        return [
            expected.compare(f"sim, {engine.value}", case.relax(engine))
            for engine in sim.EngineName
        ]
    return [on_core(case, expected, folder) if machine == "rtl" else _on_lava(case, expected)]


def on_core(
    case: ReplayCase, expected: Expected, folder: Path, lanes: int = 8, **choices: Any
) -> Comparison:
    """The comparison of the compiled core. choices: of `CoreParameters.of`, beyond the lanes.

    Raises MissingDependencyError without the tools.
    """
    try:
        from toreq_hw.rtl.replay import replay_parameters
        from toreq_hw.rtl.replay_core import replay_on_core
    except ImportError as error:
        raise missing("replay on rtl", "Amaranth and Yosys", "rtl") from error
    found = replay_on_core(
        case.network,
        case.fault_map.program(case.network),
        asdict(case.fault_map),
        case.inputs,
        case.start,
        parameters=replay_parameters(case.network, lanes, case.max_sweeps, **choices),
        folder=folder,
    )
    return expected.compare("rtl", found)


def _on_lava(case: ReplayCase, expected: Expected) -> Comparison:
    from toreq_hw.lava_backend import lava_replay  # says itself what is missing

    found = lava_replay.replay(
        case.fault_map.program(case.network),
        asdict(case.fault_map),
        case.inputs,
        case.start,
        max_sweeps=case.max_sweeps,
    )
    return expected.compare("lava", found)
