"""Mutants: small faults that Yosys puts into the netlist; the bench must notice each.

One build a base core holds all its mutants, an input picks one, and one simulation runs the
whole plan on each. The unharmed core runs first and last and must pass. What survives must be
proved equivalent (`testbench.rtl.equivalence`), or the campaign fails.

python -m testbench.rtl.mutants --count 150
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from amaranth.back import rtlil

from testbench.rtl.equivalence import Mutants
from testbench.rtl.mutant_plans import Base, bases
from testbench.rtl.plan import Plan
from testbench.rtl.simulate import ROOT, RUNS, simulate
from testbench.rtl.tools import yosys
from testbench.rtl.verdict import finish, versions_used
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.verilog import TOP

SELECT_BITS = 10
"""Width of the control input `mutant`; all ones is the unharmed core."""


@click.command()
@click.option("--count", type=click.IntRange(100, 3000), default=150, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--seconds", default=300, show_default=True, help="Limit of one proof.")
def command(count: int, seed: int, seconds: int) -> None:
    """Run every mutant against the bench, and prove the survivors equivalent."""
    cores = bases()
    records = []
    for number, base in enumerate(cores):
        share = count // len(cores) + (number < count % len(cores))
        records.append(campaign(base, share, seed, seconds))
    mutants, killed, equivalent = (
        sum(record[key] for record in records) for key in ("mutants", "killed", "equivalent")
    )
    rest = mutants - killed - equivalent
    failures = [record["failure"] for record in records if record["failure"]]
    open_ones = [name for record in records for name in record["unexplained"]]
    record = {
        "failure": failures[0] if failures else open_ones[0] if open_ones else None,
        "seed": seed,
        "mutants": mutants,
        "killed": killed,
        "equivalent": equivalent,
        "neither": rest,
        "kill_rate": killed / max(1, mutants - equivalent),
        "proof": "same registers and outputs from every reachable state, any traffic: ABC pdr",
        "cores": records,
        "versions": versions_used(),
    }
    verdict = (
        f"rtl-mutants: {killed} of {mutants} mutants die, {equivalent} are proved equivalent, "
        f"{rest} neither (kill rate {100 * record['kill_rate']:.1f} %)"
    )
    passed = not failures and rest == 0 and mutants >= 100
    finish("mutants", record, passed=passed, verdict=verdict)


def campaign(base: Base, count: int, seed: int, seconds: int) -> dict[str, Any]:
    """All mutants of one base core: what each does, and why it died or may live."""
    folder = RUNS.parent / "mutants" / base.name
    folder.mkdir(parents=True, exist_ok=True)
    mutations = make_mutants(plan_core(base.plan), folder, count, seed)
    outcome = simulate(
        base.plan,
        f"mutants-{base.name}",
        sources=[folder / "mutants.v"],
        test_module="testbench.rtl.cocotb_mutants",
        environment={"TOREQ_HW_MUTANTS": str(len(mutations)), "TOREQ_HW_UNHARMED": str(unharmed())},
    )
    reasons: list[str | None] = outcome.record.get("reasons", [])
    mutants = Mutants(folder, unharmed())
    survivors = [k for k, reason in enumerate(reasons) if reason is None]
    with ThreadPoolExecutor(2) as pool:
        proofs = pool.map(
            lambda k: (
                "UNKNOWN (clock)" if "-port CLK" in mutations[k] else mutants.compare(k, seconds)
            ),
            survivors,
        )
        results = dict(zip(survivors, proofs, strict=True))
    described = [
        {"mutation": mutation, "killed_by": reason, "proof": results.get(number)}
        for number, (mutation, reason) in enumerate(zip(mutations, reasons, strict=False))
    ]
    return {
        "core": base.name,
        "failure": outcome.failure,
        "mutants": len(reasons),
        "killed": sum(reason is not None for reason in reasons),
        "equivalent": sum(result == "PROVED" for result in results.values()),
        "unexplained": [
            f"{base.name} {number} ({result}): {mutations[number]}"
            for number, result in results.items()
            if result != "PROVED"
        ],
        "all": described,
    }


def unharmed() -> int:
    """The value of the control input that picks no mutant."""
    return (1 << SELECT_BITS) - 1


def plan_core(plan: Plan) -> Core:
    """The core that a plan runs on."""
    parameters = plan.parameters
    return Core(parameters, MemoryImages.of(plan.network, parameters))


def make_mutants(core: Core, folder: Path, count: int, seed: int) -> list[str]:
    """Writes mutants.v with all mutants behind the input `mutant`; returns what each does."""
    (folder / "core.il").write_text(rtlil.convert(core, name=TOP))
    prepare = f"read_rtlil core.il; hierarchy -top {TOP}; proc; flatten; opt_clean"
    logic = "t:* t:$meminit* %d"  # what a memory holds at first is data, not logic
    yosys(f"{prepare}; mutate -list {count} -seed {seed} -o drawn.txt {logic}", folder)
    drawn = (folder / "drawn.txt").read_text().splitlines()
    control = [
        mutation.replace("mutate ", f"mutate -ctrl mutant {SELECT_BITS} {number} ")
        for number, mutation in enumerate(drawn)
    ]
    (folder / "list.txt").write_text("\n".join(control) + "\n")
    yosys(
        f"{prepare}; script list.txt; opt_clean; write_rtlil mutants.il; "
        "write_verilog -noattr mutants.v",
        folder,
    )
    return [re.sub(f" -src {ROOT}/toreq_hw/", " -src ", mutation) for mutation in drawn]


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.mutants")
