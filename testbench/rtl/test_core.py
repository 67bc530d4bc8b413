"""The core is the simulator: every event, state, counter and cycle, under all traffic."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from testbench.networks import random_case
from testbench.rtl.cases import Shape, burst_plan, lonely_plan, lossy_plan, random_plan
from testbench.rtl.plan import Images, Plan, Traffic
from testbench.rtl.simulate import RUNS, simulate, simulators
from toreq_hw import data
from toreq_hw.network import DenseCoupling, Network, Schedule
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.verilog import core_verilog

SKEWED = {"large_coupling": 0}
LOADED = {"initialised": False}
NARROW = {"update_lanes": 2}
REGISTER = {"accumulator_register": True}

SHAPES = (
    (Shape(3, Schedule.PARITY, 2), SKEWED),
    (Shape(4, Schedule.SEQUENTIAL, 4), LOADED | NARROW),
    (Shape(8, Schedule.PARITY, 8, max_size=20), {"large_coupling": 100, "update_lanes": 4}),
    (Shape(13, Schedule.SEQUENTIAL, 2), SKEWED | LOADED),
    (Shape(21, Schedule.SEQUENTIAL, 8, max_size=24), NARROW),
    (Shape(31, Schedule.PARITY, 128, max_size=150), NARROW),
    (Shape(5, Schedule.SEQUENTIAL, 4), REGISTER | NARROW | LOADED),
    (Shape(6, Schedule.PARITY, 2), REGISTER | SKEWED),
)
MORE_SHAPES = tuple(
    (Shape(100 + k, schedule, lanes, max_size), (SKEWED, LOADED, NARROW, {}, REGISTER)[k % 5])
    for k, (schedule, lanes, max_size) in enumerate(
        (schedule, lanes, max_size)
        for lanes, max_size in ((2, 6), (4, 12), (8, 24), (16, 24))
        for schedule in (Schedule.PARITY, Schedule.SEQUENTIAL)
        for _ in range(2)
    )
)


LOSSY_SHAPES = (
    (Shape(4, Schedule.SEQUENTIAL, 4), NARROW, (3, 1)),
    (Shape(3, Schedule.PARITY, 2), SKEWED, (2, 5)),
    (Shape(22, Schedule.PARITY, 8, max_size=20), NARROW | LOADED, (0, 4)),
    (Shape(23, Schedule.SEQUENTIAL, 4), REGISTER, (1, 3)),
)
MORE_LOSSY_SHAPES = tuple(
    (Shape(200 + k, schedule, lanes, max_size), choices, (k, 1 + k % 3))
    for k, (schedule, lanes, max_size, choices) in enumerate(
        (
            (Schedule.SEQUENTIAL, 2, 6, NARROW),
            (Schedule.PARITY, 4, 12, SKEWED),
            (Schedule.SEQUENTIAL, 8, 20, NARROW),
            (Schedule.PARITY, 16, 24, LOADED | REGISTER),
        )
    )
)


def _name(value: object) -> str:
    if isinstance(value, Shape):
        return value.name
    if isinstance(value, tuple):
        return "threshold-" + "-".join(map(str, value))
    assert isinstance(value, dict)
    return "-".join(f"{name}={choice}" for name, choice in value.items()) or "default"


@pytest.mark.parametrize(("shape", "choices"), SHAPES, ids=_name)
def test_random_network_in_verilator(shape: Shape, choices: dict[str, Any]) -> None:
    plan = replace(random_plan(shape), choices=choices)
    assert simulate(plan, f"verilator-{shape.name}").failure is None


@pytest.mark.skipif("icarus" not in simulators(), reason="Icarus Verilog is not installed")
@pytest.mark.parametrize(("shape", "choices"), MORE_SHAPES, ids=_name)
def test_random_network_in_icarus(shape: Shape, choices: dict[str, Any]) -> None:
    plan = replace(random_plan(shape), choices=choices)
    assert simulate(plan, f"icarus-{shape.name}", "icarus").failure is None


@pytest.mark.parametrize(("shape", "choices", "thresholds"), LOSSY_SHAPES, ids=_name)
def test_lossy_network_in_verilator(
    shape: Shape, choices: dict[str, Any], thresholds: tuple[int, int]
) -> None:
    plan = lossy_plan(shape, thresholds, choices)
    assert simulate(plan, f"verilator-lossy-{shape.name}").failure is None


@pytest.mark.skipif("icarus" not in simulators(), reason="Icarus Verilog is not installed")
@pytest.mark.parametrize(("shape", "choices", "thresholds"), MORE_LOSSY_SHAPES, ids=_name)
def test_lossy_network_in_icarus(
    shape: Shape, choices: dict[str, Any], thresholds: tuple[int, int]
) -> None:
    plan = lossy_plan(shape, thresholds, choices)
    assert simulate(plan, f"icarus-lossy-{shape.name}", "icarus").failure is None


@pytest.mark.parametrize("choices", [{}, REGISTER], ids=_name)
def test_burst_of_a_whole_population(choices: dict[str, Any]) -> None:
    plan = replace(burst_plan(), choices=choices)
    assert simulate(plan, f"verilator-burst-{_name(choices)}").failure is None


@pytest.mark.parametrize("choices", [{}, REGISTER], ids=_name)
def test_output_without_neighbours(choices: dict[str, Any]) -> None:
    plan = replace(lonely_plan(), choices=choices)
    assert simulate(plan, f"verilator-lonely-{_name(choices)}").failure is None


def test_all_digits_test_images(digits: Network) -> None:
    dataset = data.load("digits")
    inputs = data.encode(dataset.test.images, dataset.pixel_max, digits.input)
    images = Images(inputs, dataset.test.labels, Traffic(stall=0.1))
    outcome = simulate(Plan(digits, 16, (images,)), "verilator-digits")
    assert outcome.failure is None
    assert outcome.record["images"] == 359
    assert outcome.record["states"] == 359 * 3 * 42


def test_a_wrong_weight_is_found_and_named() -> None:
    """The bench compares with one network and the core holds another: it must say where."""
    case = random_case(21, schedule=Schedule.PARITY)
    wrong = case.network.couplings[0].parameters.copy()
    wrong[0] = -wrong[0]
    first, *others = case.network.couplings
    broken = replace(
        case.network,
        couplings=(
            DenseCoupling(first.pre, first.post, wrong, first.fraction_bits, first.weight_format),
            *others,
        ),
    )
    parameters = CoreParameters.of(case.network, 4)
    RUNS.mkdir(parents=True, exist_ok=True)
    source = RUNS / "wrong-weight.v"
    source.write_text(core_verilog(Core(parameters, MemoryImages.of(broken, parameters))))
    inputs = np.maximum(case.inputs, 1).astype(np.int16)
    plan = Plan(case.network, 4, (Images(inputs, case.labels),))
    failure = simulate(plan, "wrong-weight", sources=[source]).failure
    assert failure is not None
    for word in (
        "image 0",
        "phase FREE",
        "tick",
        "population 'hidden1'",
        "neuron",
        "expected",
        "got",
    ):
        assert word in failure
