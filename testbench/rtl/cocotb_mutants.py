"""Runs inside the simulator: the whole plan on every mutant, each from a reset."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock

from testbench.rtl.bench import Bench
from testbench.rtl.checker import MismatchError
from testbench.rtl.plan import Plan


@cocotb.test()
async def kill_mutants(dut: Any) -> None:
    """Writes why each mutant died (null for a survivor); the unharmed core must live."""
    path = Path(os.environ["TOREQ_HW_PLAN"])
    plan = Plan.load(path)
    unharmed = int(os.environ["TOREQ_HW_UNHARMED"])
    Clock(dut.clk, 10, unit="ns").start()

    async def verdict(mutant: int, bench: Bench) -> str | None:
        dut.mutant.value = mutant
        try:
            await bench.run()
        except (MismatchError, AssertionError) as error:
            return str(error).splitlines()[0]
        return None

    whole = Bench(dut, plan)
    before = await verdict(unharmed, whole)
    reasons = []
    for mutant in range(int(os.environ["TOREQ_HW_MUTANTS"])):
        reasons.append(await verdict(mutant, Bench(dut, plan)))
        dut._log.info("mutant %d: %s", mutant, reasons[-1])
    after = await verdict(unharmed, Bench(dut, plan))
    failure = before or after
    record = {
        "failure": failure,
        "simulator": f"{cocotb.SIM_NAME} {cocotb.SIM_VERSION}",
        "reasons": reasons,
        "phases": whole.checker.phases,
        "cycles": whole.checker.cycles,
        "coverage": dict(whole.coverage.hits),
    }
    path.with_suffix(".json").write_text(json.dumps(record))
    assert failure is None, failure
