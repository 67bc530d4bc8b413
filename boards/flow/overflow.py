"""When place and route fails because a design is too large, say of what there is too little."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toreq_hw.boards.board import Board
from toreq_hw.boards.tool_reports import report_file
from toreq_hw.errors import BuildError

_USAGE = re.compile(r"Info:[ \t]+(\w{1,80}):[ \t]+([0-9]{1,12})/[ \t]*([0-9]{1,12})[ \t]+[0-9]+%")


@contextmanager
def explain(board: Board, log: Path) -> Iterator[None]:
    """Names every type of cell of which the log of place and route counts more than there are.

    Raises BuildError.
    """
    try:
        yield
    except BuildError as error:
        lines = _USAGE.findall(report_file.log(log))
        over = [
            f"{kind} needed {used}, available {available}"
            for kind, used, available in lines
            if int(used) > int(available) > 0
        ]
        if not over:
            raise
        raise BuildError(
            f"design must fit onto {board.name}, found: {'; '.join(over)}; use fewer lanes, "
            "fewer hidden neurons or a larger board"
        ) from error
