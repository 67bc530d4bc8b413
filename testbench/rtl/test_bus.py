"""A core behind AXI and Wishbone is the simulator, whatever the masters do."""

import pytest

from testbench.networks import random_case
from testbench.rtl.cases import redrawn, with_empty
from testbench.rtl.learning_cases import SMALL, task_of
from testbench.rtl.learning_plan import LearningPlan
from testbench.rtl.plan import Images, Load, Plan, ResetMidRun, Traffic
from testbench.rtl.simulate import simulators
from testbench.rtl.wrapped import simulate_wrapped
from toreq_hw.network import Schedule
from toreq_hw.rtl.bus.buses import Bus

BUSES = [Bus.AXI, Bus.WISHBONE]
SLOW = 0.4
"""Chance that a channel rests."""

ICARUS = pytest.mark.skipif("icarus" not in simulators(), reason="Icarus Verilog is not installed")


def bus_plan(seed: int, schedule: Schedule, lanes: int) -> Plan:
    """Images dense and sparse, by packets and by registers, at full speed and not; a load and
    resets between them.
    """
    case = random_case(seed, schedule=schedule, max_size=14, batch=4)
    network, inputs, labels = case.network, with_empty(case), case.labels
    return Plan(
        network=network,
        lanes=lanes,
        seed=seed,
        steps=(
            Images(inputs, labels),
            Images(inputs, labels, Traffic(idle=SLOW, sparse=True)),
            Images(inputs, None, Traffic(idle=SLOW, report=False)),
            ResetMidRun(inputs[1], after=30),
            Images(inputs, labels, Traffic(idle=SLOW)),
            Load(redrawn(network, seed + 1)),
            Images(inputs, labels, Traffic(sparse=True)),
        ),
    )


@pytest.mark.parametrize(
    ("bus", "seed", "schedule", "lanes"),
    [(Bus.AXI, 21, Schedule.SEQUENTIAL, 8), (Bus.WISHBONE, 3, Schedule.PARITY, 2)],
)
def test_a_wrapped_core_is_the_simulator(
    bus: Bus, seed: int, schedule: Schedule, lanes: int
) -> None:
    plan = bus_plan(seed, schedule, lanes)
    outcome = simulate_wrapped(plan, f"{bus.value}-{lanes}lanes-{seed}", bus)
    assert outcome.failure is None
    assert outcome.record["phases"] == 4 * (3 + 3 + 1 + 3 + 3)
    assert outcome.record["refused"] > 30


def learning_plan() -> LearningPlan:
    """Two tasks: another one after a reset."""
    return LearningPlan(SMALL, task_of(SMALL, 4, 4), task_of(SMALL, 5, 2))


@pytest.mark.parametrize("bus", BUSES)
def test_a_wrapped_core_learns_and_is_read_back(bus: Bus) -> None:
    """Every latent, bias latent and random word, after each sample, by READ."""
    outcome = simulate_wrapped(learning_plan(), f"learning-{bus.value}", bus)
    assert outcome.failure is None
    assert outcome.record["phases"] == 3 * (3 + 1)


@ICARUS
@pytest.mark.parametrize("bus", BUSES)
def test_a_wrapped_core_in_icarus(bus: Bus) -> None:
    plan = bus_plan(4, Schedule.SEQUENTIAL, 4)
    assert simulate_wrapped(plan, f"icarus-{bus.value}", bus, "icarus").failure is None
