"""`toreq-hw structured` (`make structured`): every kind of coupling, trained in integers."""

from collections.abc import Sequence
from pathlib import Path

import click

from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import MAX_SEEDS, Names, Whole
from toreq_hw.cli.options import (
    jobs_option,
    json_option,
    out_folder_option,
    scheduler_option,
    work_option,
)
from toreq_hw.cli.study_records import chosen_cases, earlier_record, write_study
from toreq_hw.errors import InputError
from toreq_hw.records.structured import Structured, StructuredCase
from toreq_hw.reports.structured import HEADER, accuracy_rows
from toreq_hw.studies.structured import QUICK_OPTIONS, STUDY, Options, still_today
from toreq_hw.studies.structured_case import Case
from toreq_hw.studies.structured_cases import FULL, QUICK
from toreq_hw.studies.study import Place

DATA = tuple(dict.fromkeys(case.data for case in (*FULL, *QUICK)))


@checked_command(epilog="Example: toreq-hw structured --quick --out build/structured")
@click.option("--quick", is_flag=True, help="Small nets on digits, one seed, no baseline.")
@click.option("--seeds", type=Whole(1, MAX_SEEDS), help="Of each case; default 5, quick 1.")
@click.option("--data", "wanted", type=Names(DATA), help="Only cases on these data sets.")
@click.option(
    "--only",
    help="Only cases whose name contains this text; the others are taken from the record in --out "
    "where they are still the same.",
)
@click.option(
    "--baseline-seeds", type=Whole(1, MAX_SEEDS), help="Of backpropagation; default: as many."
)
@click.option("--no-baseline", is_flag=True, help="Leave backpropagation out.")
@click.option(
    "--baseline-only",
    is_flag=True,
    help="Train backpropagation alone; integer trainings are those of the record in --out.",
)
@work_option("build/structured")
@jobs_option
@scheduler_option
@out_folder_option("build/structured", "structured.json", "structured.md", "structured.html")
@json_option
def command(
    quick: bool,
    seeds: int | None,
    wanted: tuple[str, ...] | None,
    only: str | None,
    baseline_seeds: int | None,
    no_baseline: bool,
    baseline_only: bool,
    work: Path,
    jobs: int,
    scheduler: str | None,
    out: Path,
    json_path: Path | None,
) -> int:
    """Train networks of every kind of coupling with the integer rule, and backpropagation beside.

    Interrupted, it goes on where it stopped. Ends with status 1 where a test image does not settle
    or a case lies below what is asked for.
    """
    if no_baseline and baseline_only:
        raise InputError("--baseline-only must be given without --no-baseline")
    usual = QUICK_OPTIONS if quick else Options()
    cases = [case for case in usual.cases if wanted is None or case.data in wanted]
    chosen = chosen_cases(cases, only)
    options = Options(
        cases=tuple(chosen),
        seeds=seeds or usual.seeds,
        baseline=(usual.baseline or baseline_only) and not no_baseline,
        kept=_kept([case for case in cases if case not in chosen], out),
        baseline_seeds=baseline_seeds,
        trained=_trained(chosen, out) if baseline_only else (),
    )
    record = STUDY.run(options, Place(work, jobs, scheduler, console.terminal))
    title = "Test accuracy of the integer rule"
    console.output.print(console.table(title, list(HEADER), list(map(list, accuracy_rows(record)))))
    return write_study(STUDY, record, out, json_path)


def _trained(chosen: Sequence[Case], out: Path) -> tuple[StructuredCase, ...]:
    """The chosen cases as an earlier record has them. Raises InputError where one is not there."""
    found = _kept(chosen, out)
    missing = [case.name for case in chosen if case.name not in {one.name for one in found}]
    if missing:
        raise InputError(
            f"{out / 'structured.json'}: must hold the case with today's settings for "
            f"--baseline-only, not found: {', '.join(missing)}"
        )
    return found


def _kept(others: Sequence[Case], out: Path) -> tuple[StructuredCase, ...]:
    """Those of an earlier record for cases that are not trained now; nothing without a record."""
    found = earlier_record(out / "structured.json", Structured) if others else None
    return still_today(found, others) if found else ()
