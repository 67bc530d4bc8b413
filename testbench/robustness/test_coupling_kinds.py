"""Damage to networks of couplings that the project has never seen hits their parameters."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.robustness.test_engines import SWEEPS, phase_layers
from testbench.small_kinds import MAKERS, Maker, small_case
from testbench.toy_couplings import ToyCase
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import (
    ConvolutionCoupling,
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
)
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.campaign.single_flips import single_flips
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
        dense = case.network.lowered if has_upsets(layers) else case.dense
        given = p.disturbance(case.network, len(case.inputs), layers)
        given = replace(given, weight_flips=of_cells(case.network, given.weight_flips))
        expected = sim.relax(
            dense,
            case.inputs,
            engine=p.disturbed_engine(dense, given, "reference"),
            max_sweeps=SWEEPS,
            trace=True,
        )
        shown += sim.first_difference(plain, expected) is not None
        for engine in sim.EngineName:
            found = relaxed(case, case.network, layers, engine)
            assert sim.first_difference(expected, found) is None, layers
    assert shown > 8


def has_upsets(layers: list[p.Layer]) -> bool:
    return any(isinstance(layer, p.WeightUpset) for layer in layers)


def of_cells(network: Network, flips: np.ndarray) -> np.ndarray:
    """Every edge of a parameter that is hit, written edge by edge."""
    found = []
    for sample, tick, number, parameter, bit in flips.tolist():
        coupling = network.couplings[number]
        for pre, post, own in zip(*coupling.edges(), strict=True):
            if own == parameter:
                found.append([sample, tick, number, pre * coupling.shape[1] + post, bit])
    return np.array(found, dtype=np.int64).reshape(-1, 5)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", WEIGHT_LAYERS)
def test_every_weight_layer_damages_parameters(make: Maker, kind: str) -> None:
    """All edges of a parameter read the same afterwards, on every engine."""
    case = make(12)
    level = 0.3 if WEIGHT_LAYERS[kind].domain[1] <= 1 else 1.0
    damaged = p.layer.program(case.network, [p.make_layer(kind, level=level, seed=4)])
    assert [c.kind for c in damaged.couplings] == [c.kind for c in case.network.couplings]
    assert [c.parameters.shape for c in damaged.couplings] == [
        c.parameters.shape for c in case.network.couplings
    ]
    assert damaged.sha256 != case.network.sha256
    found = [sim.relax(damaged, case.inputs, engine=e, trace=True) for e in sim.EngineName]
    assert all(sim.first_difference(found[0], one) is None for one in found)
    dense = sim.relax(dense_weights_of(damaged), case.inputs)
    for name, states in dense.states.items():
        assert np.array_equal(found[0].states[name], states)


def dense_weights_of(network: Network) -> Network:
    """The matrices, edge by edge."""
    couplings = []
    for coupling in network.couplings:
        matrix = np.zeros(coupling.shape, np.int8)
        for pre, post, k in zip(*coupling.edges(), strict=True):
            matrix[pre, post] = coupling.parameters.ravel()[k]
            if coupling.is_self_coupling:
                matrix[post, pre] = matrix[pre, post]
        couplings.append(
            DenseCoupling(
                coupling.pre, coupling.post, matrix, coupling.fraction_bits, coupling.weight_format
            )
        )
    return replace(network, couplings=tuple(couplings))


def convolution_of(weight: np.ndarray) -> Network:
    """Six places in a row, each tap with two channels on both sides."""
    ends = (
        Population("input", 12, Role.INPUT, shape=(6, 2)),
        Population("output", 10, Role.OUTPUT, shape=(5, 2)),
    )
    coupling = ConvolutionCoupling(
        "input", "output", weight, 3, WeightFormat.INT8, input_shape=(6, 2)
    )
    return Network(ends, (coupling,), {})


def test_a_level_counts_parameters() -> None:
    """Eight cells, whatever the number of places; lines are taps with a channel, and channels."""
    network = convolution_of(np.arange(1, 9, dtype=np.int8).reshape(2, 2, 2))
    half = p.MissingSynapses(0.5, 1).program(network).couplings[0].parameters
    assert np.count_nonzero(half == 0) == 4
    flipped = p.WeightBitFlip(1.0, 1, bit=0).program(network).couplings[0].parameters
    assert np.array_equal(flipped.ravel(), np.arange(1, 9) ^ 1)
    rows = p.DeadRows(0.25, 1).program(network).couplings[0].parameters.reshape(4, 2)
    assert np.count_nonzero(~rows.any(axis=1)) == 1
    columns = p.DeadColumns(0.5, 1).program(network).couplings[0].parameters.reshape(4, 2)
    assert np.count_nonzero(~columns.any(axis=0)) == 1
    dropped = p.IRDrop(0.5).program(network).couplings[0].parameters
    assert (dropped[0, 0, 0], dropped[1, 1, 1]) == (1, 4)


def test_single_flips_are_of_parameters() -> None:
    network = convolution_of(np.arange(1, 9, dtype=np.int8).reshape(2, 2, 2))
    inputs = np.random.default_rng(3).integers(0, 256, (4, 12)).astype(np.int16)
    found = single_flips(network, inputs, np.zeros(4, dtype=np.int64))
    assert len(found) == 8 * 8
    assert {(f.row, f.column) for f in found} == {(r, c) for r in range(4) for c in range(2)}
    for flip in found[::7]:
        weight = network.couplings[0].parameters.copy()
        assert weight.reshape(4, 2)[flip.row, flip.column] == flip.before
        weight.reshape(4, 2)[flip.row, flip.column] = flip.after
        other, clean = (
            sim.relax(n, inputs).states["output"] for n in (convolution_of(weight), network)
        )
        assert flip.moved == np.count_nonzero((other != clean).any(axis=1))


@pytest.mark.parametrize("make", MAKERS)
def test_a_fault_map_holds_parameters(make: Maker, tmp_path: Path) -> None:
    case = make(13)
    layers = [
        p.WeightBitFlip(0.1, 1), p.DeadNeurons(0.2, 1), p.StateUpset(0.05, 1), p.DroppedEvents(0.2)
    ]  # fmt: skip
    made = FaultMap.make(case.network, layers, 3)
    assert made.parameters
    assert made.weights == ()
    made.save(tmp_path / "map.json")
    assert json.loads((tmp_path / "map.json").read_text())["version"] == 2
    read = fault_map.load(tmp_path / "map.json", case.network)
    assert read == made
    assert read.program(case.network).sha256 == p.layer.program(case.network, layers[:1]).sha256
    expected = relaxed(case, case.network, layers, "reference")
    for engine in sim.EngineName:
        found = read.relax(case.network, case.inputs, engine=engine, max_sweeps=SWEEPS, trace=True)
        assert sim.first_difference(expected, found) is None


@pytest.mark.parametrize("make", MAKERS)
def test_maps_of_cells_are_read_for_ever(make: Maker, tmp_path: Path) -> None:
    """As version 1 has them for every kind: a cell of the matrix, one edge of many."""
    case = make(16)
    coupling = case.network.couplings[0]
    pre, post, _ = coupling.edges()
    row, column = int(pre[0]), int(post[0])
    old = {
        "format": "toreq-hw fault map",
        "version": 1,
        "network_sha256": case.network.sha256,
        "samples": 3,
        "weights": [
            [coupling.name, row, column, 1],
            [coupling.name, int(pre[-1]), int(post[-1]), 0],
        ],
    }
    (tmp_path / "old.json").write_text(json.dumps(old))
    read = fault_map.load(tmp_path / "old.json", case.network)
    expected = case.dense.dense_couplings[0].weight.copy()
    expected[row, column], expected[pre[-1], post[-1]] = 1, 0
    assert np.array_equal(read.program(case.network).dense_couplings[0].weight, expected)
    read.save(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["version"] == 1
    assert fault_map.load(tmp_path / "again.json", case.network) == read


CONVOLUTION = "input-hidden"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            {"parameters": [[CONVOLUTION, 8, 1]]},
            r"parameters\[0\]: parameter must be a whole number in 0\.\.",
        ),
        (
            {"parameters": [[CONVOLUTION, -1, 1]]},
            r"parameters\[0\]: parameter must be a whole number in 0\.\.",
        ),
        ({"parameters": [[CONVOLUTION, 0, 128]]}, "word must be a whole number in"),
        ({"parameters": [["input-output", 0, 1]]}, "coupling must be one of"),
        ({"parameters": [[CONVOLUTION, 0, 1], [CONVOLUTION, 0, 1]]}, "not listed yet"),
        ({"parameters": [[CONVOLUTION, 0, 1, 1]]}, "must be a row of coupling, parameter, word"),
        (
            {"parameters": [[CONVOLUTION, 0, 1]], "weights": [[CONVOLUTION, 0, 0, 1]]},
            "must be of couplings without rows in weights, found 'input-hidden'",
        ),
        ({"parameters": [[CONVOLUTION, 0, 1]], "version": 1}, "version must be 2 with parameters"),
        ({"version": 4}, "version must be 1, 2 or 3"),
    ],
)
def test_bad_parameters_are_one_line(entries: dict[str, object], said: str, tmp_path: Path) -> None:
    network = small_case(17).network
    head = {"format": "toreq-hw fault map", "version": 2, "network_sha256": network.sha256}
    (tmp_path / "map.json").write_text(json.dumps({**head, "samples": 1, **entries}))
    with pytest.raises(InputError, match=said) as caught:
        fault_map.load(tmp_path / "map.json", network)
    assert "\n" not in str(caught.value)


def test_parameters_of_a_matrix_are_cells() -> None:
    network = small_case(17).network.lowered
    wrong = FaultMap(network.sha256, 1, parameters=((CONVOLUTION, 0, 1),))
    with pytest.raises(InputError, match="whose cells are rows of weights"):
        wrong.program(network)


@pytest.mark.parametrize("make", MAKERS)
def test_stuck_parameters_are_stuck_on_all_their_edges(make: Maker) -> None:
    for schedule in (Schedule.PARITY, Schedule.SEQUENTIAL):
        network = make(18, schedule=schedule).network
        layer = p.StuckWeights(0.3, 3)
        broken = Broken.stuck(layer, network).apply(network)
        assert broken.sha256 == layer.program(network).lowered.sha256 != network.lowered.sha256


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
