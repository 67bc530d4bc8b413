"""From the board's oscillator to the core's clock, with a reset until it is steady."""

from types import ModuleType
from typing import Any

from amaranth import ClockDomain, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.clock import ecp5_pll, gowin_pll, ice40_pll
from toreq_hw.records.design import Pll

_LOOPS: dict[Family, ModuleType] = {
    Family.ICE40: ice40_pll,
    Family.ECP5: ecp5_pll,
    Family.GOWIN: gowin_pll,
}

SETTLE_S = 20e-6
"""Reset lasts so long after the loop locked: iCE40 block RAM reads zero for its first 3 us."""


def solve(board: Board, hz: float | None = None) -> Pll:
    """The loop that gives the core's clock, `hz` or the board's own.

    Raises InputError where the PLL cannot make it.
    """
    pll: Pll = _LOOPS[board.family].solve(board, board.clock_hz if hz is None else hz)
    return pll


class Clocking(Elaboratable):
    """Drives the domain `sync`, which its parent defines, from the PLL's `clock`."""

    def __init__(self, board: Board, pll: Pll) -> None:
        self._board = board
        self._pll = pll
        self.clock = Signal(attrs={"keep": 1})

    def elaborate(self, platform: Any) -> Module:
        """Requests the oscillator's pin and constrains the clock that comes out."""
        m = Module()
        port = platform.request(self._board.oscillator, dir="-")
        if self._board.family is Family.ICE40:
            pin = port.io  # the loop, or nextpnr, holds the buffer
        else:
            m.submodules.buffer = buffer = io.Buffer("i", port)
            pin = buffer.i
        locked, steady = Signal(), Signal()
        loop = _LOOPS[self._board.family]
        m.submodules.pll = loop.instance(self._pll, pin, self.clock, locked)
        platform.add_clock_constraint(self.clock, self._pll.output_hz)

        m.domains.wait = ClockDomain("wait", reset_less=True, local=True)
        m.d.comb += [ClockSignal("sync").eq(self.clock), ClockSignal("wait").eq(self.clock)]
        last = round(SETTLE_S * self._pll.output_hz)
        count = Signal(range(last + 1))
        with m.If(~locked):
            m.d.wait += [count.eq(0), steady.eq(0)]
        with m.Elif(count == last):
            m.d.wait += steady.eq(1)
        with m.Else():
            m.d.wait += count.eq(count + 1)
        m.submodules.reset = ResetSynchronizer(~steady, domain="sync")
        return m
