"""`toreq-hw bench` (`make bench`): accuracy, speed and memory, measured side by side."""

from pathlib import Path

import click

from toreq_hw import data
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    samples_option,
    seed_option,
    with_samples,
    work_option,
)
from toreq_hw.data import Dataset
from toreq_hw.files import write_records
from toreq_hw.reports.bench import bench_sections
from toreq_hw.studies.bench import STUDY, Options
from toreq_hw.studies.study import Place


@checked_command(epilog="Example: toreq-hw bench --out build/bench")
@out_folder_option("build/bench", "bench.json")
@click.option("--quick", is_flag=True, help="Digits only, a small network, three epochs.")
@samples_option()
@work_option("build/bench")
@seed_option
@json_option
def command(
    out: Path, quick: bool, samples: int | None, work: Path, seed: int, json_path: Path | None
) -> int:
    """Measure accuracy, training and inference speed, and training memory in one run.

    Ends with status 1 if a test image does not settle or the engines disagree.
    """

    def load(name: str) -> Dataset:
        return with_samples(data.load(name), samples)

    options = Options(quick, samples, seed, load)
    record = STUDY.run(options, Place(work, screen=console.terminal))
    write_records(record, out / "bench.json", json_path)
    for section in bench_sections(record):
        assert section.table is not None
        console.output.print(console.table(section.title, section.table.header, section.table.rows))
    console.output.print(f"wrote {out}/bench.json")
    return 0 if STUDY.verdict(record).passed else 1
