"""The loop of ECP5, fed back from its output: output = reference CLKFB_DIV / CLKI_DIV.

Limits from Lattice FPGA-DS-02012: phase detector 3.125..400 MHz, oscillator 400..800 MHz (output
times CLKOP_DIV), output 3.125..400 MHz. Currents and filters are those that Project Trellis'
`ecppll` writes.
"""

from typing import Any

from amaranth import Const, Instance, Signal

from toreq_hw.boards.board import Board
from toreq_hw.boards.clock.pll import nearest
from toreq_hw.records.design import Pll


def solve(board: Board, hz: float) -> Pll:
    """The dividers for `hz`; raises InputError where there are none."""
    return nearest(board, hz, lambda: _candidates(board))


def _candidates(board: Board) -> list[Pll]:
    found = []
    for clki_div in range(1, 129):
        detector = board.oscillator_hz / clki_div
        if not 3.125e6 <= detector <= 400e6:
            continue
        for clkfb_div in range(1, 81):
            output = detector * clkfb_div
            if not 3.125e6 <= output <= 400e6:
                continue
            clkop_div = _output_divider(output)
            if clkop_div is not None:
                parameters: dict[str, int | str] = {
                    "CLKI_DIV": clki_div,
                    "CLKFB_DIV": clkfb_div,
                    "CLKOP_DIV": clkop_div,
                }
                found.append(Pll(board.pll, board.oscillator_hz, output, parameters))
    return found


def _output_divider(output: float) -> int | None:
    """The divider that brings the oscillator nearest to the middle of its range."""
    allowed = [div for div in range(1, 129) if 400e6 <= output * div <= 800e6]
    return min(allowed, key=lambda div: abs(output * div - 600e6), default=None)


def instance(pll: Pll, pin: Any, clock: Signal, locked: Signal) -> Instance:
    """The primitive between the oscillator's `pin` (an input buffer's output) and `clock`."""
    divider = pll.parameters["CLKOP_DIV"]
    assert isinstance(divider, int)
    return Instance(
        pll.primitive,
        **{f"p_{name}": value for name, value in pll.parameters.items()},
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        p_OUTDIVIDER_MUXA="DIVA",
        p_OUTDIVIDER_MUXB="DIVB",
        p_OUTDIVIDER_MUXC="DIVC",
        p_OUTDIVIDER_MUXD="DIVD",
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_CPHASE=divider // 2,
        p_CLKOP_FPHASE=0,
        p_FEEDBK_PATH="CLKOP",
        a_FREQUENCY_PIN_CLKI=f"{pll.reference_hz / 1e6:g}",
        a_FREQUENCY_PIN_CLKOP=f"{pll.output_hz / 1e6:.6g}",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_CLKI=pin,
        i_CLKFB=clock,
        i_PHASESEL0=Const(0),
        i_PHASESEL1=Const(0),
        i_PHASEDIR=Const(1),
        i_PHASESTEP=Const(1),
        i_PHASELOADREG=Const(1),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        o_CLKOP=clock,
        o_LOCK=locked,
    )
