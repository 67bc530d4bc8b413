"""The loop of iCE40: output = reference (DIVF + 1) / ((DIVR + 1) 2^DIVQ).

Limits from Lattice FPGA-TN-02052 and FPGA-DS-02029: phase detector 10..133 MHz, oscillator
533..1066 MHz, output 16..275 MHz. FILTER_RANGE follows the phase detector's frequency.
"""

from typing import Any

from amaranth import Const, Instance, Signal

from toreq_hw.boards.board import Board
from toreq_hw.boards.clock.pll import nearest
from toreq_hw.records.design import Pll

_FILTER_RANGES = ((17e6, 1), (26e6, 2), (44e6, 3), (66e6, 4), (101e6, 5), (133e6, 6))


def solve(board: Board, hz: float) -> Pll:
    """The dividers for `hz`; raises InputError where there are none."""
    return nearest(board, hz, lambda: _candidates(board))


def _candidates(board: Board) -> list[Pll]:
    found = []
    for divr in range(16):
        detector = board.oscillator_hz / (divr + 1)
        if not 10e6 <= detector <= 133e6:
            continue
        filter_range = next(number for limit, number in _FILTER_RANGES if detector <= limit)
        for divf in range(128):
            oscillator = detector * (divf + 1)
            if not 533e6 <= oscillator <= 1066e6:
                continue
            for divq in range(1, 7):
                if 16e6 <= oscillator / 2**divq <= 275e6:
                    parameters: dict[str, int | str] = {
                        "FEEDBACK_PATH": "SIMPLE",
                        "DIVR": divr,
                        "DIVF": divf,
                        "DIVQ": divq,
                        "FILTER_RANGE": filter_range,
                    }
                    output = oscillator / 2**divq
                    found.append(Pll(board.pll, board.oscillator_hz, output, parameters))
    return found


def instance(pll: Pll, pin: Any, clock: Signal, locked: Signal) -> Instance:
    """The primitive between the oscillator's `pin` (an IOPort) and the global `clock`."""
    widths = {"DIVR": 4, "DIVF": 7, "DIVQ": 3, "FILTER_RANGE": 3}
    parameters = {
        f"p_{name}": Const(value, widths[name]) if isinstance(value, int) else value
        for name, value in pll.parameters.items()
    }
    pad = pll.primitive == "SB_PLL40_PAD"
    return Instance(
        pll.primitive,
        **parameters,
        **{"i_PACKAGEPIN" if pad else "i_REFERENCECLK": pin},
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=clock,
        o_LOCK=locked,
    )
