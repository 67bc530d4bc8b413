"""`toreq-hw parity`: equilibrium propagation beside backpropagation, over tasks and seeds."""

from pathlib import Path

import click

from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command, overwriting
from toreq_hw.cli.numbers import MAX_JOBS, MAX_SEEDS, Names, Whole
from toreq_hw.cli.options import (
    jobs_option,
    json_option,
    out_folder_option,
    overwrite_option,
    scheduler_option,
)
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.cli.runs import current_run
from toreq_hw.files import together, write_bytes, write_records, write_text
from toreq_hw.records.parity import Parity
from toreq_hw.reports import parity as report
from toreq_hw.studies.parity import STUDY, TASKS, Options
from toreq_hw.studies.study import Place


@checked_command(
    epilog="Example: toreq-hw parity --tasks digits,cartpole --seeds 5 --out build/parity"
)
@click.option("--tasks", type=Names(TASKS), default=",".join(TASKS), show_default=True)
@click.option("--seeds", type=Whole(1, MAX_SEEDS), default=5, show_default=True)
@click.option("--quick", is_flag=True, help="Small nets on digits, two seeds: a test of the rest.")
@click.option("--threads", type=Whole(1, MAX_JOBS), default=1, show_default=True)
@click.option(
    "--work",
    "--runs",
    "runs",
    type=OutputFolder("memory.json", "*.jsonl"),
    default="build/parity",
    show_default=True,
    help="Where finished runs are kept; they are not run again.",
)
@click.option("--no-training", is_flag=True, help="Only report the runs that are kept.")
@jobs_option
@scheduler_option
@overwrite_option
@out_folder_option("build/parity", "parity.md", "parity.json", "parity.png")
@json_option
def command(
    tasks: tuple[str, ...],
    seeds: int,
    quick: bool,
    threads: int,
    runs: Path,
    no_training: bool,
    jobs: int,
    scheduler: str | None,
    out: Path,
    json_path: Path | None,
) -> int:
    """Train every task with both rules and both weight formats and put them side by side.

    Interrupted, it goes on where it stopped. Ends with status 1 where the simulator's states
    differ from the trainer's on any test sample.
    """
    options = Options(
        tasks=tasks,
        seeds=seeds,
        quick=quick,
        threads=threads,
        overwrite=overwriting(),
        training=not no_training,
        made_by=current_run(),
    )
    record = STUDY.run(options, Place(runs, jobs, scheduler, console.terminal))
    return _publish(record, out, json_path)


def _publish(record: Parity, out: Path, json_path: Path | None) -> int:
    found = record.rows
    picture = report.picture(found)
    with together():
        write_records(record, out / "parity.json", json_path)
        write_text(out / "parity.md", report.markdown(record.runs, record.memory))
        write_bytes(out / "parity.png", picture)
    header = ["task", "seeds", "EqProp, %", "backprop, %", "EqProp, CPU s", "backprop, CPU s"]
    cells = [
        [
            f"{mine.task} {mine.weights}",
            str(mine.accuracy.runs),
            mine.accuracy.text(),
            baseline.accuracy.text() if baseline else "",
            mine.cpu_seconds.text(1),
            baseline.cpu_seconds.text(1) if baseline else "",
        ]
        for mine, baseline in report.pairs(found)
    ]
    console.output.print(console.table("EqProp beside backpropagation", header, cells))
    console.output.print(f"wrote {out}/parity.md, parity.json, parity.png")
    return 0 if STUDY.verdict(record).passed else 1
