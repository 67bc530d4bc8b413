"""Which board a person asked for: one of ours by name, or a file's."""

from pathlib import Path

from toreq_hw.boards import registry
from toreq_hw.boards.board import Board


def chosen_board(name: str | None, file: Path | None) -> Board:
    """The board of `file`, or without one that called `name`. Raises InputError in one line."""
    if file is None:
        return registry.get(name or "")
    from toreq_hw.boards.board_file import load_board

    return load_board(file)
