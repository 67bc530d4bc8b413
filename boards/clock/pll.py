"""Phase-locked loops: which dividers give a clock, or why none do."""

import math
from collections.abc import Callable

from toreq_hw.boards.board import Board
from toreq_hw.errors import InputError
from toreq_hw.records.design import Pll

TOLERANCE = 0.005
"""Most that the nearest frequency may be off; a UART's byte survives four times that."""


def nearest(board: Board, hz: float, candidates: Callable[[], list[Pll]]) -> Pll:
    """The candidate nearest to `hz`; the first of equals.

    Raises InputError where none is within `TOLERANCE`, naming the nearest, and for a frequency
    that is no finite number above 0.
    """
    if not 0 < hz < math.inf:
        raise InputError(
            f"board {board.name}: its clock must be a finite number of MHz above 0, asked for "
            f"{hz / 1e6:g} MHz"
        )
    found = min(candidates(), key=lambda pll: abs(pll.output_hz - hz), default=None)
    if found is None or abs(found.output_hz - hz) > TOLERANCE * hz:
        near = "none" if found is None else f"{found.output_hz / 1e6:.6g} MHz"
        raise InputError(
            f"board {board.name}: its {board.pll} must be able to make the clock from "
            f"{board.oscillator_hz / 1e6:g} MHz, asked for {hz / 1e6:.6g} MHz, nearest {near}"
        )
    return found
