"""`toreq-hw train --from`: a network to go on from, of the data's shape."""

from pathlib import Path

import click
from click.core import ParameterSource

from toreq_hw import network
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat

SHAPE_OPTIONS = (
    "hidden",
    "weights",
    "state_bits",
    "input_bits",
    "signed",
    "fraction_bits",
    "loop",
    "schedule",
)
"""Options of `train` that a starting network answers by itself."""


def starting_network(path: Path | None, dataset: Dataset) -> Network | None:
    """The network at `path`, or None for no path.

    Raises InputError where its ends are not the data set's, or where an option that shapes the
    network was given beside it; NetworkFileError for a file that holds none.
    """
    if path is None:
        return None
    context = click.get_current_context()
    for name in SHAPE_OPTIONS:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            shown = name.replace("_", "-")
            raise InputError(f"--{shown} must be left out with --from, which keeps its shape")
    found = network.load(path)
    sizes = (found.input.size, found.output.size)
    if sizes != (dataset.pixels, dataset.classes):
        raise InputError(
            f"{path}: must have {dataset.pixels} inputs and {dataset.classes} outputs for "
            f"{dataset.name}, found {sizes[0]} and {sizes[1]}"
        )
    return found


def weight_format_of(start: Network) -> WeightFormat:
    """Whose recipe a starting network is trained by: ternary where all its couplings are."""
    ternary = all(c.weight_format is WeightFormat.TERNARY for c in start.couplings)
    return WeightFormat.TERNARY if ternary else WeightFormat.INT8
