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

    async def verdict(mutant: int) -> str | None:
        dut.mutant.value = mutant
        try:
            await Bench(dut, plan).run()
        except (MismatchError, AssertionError) as error:
            return str(error).splitlines()[0]
        return None

    before = await verdict(unharmed)
    reasons = []
    for mutant in range(int(os.environ["TOREQ_HW_MUTANTS"])):
        reasons.append(await verdict(mutant))
        dut._log.info("mutant %d: %s", mutant, reasons[-1])
    after = await verdict(unharmed)
    failure = before or after
    path.with_suffix(".json").write_text(json.dumps({"failure": failure, "reasons": reasons}))
    assert failure is None, failure
