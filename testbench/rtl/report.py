"""Closes `make rtl-test`: joins the records of all simulations, and asks for full coverage.

python -m testbench.rtl.report
"""

import json
from collections import Counter
from typing import Any

from rich.table import Table

from testbench.rtl import coverage, learning_coverage
from testbench.rtl.simulate import RUNS
from testbench.rtl.verdict import finish, versions_used
from toreq_hw.cli import console

BINS = (*coverage.BINS, *learning_coverage.BINS)
"""What simulations of cores and of cores that learn must make happen between them."""

_SUMS = ("images", "phases", "states", "events", "cycles", "synops", "beats")


def main() -> None:
    """Prints the table and the verdict; writes build/rtl/test.json."""
    records = {
        path.parent.name: json.loads(path.read_text()) for path in sorted(RUNS.glob("*/plan.json"))
    }
    others = ("wrong-weight", "mutants", "netlist")  # broken on purpose, or of other targets
    good = {name: r for name, r in records.items() if not name.startswith(others)}
    hits: Counter[str] = Counter()
    for record in good.values():
        hits.update(record["coverage"])
    failures = [f"{name}: {r['failure']}" for name, r in good.items() if r["failure"]]
    missing = [name for name in BINS if not hits[name]]
    totals = {key: sum(record[key] for record in good.values()) for key in _SUMS}
    console.output.print(_table(good))
    passed = bool(good) and not failures and not missing
    record = {
        "failure": failures[0] if failures else None,
        "simulations": len(good),
        **totals,
        "cycles_predicted_equal_measured": not failures,
        "coverage": {name: hits[name] for name in BINS},
        "coverage_missing": missing,
        "simulators": sorted({record["simulator"] for record in good.values()}),
        "versions": versions_used(),
    }
    verdict = (
        f"rtl-test: {len(good)} simulations, {totals['phases']} phases, {totals['states']} states "
        f"and {totals['events']} events equal, {totals['cycles']} cycles as predicted, "
        f"{len(BINS) - len(missing)} of {len(BINS)} coverage bins"
        + (f", missing: {', '.join(missing)}" if missing else "")
    )
    finish("test", record, passed=passed, verdict=verdict)


def _table(records: dict[str, dict[str, Any]]) -> Table:
    rows = [
        [name, str(r["lanes"]), *(str(r[key]) for key in ("phases", "states", "events", "cycles"))]
        for name, r in records.items()
    ]
    header = ["simulation", "lanes", "phases", "states", "events", "cycles"]
    return console.table("The core against the simulator", header, rows)


if __name__ == "__main__":
    main()
