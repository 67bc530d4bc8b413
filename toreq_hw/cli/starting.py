"""`toreq-hw train --from`, `--network`, `--resume`: what they begin with, and answer themselves."""

from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from toreq_hw import data, network
from toreq_hw.cli.readout_options import READOUT_OPTIONS
from toreq_hw.data import Dataset, Spec
from toreq_hw.data.own import Form
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat
from toreq_hw.sim.learning import Trainer

SHAPE_OPTIONS = (
    "hidden",
    "weights",
    "state_bits",
    "input_bits",
    "signed",
    "fraction_bits",
    "loop",
    "schedule",
    *READOUT_OPTIONS,
)
"""Options of `train` that a starting network answers by itself."""

RESUMED_OPTIONS = (
    "start",
    "description",
    *SHAPE_OPTIONS,
    "beta_shift",
    "shift",
    "output_shift",
    "bias_shift",
    "theta",
    "latent_bits",
    "augment",
    "mirror",
    "holdout",
    "seed",
)
"""Options of `train` that a checkpoint answers by itself."""

_SPELLED = {"start": "from", "data_name": "data", "description": "network"}


def dataset_for(name: str, start: Path | None) -> Dataset:
    """The data set called `name`, encoded as the network at `start` says, where there is one.

    Raises DataError; NetworkFileError for a file that holds no network.
    """
    return data.load(name, network.load(start).encoding if start else None)


def starting_network(path: Path | None, dataset: Dataset) -> Network | None:
    """The network at `path`, or None for no path.

    Raises InputError where its ends are not the data set's, or where an option that shapes the
    network was given beside it; NetworkFileError for a file that holds none.
    """
    if path is None:
        return None
    _refuse(("description", *SHAPE_OPTIONS), "--from, which keeps its shape")
    return _fitting(network.load(path), path, dataset)


def described_network(path: Path | None, dataset: Dataset) -> Network | None:
    """The blank network that the TOML file `path` describes, or None for no path.

    Raises InputError and NetworkFileError as `starting_network` does.
    """
    if path is None:
        return None
    _refuse(SHAPE_OPTIONS, "--network, which describes it")
    return _fitting(network.load_description(path), path, dataset)


def _fitting(found: Network, path: Path, dataset: Dataset) -> Network:
    """`found`, whose ends must be the data set's."""
    check_ends(found, path, dataset)
    return found


def check_ends(found: Network, path: Path, dataset: Dataset) -> None:
    """Raises InputError where inputs and outputs of the network at `path` are not the data set's.

    So it does where the network does not name as many classes as a sample has labels.
    """
    sizes = (found.input.size, found.output.size)
    if sizes != (dataset.pixels, dataset.outputs):
        raise InputError(
            f"{path}: must have {dataset.pixels} inputs and {dataset.outputs} outputs for "
            f"{dataset.name}, found {sizes[0]} and {sizes[1]}"
        )
    check_rows(1 if found.readout is None else found.readout.rows, str(path), dataset)


def check_rows(rows: int, what: str, dataset: Dataset) -> None:
    """Raises InputError where `what` does not name as many classes as a sample has labels."""
    if rows != dataset.rows:
        raise InputError(
            f"{what}: must have a clamped readout of {dataset.rows} rows for {dataset.name}, "
            f"found {rows}"
        )


def weight_format_of(start: Network) -> WeightFormat:
    """Whose recipe a starting network is trained by: ternary where all its couplings are."""
    ternary = all(c.weight_format is WeightFormat.TERNARY for c in start.couplings)
    return WeightFormat.TERNARY if ternary else WeightFormat.INT8


def refuse_resumed_options(noted: str | None = None) -> None:
    """Raises InputError where an option was given that the checkpoint of --resume answers.

    noted: its data, once it is read. A function must be named again: no file makes code run.
    """
    reason = "--resume, which goes on from a checkpoint with what it has noted"
    _refuse(RESUMED_OPTIONS, reason)
    if noted is None:
        return
    context = click.get_current_context()
    given = context.get_parameter_source("data_name") is ParameterSource.COMMANDLINE
    if given and context.params["data_name"] == noted:
        return
    if Spec.of(noted).form is not Form.FUNCTION:
        _refuse(("data_name",), reason)
    else:
        raise InputError(f"--data must be {noted} again with --resume: no checkpoint makes it run")


def epochs_of(trainer: Trainer, asked: int) -> int:
    """The epochs that a resumed training ends at. Raises InputError where they have passed."""
    if asked < trainer.epoch:
        raise InputError(
            f"--epochs must be at least {trainer.epoch}, which the checkpoint of --resume has "
            f"learned, not {asked}"
        )
    return asked


def _refuse(names: Sequence[str], reason: str) -> None:
    """Raises InputError if the running command was given one of these options."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            shown = _SPELLED.get(name, name).replace("_", "-")
            raise InputError(f"--{shown} must be left out with {reason}")
