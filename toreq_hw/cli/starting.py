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
from toreq_hw.network import Network
from toreq_hw.records.training import EpochPart
from toreq_hw.sim.learning import Trainer
from toreq_hw.training.ends import check_ends

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
    check_ends(found, str(path), dataset)
    return found


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
    option = next(p for p in context.command.params if p.name == "data_name")
    if option.required and context.params["data_name"] != noted:
        raise InputError(
            f"{option.opts[0]} must be {noted}, as in the checkpoint of --resume, not "
            f"{context.params['data_name']}"
        )
    if Spec.of(noted).form is not Form.FUNCTION:
        _refuse(("data_name",), reason)
    else:
        raise InputError(f"--data must be {noted} again with --resume: no checkpoint makes it run")


def epochs_of(trainer: Trainer, asked: int, part: EpochPart | None) -> int:
    """The epochs that a resumed training ends at. part: of its epoch, what is learned already.

    Raises InputError where they have passed, or the last of them is left unfinished.
    """
    learned = trainer.epoch + (part is not None)
    if asked < learned:
        how = "of which the checkpoint of --resume has learned a part"
        if part is None:
            how = "which the checkpoint of --resume has learned"
        raise InputError(f"--epochs must be at least {learned}, {how}, not {asked}")
    return asked


def _refuse(names: Sequence[str], reason: str) -> None:
    """Raises InputError if the running command was given one of these options."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            shown = _SPELLED.get(name, name).replace("_", "-")
            raise InputError(f"--{shown} must be left out with {reason}")
