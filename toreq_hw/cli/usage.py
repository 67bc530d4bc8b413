"""Wrong usage in one line: what must hold, what was found, and who says more."""

from collections.abc import Sequence

import click

from toreq_hw.errors import InputError

HELP_OPTIONS = ["-h", "--help"]


def check_arguments(arguments: Sequence[str]) -> None:
    """Raises InputError for an empty text: mostly a variable of a shell that is not set."""
    for place, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if not argument and place and arguments[place - 1].startswith("-"):
            raise InputError(f"{arguments[place - 1]} must be followed by a value, found ''")
        if not argument or (option.startswith("--") and equals and not value):
            raise InputError(f"arguments must not be empty, found {argument!r}")


def usage_line(error: click.ClickException) -> str:
    """What click says against a command line, in one line, with the command that explains it."""
    message = " ".join(error.format_message().split())
    if isinstance(error, click.BadParameter) and " must " in f" {error.message}":
        joined = " " if error.message.startswith("must ") else ": "
        message = f"{_name(error)}{joined}{' '.join(error.message.split())}"
    if isinstance(error, click.MissingParameter):
        choices = getattr(getattr(error.param, "type", None), "choices", ())
        known = f", one of {', '.join(map(str, choices))}" if choices else ""
        message = f"{_name(error)} must be given{known}"
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    return f"{message.rstrip('.')} ({context.command_path} --help says more)"


def _name(error: click.BadParameter) -> str:
    """What a person calls the parameter."""
    parameter = error.param
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return parameter.human_readable_name if parameter is not None else "a value"
