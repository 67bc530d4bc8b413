"""Damage to networks of couplings that the project has never seen, by their default lowering."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.robustness.test_engines import SWEEPS, phase_layers
from testbench.small_kinds import MAKERS, Maker
from testbench.toy_couplings import ToyCase
from toreq_hw import sim
from toreq_hw.network import Network, Schedule, WeightFormat
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.perturbation import fault_map
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.relearning import Broken, DamagedTrainer, HardenedTrainer
from toreq_hw.sim.perturbation.uneven import AsymmetricUpdate

WEIGHT_LAYERS = {
    kind: layer for kind, layer in p.KINDS.items() if issubclass(layer, p.layer.WeightLayer)
}
CASES = [(WeightFormat.INT8, Schedule.SEQUENTIAL), (WeightFormat.TERNARY, Schedule.PARITY)]


def relaxed(case: ToyCase, network: Network, layers: list[p.Layer], engine: str) -> sim.PhaseResult:
    return p.relax_with(network, case.inputs, layers, engine=engine, max_sweeps=SWEEPS, trace=True)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("weight_format", "schedule"), CASES)
def test_every_phase_layer_acts_as_on_the_dense_network(
    make: Maker, weight_format: WeightFormat, schedule: Schedule
) -> None:
    case = make(11, weight_format, schedule)
    plain = sim.relax(case.dense, case.inputs, max_sweeps=SWEEPS, trace=True)
    shown = 0
    for layers in phase_layers(11, case.network):
        expected = relaxed(case, case.dense, layers, "reference")
        shown += sim.first_difference(plain, expected) is not None
        for engine in sim.EngineName:
            found = relaxed(case, case.network, layers, engine)
            assert sim.first_difference(expected, found) is None, layers
    assert shown > 8


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", WEIGHT_LAYERS)
def test_every_weight_layer_damages_the_matrices(make: Maker, kind: str) -> None:
    case = make(12)
    level = 0.1 if WEIGHT_LAYERS[kind].domain[1] <= 1 else 1.0
    layers = [p.make_layer(kind, level=level, seed=4)]
    damaged, expected = (p.layer.program(net, layers) for net in (case.network, case.dense))
    assert damaged.sha256 == expected.sha256 != case.dense.sha256
    found = [relaxed(case, case.network, layers, engine) for engine in sim.EngineName]
    dense = relaxed(case, case.dense, layers, "event")
    assert all(sim.first_difference(dense, one) is None for one in found)


@pytest.mark.parametrize("make", MAKERS)
def test_one_fault_map_is_that_of_the_dense_network(make: Maker, tmp_path: Path) -> None:
    case = make(13)
    layers = [
        p.WeightBitFlip(0.02, 1), p.DeadNeurons(0.2, 1), p.StateUpset(0.05, 1), p.DroppedEvents(0.2)
    ]  # fmt: skip
    made, dense = (FaultMap.make(net, layers, 3) for net in (case.network, case.dense))
    assert replace(made, network_sha256=dense.network_sha256) == dense
    made.save(tmp_path / "map.json")
    read = fault_map.load(tmp_path / "map.json", case.network)
    assert read.program(case.network).sha256 == dense.program(case.dense).sha256


@pytest.mark.parametrize("make", MAKERS)
def test_learning_with_broken_cells_keeps_them_and_learns_the_rest(make: Maker) -> None:
    case = make(14, batch=6)
    start = Trainer(case.network, Rule(shift=2, theta=900, initial_reach=4000), seed=2)
    order = np.tile(np.arange(6), 6)
    whole = DamagedTrainer(start, Broken({}))
    whole.learn(case.inputs, case.labels, order)
    plain = Trainer(case.network, start.rule, seed=2)
    plain.learn(case.inputs, case.labels, order)
    assert whole.network().sha256 == plain.network().lowered.sha256
    broken = Broken.stuck(p.StuckWeights(0.3, 3), case.network)
    damaged = DamagedTrainer(start, broken, AsymmetricUpdate(0.5, 1))
    damaged.learn(case.inputs, case.labels, order)
    learned = damaged.network()
    assert learned.sha256 == broken.apply(learned).sha256 != broken.apply(start.network()).sha256
    hardened = HardenedTrainer(start, lambda k: p.WeightBitFlip(0.05, k), period=4)
    hardened.learn(case.inputs, case.labels, order)
    assert hardened.network().couplings[0].kind == case.network.couplings[0].kind


@pytest.mark.parametrize("make", MAKERS)
def test_steps_up_that_are_cut_cut_every_edge_of_a_parameter(make: Maker) -> None:
    case = make(15, WeightFormat.TERNARY, batch=6)
    start = Trainer(case.network, Rule(shift=1, theta=900, initial_reach=4000), seed=2)
    uneven = DamagedTrainer(start, Broken({}), AsymmetricUpdate(0.5, 1))
    uneven.learn(case.inputs, case.labels, np.tile(np.arange(6), 9))
    plain = Trainer(case.network, start.rule, seed=2)
    plain.learn(case.inputs, case.labels, np.tile(np.arange(6), 9))
    assert not np.array_equal(uneven.synapses.latent, plain.synapses.latent)
    assert uneven.network().sha256 == Trainer.network(uneven).lowered.sha256
