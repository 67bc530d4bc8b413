"""`toreq-hw lazy` (`make lazy`): what a core saves by sending less, or by stopping sooner."""

from pathlib import Path

import click

from toreq_hw import data, network
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import (
    MAX_COUNT,
    MAX_LEVELS,
    MAX_THRESHOLD,
    Numbers,
    PowerOfTwo,
)
from toreq_hw.cli.options import (
    DataName,
    jobs_option,
    json_option,
    out_folder_option,
    samples_option,
    scheduler_option,
    with_samples,
    work_option,
)
from toreq_hw.cli.paths import InputFile
from toreq_hw.errors import InputError
from toreq_hw.file_kinds import Kind
from toreq_hw.files import together, write_records
from toreq_hw.reports.lazy import lazy_page, savings_table
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.rtl.placement import MOST_LANES as MOST
from toreq_hw.studies.lazy import LANES, LIMITS, STUDY, THRESHOLDS, MeasuredNetwork, Options
from toreq_hw.studies.study import Place

_EPILOG = "Example: toreq-hw lazy mnist.safetensors --data mnist --lanes 16 --thresholds 1,4,16"


@checked_command(epilog=_EPILOG)
@click.argument(
    "networks",
    metavar="NETWORK...",
    nargs=-1,
    required=True,
    type=InputFile(Kind.NETWORK),
)
@click.option(
    "--data",
    "data_names",
    type=DataName(),
    multiple=True,
    default=("digits",),
    show_default=True,
    help="Once for all networks, or once for each.",
)
@click.option(
    "--lanes", type=PowerOfTwo(2, MOST), default=LANES, show_default=True, help="Of the core."
)
@click.option(
    "--thresholds",
    type=Numbers(1, MAX_THRESHOLD, MAX_LEVELS),
    default=THRESHOLDS,
    show_default="1,2,4,8,16",
    help="Of the lossy mode: moves of states that are not sent.",
)
@click.option(
    "--limits",
    type=Numbers(1, MAX_COUNT, MAX_LEVELS),
    default=LIMITS,
    show_default="1,2,3,4,6,8",
    help="Sweeps after which the lossless core is stopped, as a control.",
)
@samples_option()
@work_option("build/lazy")
@jobs_option
@scheduler_option
@out_folder_option("build/lazy", "lazy.json", "lazy.md")
@json_option
def command(
    networks: tuple[Path, ...],
    data_names: tuple[str, ...],
    lanes: int,
    thresholds: tuple[int, ...],
    limits: tuple[int, ...],
    samples: int | None,
    work: Path,
    jobs: int,
    scheduler: str | None,
    out: Path,
    json_path: Path | None,
) -> None:
    """Measure whole test sets with thresholds and with limits on sweeps; write lazy.json and .md.

    Cycles are those of the free phase on a core, by its exact timing model.
    """
    if len(data_names) not in (1, len(networks)):
        raise InputError(
            f"--data must be given once, or once for each of {len(networks)} networks, found "
            f"{len(data_names)} times"
        )
    names = data_names * len(networks) if len(data_names) == 1 else data_names
    measured = tuple(_read(path, name, samples) for path, name in zip(networks, names, strict=True))
    options = Options(measured, lanes, thresholds, limits)
    record = STUDY.run(options, Place(work, jobs, scheduler, console.terminal))
    page = lazy_page(record)
    with together():
        write_records(record, out / "lazy.json", json_path)
        write_markdown(page, out / "lazy.md")
    for row in record.networks:
        console.output.print(console.table(row.name, *savings_table(row)))
    console.output.print(page.lead)
    console.output.print(f"wrote {out}/lazy.json and .md")


def _read(path: Path, data_name: str, samples: int | None) -> MeasuredNetwork:
    """A network and data of its size: checked before the first measurement, which is long."""
    net = network.load(path)
    dataset = with_samples(data.load(data_name, net.encoding), samples)
    data.input_states(net, dataset.test.images[:1], dataset.pixel_max)  # refuses another size
    return MeasuredNetwork(path.stem, net, dataset)
