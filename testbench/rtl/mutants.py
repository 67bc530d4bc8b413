"""Mutants: small faults that Yosys puts into the netlist; the bench must notice each.

One build a base core holds all its mutants, an input picks one, and one simulation runs the
whole plan on each. The unharmed core runs first and last and must pass. What survives must be
proved equivalent (`testbench.rtl.equivalence`), or the campaign fails. What is decided is printed
at once. Proofs, which take longest, are kept in build/mutants: the next run does not repeat them.

python -m testbench.rtl.mutants --count 150
"""

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import click

from testbench.rtl.coverage import BINS
from testbench.rtl.equivalence import Mutants
from testbench.rtl.mutant_plans import Base, bases
from testbench.rtl.mutations import make_mutants, unharmed
from testbench.rtl.plan import Plan
from testbench.rtl.simulate import ROOT, RUNS, Outcome, simulate
from testbench.rtl.verdict import finish, versions_used
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.studies.ledger import Ledger, Run


@click.command()
@click.option("--count", type=click.IntRange(100, 3000), default=150, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Limit of one attempt at a proof, in seconds of the processor.",
)
@click.option(
    "--core",
    "only",
    type=click.Choice([base.name for base in bases()]),
    help="Only the share of this core; its record is called mutants-CORE.",
)
def command(count: int, seed: int, seconds: int, only: str | None) -> None:
    """Run every mutant against the bench, and prove the survivors equivalent."""
    cores = bases()
    campaigns = [
        run_bench(base, count // len(cores) + (number < count % len(cores)), seed)
        for number, base in enumerate(cores)
        if only in (None, base.name)
    ]
    kept = KeptProofs(ROOT / "build" / "mutants", seconds)
    with ThreadPoolExecutor(2) as pool:
        proofs = [[pool.submit(kept.proof_of, c, k) for k in c.survivors] for c in campaigns]
    records = [
        campaign.record([proof.result() for proof in own])
        for campaign, own in zip(campaigns, proofs, strict=True)
    ]
    mutants, killed, equivalent = (
        sum(record[key] for record in records) for key in ("mutants", "killed", "equivalent")
    )
    rest = mutants - killed - equivalent
    failures = [record["failure"] for record in records if record["failure"]]
    open_ones = [name for record in records for name in record["unexplained"]]
    kill_rate = killed / max(1, mutants - equivalent)
    record = {
        "failure": failures[0] if failures else open_ones[0] if open_ones else None,
        "seed": seed,
        "mutants": mutants,
        "killed": killed,
        "equivalent": equivalent,
        "neither": rest,
        "kill_rate": kill_rate,
        "proof": "same registers and outputs from every reachable state, any traffic: ABC pdr",
        "cycles": sum(record["cycles"] for record in records),
        "cycles_predicted_equal_measured": not failures,
        "coverage": covered(records),
        "cores": records,
        "simulators": sorted({record["simulator"] for record in records}),
        "versions": versions_used(),
    }
    verdict = (
        f"rtl-mutants: {killed} of {mutants} mutants die, {equivalent} are proved equivalent, "
        f"{rest} neither (kill rate {100 * kill_rate:.1f} %)"
    )
    passed = not failures and rest == 0 and mutants >= (100 if only is None else 1)
    name = "mutants" if only is None else f"mutants-{only}"
    finish(name, record, passed=passed, verdict=verdict)


@dataclass(frozen=True)
class Campaign:
    """All mutants of one base core, and what the bench made of each."""

    core: str
    mutations: list[str]
    outcome: Outcome
    mutants: Mutants

    @property
    def reasons(self) -> list[str | None]:
        """Why each mutant died; None for a survivor."""
        reasons: list[str | None] = self.outcome.record.get("reasons", [])
        return reasons

    @property
    def survivors(self) -> list[int]:
        """Those that the bench did not notice."""
        return [k for k, reason in enumerate(self.reasons) if reason is None]

    def proof_of(self, mutant: int, seconds: int) -> str:
        """PROVED if a survivor is equivalent to the whole core."""
        if "-port CLK" in self.mutations[mutant]:
            return "UNKNOWN (clock)"
        return self.mutants.compare(mutant, seconds)

    @property
    def netlist_sha256(self) -> str:
        """Of the core with all its mutants."""
        return hashlib.sha256((self.mutants.folder / "mutants.il").read_bytes()).hexdigest()

    def record(self, proofs: list[str]) -> dict[str, Any]:
        """What became of each mutant; proofs: of the survivors."""
        results = dict(zip(self.survivors, proofs, strict=True))
        simulated = self.outcome.record
        return {
            "core": self.core,
            "failure": self.outcome.failure,
            "simulator": simulated.get("simulator", "none ran"),
            "cycles": simulated.get("cycles", 0),
            "coverage": simulated.get("coverage", {}),
            "mutants": len(self.reasons),
            "killed": len(self.reasons) - len(self.survivors),
            "equivalent": proofs.count("PROVED"),
            "unexplained": [
                f"{self.core} {number} ({result}): {self.mutations[number]}"
                for number, result in results.items()
                if result != "PROVED"
            ],
            "all": [
                {"mutation": mutation, "killed_by": reason, "proof": results.get(number)}
                for number, (mutation, reason) in enumerate(
                    zip(self.mutations, self.reasons, strict=False)
                )
            ],
        }


@dataclass(frozen=True)
class Proof:
    """PROVED, REFUTED or UNKNOWN."""

    word: str


class KeptProofs:
    """Proofs of survivors; those of earlier runs on the same netlist are not repeated.

    seconds: of the processor, for each attempt.
    """

    def __init__(self, folder: Path, seconds: int) -> None:
        self._seconds = seconds
        self._lock = Lock()
        shared = {
            "code": "each run names its netlist",
            "seconds": seconds,
            "versions": versions_used(),
        }
        self._ledger = Ledger(folder, "rtl-mutants", shared, Proof)

    def proof_of(self, campaign: Campaign, mutant: int) -> str:
        """Of one survivor; printed, and kept from now on."""
        run: Run = {"core": campaign.netlist_sha256, "mutant": mutant}
        known = run in self._ledger
        word = self._ledger[run].word if known else campaign.proof_of(mutant, self._seconds)
        with self._lock:
            if not known:
                self._ledger.add(run, Proof(word))
            before = " (decided before)" if known else ""
            click.echo(f"{campaign.core} {mutant}: {word}{before}: {campaign.mutations[mutant]}")
        return word


def run_bench(base: Base, count: int, seed: int) -> Campaign:
    """Makes the mutants of a base core and runs its plan on each."""
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
    campaign = Campaign(base.name, mutations, outcome, Mutants(folder, unharmed()))
    left = campaign.survivors
    named = ", ".join(map(str, left)) or "none"
    click.echo(
        f"{base.name}: {len(campaign.reasons) - len(left)} of {len(mutations)} die; to be proved "
        f"harmless: {named}"
    )
    return campaign


def covered(records: list[dict[str, Any]]) -> dict[str, int]:
    """Hits of each coverage bin while the unharmed cores ran."""
    hits: Counter[str] = Counter()
    for record in records:
        hits.update(record["coverage"])
    return {name: hits[name] for name in BINS}


def plan_core(plan: Plan) -> Core:
    """The core that a plan runs on."""
    parameters = plan.parameters
    return Core(parameters, MemoryImages.of(plan.network, parameters))


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.mutants")
