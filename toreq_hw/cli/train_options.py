"""Options of a training with the integer on-chip rule, wherever it runs."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from toreq_hw.cli.numbers import MAX_COUNT, Name, Numbers, Whole
from toreq_hw.cli.paths import InputFile
from toreq_hw.cli.readout_options import readout_options
from toreq_hw.file_kinds import Kind
from toreq_hw.network import Schedule, WeightFormat

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--hidden",
        type=Numbers(1, 10 * MAX_COUNT, 64),
        default="128",
        show_default=True,
        help="Hidden sizes.",
    ),
    click.option(
        "--weights",
        type=Name([f.value for f in WeightFormat]),
        default="ternary",
        show_default=True,
        help="Weight format.",
    ),
    click.option("--state-bits", type=Whole(1, 8), default=8, show_default=True),
    click.option("--input-bits", type=Whole(1, 8), default=8, show_default=True),
    click.option("--signed", is_flag=True, help="Signed states (hard tanh) instead of unsigned."),
    click.option(
        "--fraction-bits", type=Numbers(0, 15, 65), help="Of each coupling, input side first."
    ),
    click.option(
        "--loop",
        type=Whole(0, 15),
        help="Couple the first hidden layer to itself, with these fraction bits.",
    ),
    click.option(
        "--schedule",
        type=Name([s.value for s in Schedule]),
        help="Default: parity, or sequential with --loop.",
    ),
    readout_options,
    click.option("--beta-shift", type=Whole(0, 15), help="Nudge strength 2^-N."),
    click.option("--epochs", type=Whole(1, MAX_COUNT), help="Default: by data and weights."),
    click.option(
        "--shift", type=Whole(0, 16), help="Learning rate 2^-N of all couplings but the last."
    ),
    click.option("--output-shift", type=Whole(0, 16), help="The same of the last coupling."),
    click.option("--bias-shift", type=Whole(0, 16), help="The same of all biases."),
    click.option("--theta", type=Whole(1, 32767), help="Ternary threshold."),
    click.option("--latent-bits", type=Whole(8, 16), help="Of every latent weight; default 16."),
    click.option("--augment", type=Whole(0, 4), help="Move training images by up to N pixels."),
    click.option("--mirror", is_flag=True, help="Turn about half of them left to right."),
    click.option(
        "--holdout",
        type=Whole(1, MAX_COUNT),
        help="Measure on N held-out training images instead of the test set.",
    ),
    click.option(
        "--resume",
        type=InputFile(Kind.CHECKPOINT),
        help="Go on from a checkpoint; the options that shape network and rule are its own.",
    ),
    click.option(
        "--from",
        "start",
        type=InputFile(Kind.NETWORK),
        help="Network file to go on from, such as one of toreq-hw import; its shape is kept.",
    ),
    click.option(
        "--network",
        "description",
        type=InputFile(Kind.DESCRIPTION),
        help="TOML that describes the network, in place of the options that shape it.",
    ),
)


def integer_options(command: F) -> F:
    """Adds the options that shape the network and its rule, and those that say where it begins."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
