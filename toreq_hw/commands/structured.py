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
from toreq_hw.errors import InputError
from toreq_hw.files import INCOMPLETE, together, write_records
from toreq_hw.reading import read_record
from toreq_hw.records.structured import Structured, StructuredCase
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
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
    chosen = _chosen(cases, only)
    options = Options(
        cases=tuple(chosen),
        seeds=seeds or usual.seeds,
        baseline=(usual.baseline or baseline_only) and not no_baseline,
        kept=_kept([case for case in cases if case not in chosen], out),
        baseline_seeds=baseline_seeds,
        trained=_trained(chosen, out) if baseline_only else (),
    )
    record = STUDY.run(options, Place(work, jobs, scheduler, console.terminal))
    verdict, page = STUDY.verdict(record), STUDY.page(record)
    with together():
        write_records(record, out / "structured.json", json_path)
        write_markdown(page, out / "structured.md")
        write_page(page, out / "structured.html")
    title = "Test accuracy of the integer rule"
    console.output.print(console.table(title, list(HEADER), list(map(list, accuracy_rows(record)))))
    console.output.print(verdict.sentence)
    console.output.print(f"wrote {out}/structured.json, .md and .html")
    return 0 if verdict.passed else 1


def _chosen(cases: Sequence[Case], only: str | None) -> list[Case]:
    chosen = [case for case in cases if only is None or only in case.name]
    if not chosen:
        names = ", ".join(case.name for case in cases)
        raise InputError(f"--only must be part of one of {names}, not {only!r}")
    return chosen


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
    path = out / "structured.json"
    if not others or not path.exists():
        return ()
    if (out / INCOMPLETE).exists():
        raise InputError(
            f"{out / INCOMPLETE}: must be absent: writing the record was cut off there; run "
            "without --only"
        )
    return still_today(read_record(path, Structured, InputError), others)
