"""Options that several commands take, spelled and explained the same everywhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from toreq_hw.cli.checked import OVERWRITE
from toreq_hw.cli.numbers import MAX_COUNT, MAX_JOBS, MAX_THRESHOLD, Name, Whole
from toreq_hw.cli.paths import InputFile, OutputFile, OutputFolder
from toreq_hw.data import NAMES, SEQUENCES, Dataset
from toreq_hw.data.sequences import named
from toreq_hw.errors import InputError
from toreq_hw.file_kinds import Kind

F = TypeVar("F", bound=Callable[..., Any])


class DataName(Name):
    """A set of images, or a task on sequences of some length, such as reversal-8."""

    def __init__(self) -> None:
        super().__init__((*NAMES, *SEQUENCES))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; anything else is a usage error."""
        try:
            if named(str(value)):
                return str(value)
        except InputError as error:
            self.fail(str(error), param, ctx)
        return super().convert(value, param, ctx)


DATA_HELP = "Data set; MNIST and Fashion-MNIST are found in $TOREQ_HW_DATA or downloaded."

data_option = click.option(
    "--data", "data_name", type=Name(NAMES), default="digits", show_default=True, help=DATA_HELP
)
any_data_option = click.option(
    "--data",
    "data_name",
    type=DataName(),
    default="digits",
    show_default=True,
    help=f"{DATA_HELP} Tasks on sequences are made from a seed; N is their length.",
)
seed_option = click.option(
    "--seed",
    type=Whole(0, (1 << 32) - 1),
    default=1,
    show_default=True,
    help="Seed of everything random.",
)
threshold_option = click.option(
    "--threshold",
    type=Whole(0, MAX_THRESHOLD),
    help="A core of the lossy mode, which sends only moves that are larger than this.",
)
json_option = click.option(
    "--json",
    "json_path",
    type=OutputFile(),
    help="Write the result as JSON, with versions, seed and the network's hash; - is standard "
    "output (tables then go to standard error).",
)
jobs_option = click.option(
    "--jobs", type=Whole(1, MAX_JOBS), default=1, show_default=True, help="Processes."
)
scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786."
)
overwrite_option = click.option(
    "--overwrite",
    is_flag=True,
    expose_value=False,
    callback=lambda context, _, value: context.meta.update({OVERWRITE: value}),
    help="Replace a network or checkpoint that another run has made.",
)
network_argument = click.argument("network_path", metavar="NETWORK", type=InputFile(Kind.NETWORK))


def out_file_option(shown_default: str | None = None) -> Callable[[F], F]:
    """`--out FILE`; required unless there is a default, such as "NETWORK with .onnx"."""
    given: dict[str, Any] = {"required": True, "help": "File to write."}
    if shown_default:
        given = {"help": f"File to write.  [default: {shown_default}]"}
    return click.option("--out", type=OutputFile(), **given)


def out_folder_option(default: str | None, *names: str) -> Callable[[F], F]:
    """`--out FOLDER`, into which files of these names are written (`*`: any text)."""
    return click.option(
        "--out",
        type=OutputFolder(*names),
        default=default,
        show_default=default is not None,
        help="Folder to write to.",
    )


def samples_option(what: str = "Only the first N test images.", **more: Any) -> Callable[[F], F]:
    """`--samples N`; see `check_samples`."""
    return click.option("--samples", type=Whole(1, MAX_COUNT), help=what, **more)


def with_samples(dataset: Dataset, samples: int | None) -> Dataset:
    """The data set with the first `samples` test images only, all without --samples.

    Raises InputError where there are not as many.
    """
    if samples is None:
        return dataset
    first = dataset.test.take(slice(0, check_samples(samples, dataset)))
    return replace(dataset, test=first, split=f"{dataset.split}; the first {samples} of those")


def check_samples(samples: int | None, dataset: Dataset) -> int:
    """How many test images are used, all without --samples. Raises InputError for too many."""
    available = len(dataset.test)
    if samples is not None and samples > available:
        raise InputError(
            f"--samples must be at most {available}, the test images of {dataset.name}, not "
            f"{samples}"
        )
    return samples or available


def work_option(default: str) -> Callable[[F], F]:
    """--work, the folder of a study's ledger."""
    return click.option(
        "--work",
        type=OutputFolder("*.jsonl"),
        default=default,
        show_default=True,
        help="Where finished runs are kept; they are not run again.",
    )
