"""A core behind AXI and Wishbone is the simulator, whatever the masters do."""

from pathlib import Path

import pytest

from testbench.networks import random_case
from testbench.rtl.cases import redrawn, with_empty
from testbench.rtl.plan import Images, Load, Plan, ResetMidRun, Traffic
from testbench.rtl.simulate import RUNS, Outcome, simulate, simulators
from toreq_hw.network import Schedule
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.wrapper import wrapper_top, wrapper_verilog
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.verilog import core_verilog

CLOCKS = {Bus.AXI: "aclk", Bus.WISHBONE: "wb_clk_i"}
SLOW = 0.4
"""Chance that a channel rests."""


def bus_plan(seed: int, schedule: Schedule, lanes: int) -> Plan:
    """Images dense and sparse, by packets and by registers, at full speed and not; a load and a
    reset between them.
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


def run(plan: Plan, bus: Bus, simulator: str = "verilator", broken: str | None = None) -> Outcome:
    """broken: what the wrapper's text is replaced by: `old -> new`.

    Its record has no coverage, so it lies below the folder that `testbench.rtl.report` joins.
    """
    end = "-broken" if broken else ""
    name = f"bus/{simulator}-{bus.value}-{plan.lanes}lanes-{plan.seed}{end}"
    folder = RUNS / f"{name}-sources"
    folder.mkdir(parents=True, exist_ok=True)
    core = Core(plan.parameters, MemoryImages.of(plan.network, plan.parameters))
    text = wrapper_verilog(plan.parameters, bus)
    if broken:
        old, new = broken.split(" -> ")
        assert text.count(old) == 1, f"{text.count(old)} times {old}"
        text = text.replace(old, new)
    sources = [folder / "wrapper.v", folder / "core.v"]
    for path, content in zip(sources, (text, core_verilog(core)), strict=True):
        Path(path).write_text(content)
    return simulate(
        plan,
        name,
        simulator,
        sources=sources,
        test_module="testbench.rtl.cocotb_bus",
        environment={"TOREQ_HW_BUS": bus.value},
        top=(wrapper_top(bus), CLOCKS[bus]),
    )


@pytest.mark.parametrize(
    ("bus", "seed", "schedule", "lanes"),
    [(Bus.AXI, 21, Schedule.SEQUENTIAL, 8), (Bus.WISHBONE, 3, Schedule.PARITY, 2)],
)
def test_a_wrapped_core_is_the_simulator(
    bus: Bus, seed: int, schedule: Schedule, lanes: int
) -> None:
    outcome = run(bus_plan(seed, schedule, lanes), bus)
    assert outcome.failure is None
    assert outcome.record["phases"] == 4 * (3 + 3 + 1 + 3 + 3)
    assert outcome.record["refused"] > 10


@pytest.mark.skipif("icarus" not in simulators(), reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("bus", [Bus.AXI, Bus.WISHBONE])
def test_a_wrapped_core_in_icarus(bus: Bus) -> None:
    assert run(bus_plan(4, Schedule.SEQUENTIAL, 4), bus, "icarus").failure is None
