"""What goes wrong, on purpose: layers of analog noise and damage (docs/robustness.md).

from toreq_hw.sim.perturbation import DeadNeurons, WeightBitFlip, relax_with
result = relax_with(net, inputs, [WeightBitFlip(1e-3, seed=1), DeadNeurons(0.1)])
"""

from toreq_hw.contract.faults import Fault
from toreq_hw.sim.perturbation.accumulator_noise import (
    AccumulatorConverter,
    FlickerNoise,
    ReadNoise,
    StateConverter,
    ThermalNoise,
)
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.engine import disturbed_engine, relax_with
from toreq_hw.sim.perturbation.layer import (
    KINDS,
    Layer,
    LearningLayer,
    PhaseLayer,
    StartLayer,
    WeightLayer,
    disturb,
    disturbance,
    from_json,
    make_layer,
    program,
)
from toreq_hw.sim.perturbation.neuron_damage import (
    DeadNeurons,
    FrozenColour,
    StuckAccumulatorBits,
    StuckMessageBits,
    StuckStateBits,
)
from toreq_hw.sim.perturbation.pcm import Pcm
from toreq_hw.sim.perturbation.state_damage import SingleStateFlip, StateBitFlip, StateNoise
from toreq_hw.sim.perturbation.stuck_latents import StuckLatentBits
from toreq_hw.sim.perturbation.tick_damage import (
    AccumulatorUpset,
    DroppedEvents,
    DuplicatedEvents,
    MessageBitFlip,
    SilentUpset,
    StateUpset,
)
from toreq_hw.sim.perturbation.uneven import AsymmetricUpdate
from toreq_hw.sim.perturbation.weight_damage import (
    DeadColumns,
    DeadRows,
    MissingSynapses,
    StuckWeights,
    WeightBitFlip,
)
from toreq_hw.sim.perturbation.weight_noise import (
    DeviceVariation,
    IRDrop,
    ProgrammingNoise,
    RelativeNoise,
)
from toreq_hw.sim.perturbation.weight_upset import WeightUpset

__all__ = [
    "KINDS",
    "AccumulatorConverter",
    "AccumulatorUpset",
    "AsymmetricUpdate",
    "DeadColumns",
    "DeadNeurons",
    "DeadRows",
    "DeviceVariation",
    "Disturbance",
    "DroppedEvents",
    "DuplicatedEvents",
    "Fault",
    "FlickerNoise",
    "FrozenColour",
    "IRDrop",
    "Layer",
    "LearningLayer",
    "MessageBitFlip",
    "MissingSynapses",
    "Pcm",
    "PhaseLayer",
    "ProgrammingNoise",
    "ReadNoise",
    "RelativeNoise",
    "SilentUpset",
    "SingleStateFlip",
    "StartLayer",
    "StateBitFlip",
    "StateConverter",
    "StateNoise",
    "StateUpset",
    "StuckAccumulatorBits",
    "StuckLatentBits",
    "StuckMessageBits",
    "StuckStateBits",
    "StuckWeights",
    "ThermalNoise",
    "WeightBitFlip",
    "WeightLayer",
    "WeightUpset",
    "disturb",
    "disturbance",
    "disturbed_engine",
    "from_json",
    "make_layer",
    "program",
    "relax_with",
]
