"""Mutants: small faults that Yosys puts into the netlist; the bench must notice each.

One build holds all of them, an input of the core picks one, and one simulation runs the
whole plan of `mutant_plan` on each. The unharmed core runs first and last and must pass.

python -m testbench.rtl.mutants --count 120
"""

from pathlib import Path

import click
from amaranth.back import rtlil

from testbench.rtl.cases import mutant_plan
from testbench.rtl.plan import Plan
from testbench.rtl.simulate import RUNS, simulate
from testbench.rtl.tools import yosys
from testbench.rtl.verdict import finish, versions_used
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.verilog import TOP

SELECT_BITS = 10
"""Width of the control input `mutant`; all ones is the unharmed core."""

REQUIRED = 0.85
"""Kill rate below which the campaign fails. Survivors are listed; nothing proves them equivalent
yet, so the rate counts every one of them against the bench."""


@click.command()
@click.option("--count", type=click.IntRange(100, 1000), default=120, show_default=True)
@click.option("--seed", default=1, show_default=True)
def command(count: int, seed: int) -> None:
    """Run every mutant against the bench and report the kill rate."""
    plan = mutant_plan()
    folder = RUNS.parent / "mutants"
    folder.mkdir(parents=True, exist_ok=True)
    mutants = make_mutants(plan_core(plan), folder, count, seed)
    outcome = simulate(
        plan,
        "mutants",
        sources=[folder / "mutants.v"],
        test_module="testbench.rtl.cocotb_mutants",
        environment={"TOREQ_HW_MUTANTS": str(len(mutants)), "TOREQ_HW_UNHARMED": str(unharmed())},
    )
    reasons: list[str | None] = outcome.record.get("reasons", [])
    killed = sum(reason is not None for reason in reasons)
    survivors = [mutants[k] for k, reason in enumerate(reasons) if reason is None]
    rate = killed / max(1, len(reasons))
    record = {
        "failure": outcome.failure,
        "mutants": len(reasons),
        "killed": killed,
        "kill_rate": rate,
        "survivors": survivors,
        "reasons": reasons,
        "versions": versions_used(),
    }
    verdict = f"rtl-mutants: {killed} of {len(reasons)} mutants die ({100 * rate:.1f} %)"
    passed = outcome.failure is None and len(reasons) >= 100 and rate >= REQUIRED
    finish("mutants", record, passed=passed, verdict=verdict)


def unharmed() -> int:
    """The value of the control input that picks no mutant."""
    return (1 << SELECT_BITS) - 1


def plan_core(plan: Plan) -> Core:
    """The core that a plan runs on."""
    parameters = plan.parameters
    return Core(parameters, MemoryImages.of(plan.network, parameters))


def make_mutants(core: Core, folder: Path, count: int, seed: int) -> list[str]:
    """Writes mutants.v with all mutants behind the input `mutant`; returns what each does."""
    (folder / "core.il").write_text(rtlil.convert(core, name=TOP, emit_src=False))
    prepare = f"read_rtlil core.il; hierarchy -top {TOP}; proc; flatten; opt_clean"
    control = f"-ctrl mutant {SELECT_BITS} 0"
    yosys(f"{prepare}; mutate -list {count} -seed {seed} {control} -o list.txt", folder)
    yosys(f"{prepare}; script list.txt; opt_clean; write_verilog -noattr mutants.v", folder)
    return (folder / "list.txt").read_text().splitlines()


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.mutants")
