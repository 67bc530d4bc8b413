"""Runs a plan against a core behind a bus; pytest calls this, outside the simulator."""

from pathlib import Path

from testbench.rtl.learning_plan import LearningPlan
from testbench.rtl.plan import Plan
from testbench.rtl.simulate import RUNS, Outcome, simulate
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.wrapper import wrapper_top, wrapper_verilog
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.verilog import core_verilog

CLOCKS = {Bus.AXI: "aclk", Bus.WISHBONE: "wb_clk_i"}


def wrapped_texts(plan: Plan | LearningPlan, bus: Bus) -> dict[str, str]:
    """Verilog by the names of its files, the wrapper first."""
    core = Core(plan.parameters, MemoryImages.of(plan.network, plan.parameters))
    return {"wrapper.v": wrapper_verilog(plan.parameters, bus), "core.v": core_verilog(core)}


def simulate_wrapped(
    plan: Plan | LearningPlan,
    name: str,
    bus: Bus,
    simulator: str = "verilator",
    *,
    texts: dict[str, str] | None = None,
) -> Outcome:
    """In build/rtl/runs/bus/<name>: records there have no coverage, and no report joins them.

    texts: Verilog in place of `wrapped_texts`.
    """
    name = f"bus/{name}"
    folder = RUNS / f"{name}-sources"
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in (texts or wrapped_texts(plan, bus)).items():
        Path(folder / file).write_text(content, encoding="utf-8")
    module = "cocotb_bus" if isinstance(plan, Plan) else "cocotb_bus_learning"
    return simulate(
        plan,
        name,
        simulator,
        sources=[folder / "wrapper.v", folder / "core.v"],
        test_module=f"testbench.rtl.{module}",
        environment={"TOREQ_HW_BUS": bus.value},
        top=(wrapper_top(bus), CLOCKS[bus]),
    )
