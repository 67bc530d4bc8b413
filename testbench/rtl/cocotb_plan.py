"""The one test that runs inside the simulator: carry out a plan, write what came of it."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock

from testbench.rtl.bench import Bench
from testbench.rtl.checker import MismatchError
from testbench.rtl.plan import Plan


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def carry_out_plan(dut: Any) -> None:
    """Fails with the checker's one line; always leaves a record beside the plan."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    bench = Bench(dut, Plan.load(path))
    failure: str | None = None
    Clock(dut.clk, 10, unit="ns").start()
    try:
        await bench.run()
    except MismatchError as mismatch:
        failure = str(mismatch)
    record = {
        "failure": failure,
        "simulator": f"{cocotb.SIM_NAME} {cocotb.SIM_VERSION}",
        "lanes": bench.parameters.lanes,
        "images": bench.images,
        "phases": bench.checker.phases,
        "states": bench.checker.states,
        "events": bench.checker.events,
        "cycles": bench.checker.cycles,
        "synops": sum(synops for synops, _ in bench.checker.costs),
        "beats": sum(beats for _, beats in bench.checker.costs),
        "coverage": dict(bench.coverage.hits),
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n")
    assert failure is None, failure
