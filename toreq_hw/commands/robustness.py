"""`toreq-hw robustness` (`make robustness`): every campaign, recovery, and what it all says."""

import json
from pathlib import Path

import click

from toreq_hw import data
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command, overwriting
from toreq_hw.cli.numbers import MAX_JOBS, Name, Whole
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    overwrite_option,
    samples_option,
    scheduler_option,
    seed_option,
    with_samples,
)
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.files import together, write_records, write_text
from toreq_hw.records import plain
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.reports.robustness import robustness_page
from toreq_hw.studies.robustness import STUDY, Options
from toreq_hw.studies.study import Place


@checked_command(
    epilog="Example: toreq-hw robustness --data digits --data mnist --out build/robust"
)
@click.option(
    "--data",
    "names",
    multiple=True,
    type=Name(data.NAMES),
    default=("digits",),
    show_default=True,
    help="Data sets; repeatable.",
)
@click.option("--quick", is_flag=True, help="A few campaigns and trials: for continuous checks.")
@click.option("--jobs", type=Whole(1, MAX_JOBS), help="Processes; default one a core.")
@scheduler_option
@click.option(
    "--work",
    type=OutputFolder(),
    default="build/robustness",
    show_default=True,
    help="Trained networks and finished trials.",
)
@out_folder_option("build/robustness", "robustness.json", "robustness.md", "robustness.html")
@overwrite_option
@samples_option("At most the first N test images a trial.")
@seed_option
@json_option
def command(
    names: tuple[str, ...],
    quick: bool,
    jobs: int | None,
    scheduler: str | None,
    work: Path,
    out: Path,
    samples: int | None,
    seed: int,
    json_path: Path | None,
) -> int:
    """Run every campaign on trained networks and write robustness.json, .md and .html.

    Networks are trained where --work has none yet; finished trials are not run again. Ends
    with status 1 if a control fails.
    """
    options = Options(
        datasets=tuple(with_samples(data.load(name), samples) for name in names),
        quick=quick,
        seed=seed,
        overwrite=overwriting(),
    )
    record = STUDY.run(options, Place(work, jobs or -1, scheduler, console.terminal))
    page = robustness_page(record)
    with together():
        write_text(out / "robustness.json", json.dumps(plain(record), allow_nan=False) + "\n")
        write_records(record, json_path)
        write_markdown(page, out / "robustness.md")
        write_page(page, out / "robustness.html")
    console.output.print(page.lead)
    console.output.print(f"wrote {out}/robustness.json, .md and .html")
    return 0 if record.passed else 1
