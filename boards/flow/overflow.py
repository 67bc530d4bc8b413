"""When place and route fails because a design is too large, say of what there is too little."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toreq_hw.boards.board import Board
from toreq_hw.errors import BuildError

_USAGE = re.compile(r"Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+(\d+)%")


@contextmanager
def explained(board: Board, log: Path) -> Iterator[None]:
    """Names every type of cell of which the log of place and route counts more than there are."""
    try:
        yield
    except BuildError as error:
        lines = _USAGE.findall(log.read_text(errors="replace", encoding="utf-8"))
        over = [
            f"{kind} needed {used}, available {available}"
            for kind, used, available, _ in lines
            if int(used) > int(available) > 0
        ]
        if not over:
            raise
        raise BuildError(
            f"design must fit onto {board.name}, found: {'; '.join(over)}; use fewer lanes, "
            "fewer hidden neurons or a larger board"
        ) from error
