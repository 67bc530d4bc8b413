"""Options that several commands take, spelled and explained the same everywhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from toreq_hw.cli.checked import OVERWRITE
from toreq_hw.cli.numbers import MAX_COUNT, MAX_JOBS, MAX_THRESHOLD, Name, Whole
from toreq_hw.cli.paths import InputFile, OutputFile, OutputFolder
from toreq_hw.data import NAMES, OWN, SEQUENCES, Dataset, Spec
from toreq_hw.data.own import is_own
from toreq_hw.data.sequences import named
from toreq_hw.errors import DataError, InputError
from toreq_hw.file_kinds import Kind

F = TypeVar("F", bound=Callable[..., Any])


_SETTINGS = "toreq_hw.data_settings"
"""Key of a click context's `meta`: what options beside --data say of own data."""


class DataName(Name):
    """A set of this package, or own data.

    sequences: whether tasks on sequences of some length, such as reversal-8, are sets too.
    """

    def __init__(self, *, sequences: bool = False) -> None:
        super().__init__((*NAMES, *(SEQUENCES if sequences else ()), *OWN))
        self._sequences = sequences

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, or the text of own data with its settings; anything else is a usage error."""
        try:
            if is_own(str(value)):
                return Spec.of(str(value)).text
            if self._sequences and named(str(value)):
                return str(value)
        except (InputError, DataError) as error:
            self.fail(str(error), param, ctx)
        name = super().convert(value, param, ctx)
        if name in OWN:
            self.fail(f"must be {name} of yours, found these very letters", param, ctx)
        return name

    def files_read(self, value: Any) -> tuple[Path, ...]:
        """The files that a value of this type names."""
        texts = value if isinstance(value, tuple) else (value,)
        own = (Spec.of(text) for text in texts if isinstance(text, str) and is_own(text))
        return tuple(path for spec in own for path in spec.files)


DATA_HELP = (
    "Data set; MNIST and Fashion-MNIST are found in $TOREQ_HW_DATA or downloaded. Or data of yours "
    "(docs/data.md)."
)

_SPELLED = {"target": "--target-column", "split": "--split", "scale": "--scale"}
_SETTING_HELP = {
    "target": "Own data: column or array of the classes.  [default: target, class, label or y]",
    "split": "Own data: FRACTION[:SEED] of test samples, given, column:NAME or file:FILE.  "
    "[default: given where it is, else 0.2]",
    "scale": "Own data: spread, minmax or LOW:HIGH becomes 0..255.  [default: 0:255 of bytes, "
    "else spread]",
}


def _keep(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.meta.setdefault(_SETTINGS, {})[param.name] = value


def _with_settings(ctx: click.Context, _: click.Parameter, value: str) -> str:
    """The text of --data with the settings given beside it. Raises InputError or DataError."""
    given = ctx.meta.get(_SETTINGS, {})
    if is_own(value):
        return Spec.of(value).merged(given).text
    for setting in given:
        raise InputError(f"{_SPELLED[setting]} must go with own data, found --data {value}")
    return value


def _data_options(*, sequences: bool, more: str = "") -> Callable[[F], F]:
    """--data, and options that say more of own data; they are read before it."""

    def add(command: F) -> F:
        for name, spelled in reversed(_SPELLED.items()):
            command = click.option(
                spelled,
                name,
                metavar=name.upper(),
                is_eager=True,
                expose_value=False,
                callback=_keep,
                help=_SETTING_HELP[name],
            )(command)
        return click.option(
            "--data",
            "data_name",
            type=DataName(sequences=sequences),
            default="digits",
            show_default=True,
            callback=_with_settings,
            help=f"{DATA_HELP}{more}",
        )(command)

    return add


data_option = _data_options(sequences=False)
any_data_option = _data_options(
    sequences=True, more=" Tasks on sequences are made from a seed; N is their length."
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
accumulator_register_option = click.option(
    "--accumulator-register",
    is_flag=True,
    help="A core that holds accumulators as they leave their memory: no cycle more, more "
    "flip-flops. Whether its clock is higher must be tried.",
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


def overwrites(what: str) -> Callable[[F], F]:
    """`--overwrite`, which `overwriting()` tells. what: its help."""
    return click.option(
        "--overwrite",
        is_flag=True,
        expose_value=False,
        callback=lambda context, _, value: context.meta.update({OVERWRITE: value}),
        help=what,
    )


overwrite_option = overwrites(
    "Replace a network or checkpoint of another run, or a file that is no result of toreq-hw."
)
network_argument = click.argument("network_path", metavar="NETWORK", type=InputFile(Kind.NETWORK))


def out_file_option(shown_default: str | None = None) -> Callable[[F], F]:
    """`--out FILE`; required unless there is a default, such as "NETWORK with .onnx"."""
    given: dict[str, Any] = {"required": True, "help": "File to write."}
    if shown_default:
        given = {"help": f"File to write.  [default: {shown_default}]"}
    return click.option("--out", type=OutputFile(), **given)


def board_file_option(what: str) -> Callable[[F], F]:
    """`--board-file FILE`: a board of the user's own (boards/board_file.py)."""
    return click.option("--board-file", type=InputFile(), metavar="FILE.toml|FILE.py", help=what)


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


def samples_word(dataset: Dataset) -> str:
    """What a test sample is called: an image, or a row of a table."""
    return "images" if dataset.holds_images else "samples"


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
