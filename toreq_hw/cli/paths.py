"""The kinds of paths on a command line. Every option or argument that names a path has one.

`CheckedCommand` finds by these types which files a command reads and writes.
"""

import os
from pathlib import Path
from typing import Any

import click

from toreq_hw.destinations import STANDARD_OUTPUT
from toreq_hw.file_kinds import Kind


class InputFile(click.Path):
    """A file that the command reads. kinds: of one of these, where there are any."""

    def __init__(self, *kinds: Kind) -> None:
        super().__init__(path_type=Path)
        self.kinds = kinds


class InputFolder(click.Path):
    """A folder that the command reads."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)


class OutputFile(click.Path):
    """A file that the command writes; `-` is standard output."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """The path; `./-` is a file of that name."""
        return STANDARD_OUTPUT if value == "-" else super().convert(value, param, ctx)


class OutputFolder(click.Path):
    """A folder into which the command writes files of these names (`*` stands for any text)."""

    def __init__(self, *names: str) -> None:
        super().__init__(path_type=Path)
        self.names = names


class InputOrOutputFile(click.Path):
    """A file that is read or written, as other options say; the command itself declares it."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)


PATHS = (InputFile, InputFolder, OutputFile, OutputFolder, InputOrOutputFile)
"""Every kind."""
