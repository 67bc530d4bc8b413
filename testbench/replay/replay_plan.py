"""A fault map to be replayed in RTL: written by pytest, read inside the simulator."""

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from testbench.rtl.plan import Load, Plan
from testbench.rtl.simulate import RUNS, simulate
from toreq_hw import sim
from toreq_hw.contract.results import CONTINUED
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.reading import record_from
from toreq_hw.records.replay import CoreReplay
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.replay import replay_parameters
from toreq_hw.rtl.reply import replay_result
from toreq_hw.rtl.verilog import core_verilog
from toreq_hw.sim.perturbation.fault_map import FaultMap

Rows = Mapping[str, Any]


@dataclass(frozen=True)
class ReplayPlan:
    """plan: the undamaged network's core. damaged: what the map's weights make of the network,
    loaded over the stream. start: int16 (samples, neurons), where each phase begins.
    """

    plan: Plan
    damaged: Network
    rows: Rows
    inputs: npt.NDArray[np.int16]
    start: npt.NDArray[np.int16]
    max_sweeps: int

    @property
    def parameters(self) -> CoreParameters:
        """Of the core, whose accumulators have 32 bits."""
        plan = self.plan
        return replay_parameters(plan.network, plan.lanes, self.max_sweeps, **plan.choices)

    def save(self, path: Path) -> None:
        """Writes the plan where the simulator reads it."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> "ReplayPlan":
        """Reads a plan that `save` wrote."""
        plan = pickle.loads(path.read_bytes())
        assert isinstance(plan, ReplayPlan)
        return plan


def replay_in_rtl(
    network: Network,
    fault_map: FaultMap,
    inputs: npt.NDArray[np.int16],
    *,
    name: str,
    lanes: int = 4,
    choices: Mapping[str, Any] | None = None,
    states: dict[str, npt.NDArray[np.int16]] | None = None,
    max_sweeps: int,
    simulator: str = "verilator",
) -> sim.PhaseResult:
    """What came of the map's samples; the trace holds the ticks at whose end the core waited.

    choices: keyword arguments of `CoreParameters.of` beyond the lanes.
    """
    layout = sim.Layout(network)
    start = np.zeros((len(inputs), layout.neurons), dtype=np.int16)
    if states is not None:
        start = layout.join(fault_map.apply_states(states))
    core = Plan(network, lanes, (Load(network),), choices=dict(choices or {}))
    damaged = fault_map.program(network)
    plan = ReplayPlan(core, damaged, asdict(fault_map), inputs, start, max_sweeps)
    RUNS.mkdir(parents=True, exist_ok=True)
    source = RUNS / f"{name}.v"
    images = MemoryImages.of(network, plan.parameters)
    source.write_text(core_verilog(Core(plan.parameters, images, upsets=True)))
    outcome = simulate(
        plan,
        name,
        simulator,
        sources=[source],
        test_module="testbench.replay.cocotb_replay",
        memories=(("datapath", "states"), ("datapath", "accumulators")),
    )
    assert outcome.failure is None, outcome.failure
    samples = [
        record_from(one, CoreReplay, "what the bench kept", InputError)
        for one in outcome.record["samples"]
    ]
    return replay_result(network, CONTINUED, samples)
