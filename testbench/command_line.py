"""Runs commands as a person would, inside this process."""

import pytest

from toreq_hw import commands


def deploy(*arguments: str) -> int:
    """Exit status of `toreq-hw deploy`."""
    with pytest.raises(SystemExit) as ended:
        commands.main(["deploy", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code
