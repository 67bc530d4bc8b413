"""Options of a core that learns, the same for every command that makes one."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import click

from toreq_hw.cli.numbers import PowerOfTwo, Whole
from toreq_hw.contract.learning import FEWEST_LATENT_BITS, LATENT_BITS
from toreq_hw.errors import InputError
from toreq_hw.rtl.placement import MOST_LANES as MOST

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--learning", is_flag=True, help="A core that also learns."),
    click.option(
        "--learn-lanes",
        type=PowerOfTwo(1, MOST),
        help="Latents a beat of LEARN.  [default: 1]",
    ),
    click.option(
        "--latent-bits",
        type=Whole(FEWEST_LATENT_BITS, LATENT_BITS),
        help="Of every latent weight of a core that learns.  [default: 16]",
    ),
)


class LearningChoice(NamedTuple):
    """learn_lanes: latents a beat of LEARN. latent_bits: of every latent weight."""

    learn_lanes: int
    latent_bits: int


def learning_options(command: F) -> F:
    """Adds the options; `learning_choice` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def learning_choice(options: Mapping[str, Any]) -> LearningChoice | None:
    """What the options ask for; None of a core that does not learn.

    Raises InputError for an option that only means something with --learning.
    """
    lanes, bits = options["learn_lanes"], options["latent_bits"]
    if options["learning"]:
        return LearningChoice(lanes or 1, bits or LATENT_BITS)
    for option, number in (("--learn-lanes", lanes), ("--latent-bits", bits)):
        if number is not None:
            raise InputError(f"{option} must go with --learning, found it alone")
    return None
