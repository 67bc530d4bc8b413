"""`python -m testbench.fuzz`: gives damaged inputs to every reader; ends with 1 at a failure."""

import argparse
import os
import sys
import time
from pathlib import Path

from testbench.fuzz import harness
from testbench.fuzz.readers import READERS, by_name

FOLDER = Path("build/fuzz")


def main() -> int:
    """Parses the command line; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m testbench.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="inputs in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--reader", action="append", choices=[r.name for r in READERS])
    parser.add_argument(
        "--replay", type=Path, help="read one kept input again, and show what fails"
    )
    given = parser.parse_args()
    if given.replay:
        reader = by_name(given.replay.name.partition(".")[0])
        outcome, details = harness.attempt(reader, given.replay)
        print(outcome, details, sep="\n")
        return 0 if outcome in (harness.ACCEPTED, harness.REFUSED) else 1
    readers = [by_name(name) for name in given.reader or [r.name for r in READERS]]
    report, shown = harness.Report(), 0.0
    for done, report in harness.run(readers, given.count, given.seed, given.jobs):
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            print(
                f"{done:,} of {given.count:,} inputs, {len(report.failures)} failures", flush=True
            )
    for reader in readers:
        of = [
            report.outcomes[reader.name, o] for o in (harness.ACCEPTED, harness.REFUSED, "failed")
        ]
        print(f"{reader.name:14s} accepted {of[0]:8,}  refused {of[1]:8,}  failed {of[2]:6,}")
    for (name, outcome), (index, details) in sorted(report.failures.items()):
        content = harness.content_of(by_name(name), given.seed, index)
        kept = harness.save(FOLDER, by_name(name), content)
        print(f"\n{name}: {outcome}, input {index}\n{details}")
        print(f"again: python -m testbench.fuzz --replay {kept}")
    print(f"{sum(report.outcomes.values()):,} inputs, {len(report.failures)} kinds of failure")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
