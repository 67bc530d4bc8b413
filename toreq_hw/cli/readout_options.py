"""Options of `train` for the readout and for feedback."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from toreq_hw.cli.checked import Values
from toreq_hw.cli.numbers import Name, Numbers, Whole
from toreq_hw.errors import InputError
from toreq_hw.network import ClampedReadout, FeedbackKind, Normalisation
from toreq_hw.reading.fields import shown

F = TypeVar("F", bound=Callable[..., Any])

READOUT_OPTIONS = ("readout", "temperature", "normalisation", "drive", "feedback_shift", "feedback")
"""By their names among a command's options."""


class Fraction(click.ParamType["tuple[int, int]"]):
    """Two whole numbers of at least 1 and a stroke, such as 1/8; or one of them."""

    name = "N/N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Numerator and denominator; anything else is a usage error."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([0-9]{1,5})(?:/([0-9]{1,5}))?", str(value))
        if found is None:
            self.fail(f"must be a fraction such as 1/8, found {shown(value)}", param, ctx)
        return int(found[1]), int(found[2] or 1)


def readout_options(command: F) -> F:
    """Adds --readout, --temperature, --normalisation, --drive, --feedback-shift, --feedback."""
    for option in reversed(
        (
            click.option(
                "--readout",
                type=Name(["relaxing", "clamped"]),
                help="Of the output: relaxing (squared error, the default) or clamped "
                "(cross-entropy).",
            ),
            click.option(
                "--temperature", type=Fraction(), help="Of a clamped readout; default 1/8."
            ),
            click.option(
                "--normalisation",
                type=Name([one.value for one in Normalisation]),
                help="Of a clamped readout; default softmax.",
            ),
            click.option(
                "--drive",
                type=Whole(-15, 23),
                help="A clamped output reaches the layer before 2^N times as strong; default 0.",
            ),
            click.option(
                "--feedback-shift",
                type=Numbers(-23, 15, 64),
                help="The way back of each coupling between layers that relax is 2^-N times as "
                "strong, input side first; one number is for all.",
            ),
            click.option(
                "--feedback",
                type=Name([one.value for one in FeedbackKind]),
                help="Weights of the way back: symmetric (the default), or random ones of its own "
                "that are fixed or learned; then nothing promises that the network settles.",
            ),
        )
    ):
        command = option(command)
    return command


def readout_of(options: Values) -> ClampedReadout | None:
    """The readout that the options ask for. Raises InputError for settings without a clamped one.

    The settings are those of `READOUT_OPTIONS`.
    """
    if options["readout"] != "clamped":
        for name in ("temperature", "normalisation", "drive"):
            if options[name] is not None:
                raise InputError(f"--{name} must be left out without --readout clamped")
        return None
    default = ClampedReadout()
    normalisation = options["normalisation"]
    return ClampedReadout(
        options["temperature"] or default.temperature,
        Normalisation(normalisation) if normalisation else default.normalisation,
    )


def feedback_of(options: Values) -> FeedbackKind:
    """What --feedback says, symmetric if nothing."""
    return FeedbackKind(options["feedback"] or FeedbackKind.SYMMETRIC)


def feedback_shifts_of(options: Values, hidden: int) -> tuple[int, ...]:
    """One shift a coupling of a chain but the first. Raises InputError for another number of them.

    hidden: how many hidden layers the chain has; a clamped output takes minus the drive.
    """
    given = options["feedback_shift"]
    clamped = options["readout"] == "clamped"
    inner = hidden - clamped
    if given is None:
        shifts = (0,) * inner
    elif len(given) == 1:
        shifts = given * inner
    else:
        shifts = given
    if len(shifts) != inner:
        raise InputError(
            f"--feedback-shift must be 1 or {inner} numbers, one for each coupling between layers "
            f"that relax, not {len(shifts)}"
        )
    return (*shifts, -(options["drive"] or 0)) if clamped else shifts
