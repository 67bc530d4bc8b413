"""`toreq-hw learning` (`make reports`): cores that learn, trained, timed, built and written up."""

from collections.abc import Sequence
from pathlib import Path

import click

from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import MAX_SEEDS, Whole
from toreq_hw.cli.options import (
    jobs_option,
    json_option,
    out_folder_option,
    scheduler_option,
    work_option,
)
from toreq_hw.cli.stages import Stages
from toreq_hw.cli.study_records import chosen_cases, earlier_record, write_study
from toreq_hw.records.learning import Learner, Learning
from toreq_hw.studies import learning_cases
from toreq_hw.studies.learning import STUDY, Options, still_today
from toreq_hw.studies.learning_cases import LearningCase
from toreq_hw.studies.study import Place
from toreq_hw.studies.synthesis import needs


@checked_command(epilog="Example: toreq-hw learning --only icebreaker --out reports/published")
@click.option(
    "--only",
    help="Only learners whose name (as in 'mnist 80 int8 on icebreaker') contains this text; the "
    "others are taken from the record in --out where they are still the same.",
)
@click.option(
    "--seeds", type=Whole(1, MAX_SEEDS), default=5, show_default=True, help="Trainings of each."
)
@click.option(
    "--place-seeds",
    type=Whole(1, MAX_SEEDS),
    default=5,
    show_default=True,
    help="Runs of place and route of each.",
)
@click.option("--no-build", is_flag=True, help="Train and time only; rows say so.")
@work_option("build/learning")
@jobs_option
@scheduler_option
@out_folder_option("build/learning", "learning.json", "learning.md", "learning.html")
@json_option
def command(
    only: str | None,
    seeds: int,
    place_seeds: int,
    no_build: bool,
    work: Path,
    jobs: int,
    scheduler: str | None,
    out: Path,
    json_path: Path | None,
) -> int:
    """Train, time and build every core that learns, and write learning.json, .md and .html.

    Interrupted, it goes on where it stopped. Ends with status 1 if a core does not fit, misses its
    clock, or does not reach what is asked for.
    """
    needs()
    cases = learning_cases.PUBLISHED
    chosen = chosen_cases(cases, only)
    kept = _kept([case for case in cases if case not in chosen], out)
    with Stages() as stages:
        options = Options(
            cases=tuple(chosen),
            seeds=seeds,
            place_seeds=place_seeds,
            kept=kept,
            watch=stages.watch,
            build=not no_build,
        )
        record = STUDY.run(options, Place(work, jobs, scheduler, console.terminal))
    return write_study(STUDY, record, out, json_path)


def _kept(others: Sequence[LearningCase], out: Path) -> tuple[Learner, ...]:
    """Those of an earlier record for learners that are not trained now; none without a record."""
    found = earlier_record(out / "learning.json", Learning) if others else None
    return still_today(found, others) if found else ()
