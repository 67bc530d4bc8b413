"""Runs commands as a person would, inside this process."""

import contextlib
import io
import re
from dataclasses import dataclass

import pytest

from toreq_hw import commands


@dataclass(frozen=True)
class Done:
    """What a command left on the screen, and its exit status."""

    status: int
    output: str
    error: str


def toreq_hw(*arguments: object) -> Done:
    """`toreq-hw` with these arguments; its consoles write into the result."""
    shown, said = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(shown),
        contextlib.redirect_stderr(said),
        pytest.raises(SystemExit) as ended,
    ):
        commands.main([str(argument) for argument in arguments])
    code = ended.value.code
    return Done(code if isinstance(code, int) else 1, shown.getvalue(), said.getvalue())


def status_of(*arguments: object) -> int:
    """Exit status of `toreq-hw` with these arguments; what it shows is the test's to capture."""
    with pytest.raises(SystemExit) as ended:
        commands.main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def deploy(*arguments: str) -> int:
    """Exit status of `toreq-hw deploy`."""
    return status_of("deploy", *arguments)


def complaints(text: str) -> list[str]:
    """The lines of standard error that do not only say how far work is."""
    return [line for line in text.splitlines() if line and not _PROGRESS.search(line)]


_PROGRESS = re.compile(r"^compiling | \.\.\.$|: [\d,]+( of [\d,]+)?(, .*)?$")
