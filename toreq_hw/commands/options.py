"""Options that several commands take, spelled and explained the same everywhere."""

import tempfile
from pathlib import Path

import click

from toreq_hw.data import NAMES
from toreq_hw.errors import InputError, OutputError

data_option = click.option(
    "--data",
    "data_name",
    type=click.Choice(NAMES),
    default="digits",
    show_default=True,
    help="Data set; MNIST and Fashion-MNIST are found in $TOREQ_HW_DATA or downloaded.",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, (1 << 32) - 1),
    default=1,
    show_default=True,
    help="Seed of everything random.",
)
threshold_option = click.option(
    "--threshold",
    type=click.IntRange(0),
    help="A core of the lossy mode, which sends only moves that are larger than this.",
)
json_option = click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result as JSON, with versions, seed and the network's hash.",
)
network_argument = click.argument(
    "network_path", metavar="NETWORK", type=click.Path(dir_okay=False, path_type=Path)
)


class Whole(click.ParamType["tuple[int, ...]"]):
    """Whole numbers separated by commas, such as 512 or 256,128."""

    name = "N[,N..]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers; a value that is none of them is a usage error."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} must be whole numbers separated by commas", param, ctx)


def check_writable(*paths: Path | None) -> None:
    """Refuses an output path now rather than after hours of work. Raises InputError."""
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise InputError(f"{path}: must be a file, found a folder")
        check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Makes a folder and refuses one that cannot be written to. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"{folder}: must be a writable folder, found: {error.strerror}"
        ) from error
