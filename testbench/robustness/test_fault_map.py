"""One fault map, made once, saved, and replayed to the same bits on every engine."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case, cases, random_case
from testbench.robustness.random_maps import random_rows
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import DenseCoupling, Network, Population, Role, Schedule, WeightFormat
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.perturbation import fault_map
from toreq_hw.sim.perturbation.fault_map import FaultMap

SWEEPS = 60


def everything(seed: int) -> list[p.Layer]:
    """Every digital layer at once."""
    return [
        p.WeightBitFlip(0.05, seed),
        p.StuckWeights(0.1, seed),
        p.DeadNeurons(0.2, seed),
        p.StuckStateBits(0.05, seed),
        p.StateBitFlip(0.1, seed),
        p.StateUpset(0.02, seed),
        p.SilentUpset(0.02, seed),
        p.AccumulatorUpset(0.002, seed),
        p.DroppedEvents(0.1, seed),
        p.DuplicatedEvents(0.1, seed),
        p.MessageBitFlip(0.02, seed),
        p.StuckMessageBits(0.02, seed),
        p.FrozenColour(7, seed),
    ]


@pytest.mark.parametrize("schedule", [Schedule.PARITY, Schedule.SEQUENTIAL])
def test_a_saved_map_gives_the_same_ticks_as_the_layers_on_every_engine(
    schedule: Schedule, tmp_path: Path
) -> None:
    for seed in range(12):
        case = random_case(seed, schedule=schedule, max_size=8)
        network, inputs = case.network, case.inputs
        free = sim.relax(network, inputs)
        layers = everything(seed)
        made = FaultMap.make(network, layers, len(inputs), free.states)
        made.save(tmp_path / "map.json")
        read = fault_map.load(tmp_path / "map.json", network)
        assert read == made
        expected = p.relax_with(
            network, inputs, layers, states=free.states, max_sweeps=SWEEPS, trace=True
        )
        for engine in sim.EngineName:
            found = read.relax(
                network, inputs, engine=engine, states=free.states, max_sweeps=SWEEPS, trace=True
            )
            assert sim.first_difference(expected, found) is None


def test_maps_of_weights_and_standing_states_replay_on_all_three_engines() -> None:
    for seed in range(8):
        case = random_case(seed, schedule=Schedule.PARITY)
        free = sim.relax(case.network, case.inputs)
        layers = [p.WeightBitFlip(0.1, seed), p.StateBitFlip(0.2, seed)]
        made = FaultMap.make(case.network, layers, len(case.inputs), free.states)
        runs = [
            made.relax(case.network, case.inputs, engine=e, states=free.states, trace=True)
            for e in sim.EngineName
        ]
        assert all(sim.first_difference(runs[0], run) is None for run in runs[1:])


def test_a_map_for_another_network_is_refused(tmp_path: Path) -> None:
    case, other = random_case(1), random_case(2)
    made = FaultMap.make(case.network, [p.WeightBitFlip(0.1)], 4)
    made.save(tmp_path / "map.json")
    with pytest.raises(InputError, match="the fault map must belong to this network"):
        fault_map.load(tmp_path / "map.json", other.network)
    with pytest.raises(InputError, match="the fault map must belong to this network"):
        made.relax(other.network, other.inputs)
    with pytest.raises(InputError, match=r"inputs must be the map's 4, not 2"):
        made.relax(case.network, case.inputs[:2])


def test_analog_layers_have_no_map() -> None:
    case = random_case(3, schedule=Schedule.PARITY)
    for layer, message in (
        (p.ThermalNoise(0.5), "must be digital"),
        (p.StateConverter(1), "must be digital"),
        (p.ProgrammingNoise(0.1), "must keep the weight formats"),
    ):
        if isinstance(layer, p.ProgrammingNoise):
            case = random_case(4, schedule=Schedule.PARITY)
        with pytest.raises(InputError, match=message):
            FaultMap.make(case.network, [layer], 4)


@settings(max_examples=150, deadline=None)
@given(case=cases(), seed=st.integers(0, 2**32 - 1))
def test_any_accepted_map_gives_the_same_ticks_on_every_engine(case: Case, seed: int) -> None:
    network, inputs = case.network, case.inputs
    given_map = FaultMap(network.sha256, len(inputs), **random_rows(seed, network, len(inputs)))
    given_map.program(network)
    states = sim.relax(network, inputs).states if given_map.states else None
    runs = [
        given_map.relax(network, inputs, engine=e, states=states, max_sweeps=20, trace=True)
        for e in sim.EngineName
    ]
    assert all(sim.first_difference(runs[0], run) is None for run in runs[1:])


def test_faults_of_one_tick_happen_in_the_order_of_the_rows() -> None:
    """The sum of `output` is 2: (2 + 1) XOR 1 is 2, (2 XOR 1) + 1 is 4."""
    one = np.array([[1]], np.int8)
    roles = {"input": Role.INPUT, "hidden": Role.HIDDEN, "output": Role.OUTPUT}
    network = Network(
        tuple(Population(name, 1, role, 8) for name, role in roles.items()),
        (
            DenseCoupling("input", "hidden", one, 0, WeightFormat.INT8),
            DenseCoupling("hidden", "output", one, 0, WeightFormat.INT8),
        ),
        {},
    )
    flips = [(0, 2, "hidden", 0, "state_flip", 0), (0, 2, "output", 0, "accumulator_flip", 0)]
    for rows, expected in ((flips, 2), (flips[::-1], 4)):
        given_map = FaultMap(network.sha256, 1, faults=tuple(rows))
        for engine in sim.EngineName:
            run = given_map.relax(
                network, np.array([[2]], np.int16), engine=engine, max_sweeps=1, trace=True
            )
            assert run.trace is not None
            assert run.trace.states(0)["output"][2].tolist() == [expected]


def test_a_map_lists_exactly_the_cells_that_changed() -> None:
    case = random_case(5, schedule=Schedule.PARITY)
    layer = p.WeightBitFlip(0.3, 1)
    made = FaultMap.make(case.network, [layer], 4)
    damaged = layer.program(case.network)
    changed = sum(
        int(np.count_nonzero(a.parameters != b.parameters))
        for a, b in zip(case.network.couplings, damaged.couplings, strict=True)
    )
    assert len(made.weights) == changed > 0
    assert made.program(case.network).sha256 == damaged.sha256
