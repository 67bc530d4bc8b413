"""The boards by name."""

from toreq_hw.boards import (
    ice40_hx8k_b_evn,
    icebreaker,
    orangecrab,
    tang_nano_9k,
    ulx3s_25f,
    ulx3s_85f,
)
from toreq_hw.boards.board import Board
from toreq_hw.errors import InputError
from toreq_hw.suggestions import look_up

_ALL: tuple[Board, ...] = (
    icebreaker.BOARD,
    ice40_hx8k_b_evn.BOARD,
    ulx3s_25f.BOARD,
    ulx3s_85f.BOARD,
    orangecrab.BOARD,
    tang_nano_9k.BOARD,
)
_BOARDS = {board.name: board for board in _ALL}


def names() -> tuple[str, ...]:
    """Names of all boards."""
    return tuple(_BOARDS)


def get(name: str) -> Board:
    """The board called `name`; raises InputError for an unknown one."""
    return look_up(_BOARDS, name, "board", InputError)
