"""The rPLL of Gowin's GW1NR-9: output = reference (FBDIV_SEL + 1) / (IDIV_SEL + 1).

Limits from Gowin DS117, speed grade C6/I5: phase detector 3..400 MHz, oscillator 400..1200 MHz
(output times ODIV_SEL), output 3.125..600 MHz.
"""

from typing import Any

from amaranth import Const, Instance, Signal

from toreq_hw.boards.board import Board
from toreq_hw.boards.clock.pll import nearest
from toreq_hw.records.design import Pll

_OUTPUT_DIVIDERS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def solve(board: Board, hz: float) -> Pll:
    """The dividers for `hz`; raises InputError where there are none."""
    return nearest(board, hz, lambda: _candidates(board))


def _candidates(board: Board) -> list[Pll]:
    found = []
    for idiv in range(64):
        detector = board.oscillator_hz / (idiv + 1)
        if not 3e6 <= detector <= 400e6:
            continue
        for fbdiv in range(64):
            output = detector * (fbdiv + 1)
            odiv = next((n for n in _OUTPUT_DIVIDERS if 400e6 <= output * n <= 1200e6), None)
            if 3.125e6 <= output <= 600e6 and odiv is not None:
                parameters: dict[str, int | str] = {
                    "FCLKIN": f"{board.oscillator_hz / 1e6:g}",
                    "IDIV_SEL": idiv,
                    "FBDIV_SEL": fbdiv,
                    "ODIV_SEL": odiv,
                }
                found.append(Pll(board.pll, board.oscillator_hz, output, parameters))
    return found


def instance(pll: Pll, pin: Any, clock: Signal, locked: Signal) -> Instance:
    """The primitive between the oscillator's `pin` (an input buffer's output) and `clock`."""
    return Instance(
        pll.primitive,
        **{f"p_{name}": value for name, value in pll.parameters.items()},
        p_DEVICE="GW1NR-9C",
        p_DYN_IDIV_SEL="false",
        p_DYN_FBDIV_SEL="false",
        p_DYN_ODIV_SEL="false",
        p_CLKFB_SEL="internal",
        i_CLKIN=pin,
        i_CLKFB=Const(0),
        i_RESET=Const(0),
        i_RESET_P=Const(0),
        i_FBDSEL=Const(0, 6),
        i_IDSEL=Const(0, 6),
        i_ODSEL=Const(0, 6),
        i_PSDA=Const(0, 4),
        i_DUTYDA=Const(0, 4),
        i_FDLY=Const(0, 4),
        o_CLKOUT=clock,
        o_LOCK=locked,
    )
