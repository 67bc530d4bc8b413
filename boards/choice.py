"""Which board a person asked for: one of ours by name, or a file's."""

from pathlib import Path

from toreq_hw.boards import registry
from toreq_hw.boards.board import Board
from toreq_hw.errors import InputError


def check_choice(name: str | None, file: Path | None, option: str = "--board") -> None:
    """Raises InputError for neither and for both. option: that gives `name`."""
    if (name is None) == (file is None):
        found = "neither" if name is None else "both"
        raise InputError(f"either {option} or --board-file must be given, found {found}")


def choice_name(name: str | None, file: Path | None) -> str:
    """Of the folder of what is made for a board; reads no file. Raises as `check_choice`."""
    check_choice(name, file)
    return file.stem if file is not None else name or ""


def chosen_board(name: str | None, file: Path | None, option: str = "--board") -> Board:
    """The board of `file`, or the one of ours called `name`.

    Raises InputError in one line, also where neither or both are given.
    """
    check_choice(name, file, option)
    if file is None:
        return registry.get(name or "")
    from toreq_hw.boards.board_file import load_board

    return load_board(file)
