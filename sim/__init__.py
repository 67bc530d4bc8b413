"""The simulator: bit-exact relaxation and learning in integers (docs/numerics.md).

from toreq_hw import network, sim
net = network.load("build/sim/network.safetensors")
result = sim.relax(net, inputs, engine="event", trace=True)
result.states["hidden"], result.classes, result.trace.states(sample=0)["hidden"]
"""

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.contract.results import PhaseResult, Status, first_difference, join_results
from toreq_hw.contract.trace import Trace
from toreq_hw.network import check_states
from toreq_hw.sim.clamped import clamped_phase, sequence
from toreq_hw.sim.phases import (
    Engine,
    EngineName,
    free_phase,
    make_engine,
    nudge,
    nudged_phase,
    relax,
    targets,
)
from toreq_hw.sim.start import Start

__all__ = [
    "MAX_SWEEPS",
    "Engine",
    "EngineName",
    "Layout",
    "PhaseResult",
    "Start",
    "Status",
    "Trace",
    "check_states",
    "clamped_phase",
    "first_difference",
    "free_phase",
    "join_results",
    "make_engine",
    "nudge",
    "nudged_phase",
    "relax",
    "sequence",
    "targets",
]
