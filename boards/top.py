"""What goes onto a board: a design with a serial line and a led, its clock, and the pins."""

from typing import Any, Protocol

from amaranth import ClockDomain, Elaboratable, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from toreq_hw.boards.board import Board
from toreq_hw.boards.clock.clocking import Clocking
from toreq_hw.records.design import Pll


class Design(Protocol):
    """A serial line: `rx` comes in synchronised, `tx` idles high."""

    rx: Signal
    tx: Signal


class Top(Elaboratable):
    """`design` on `board`, in the clock that `pll` makes; `led` lights an LED."""

    def __init__(self, board: Board, pll: Pll, design: Design, led: Signal) -> None:
        self._board = board
        self._pll = pll
        self._design = design
        self._led = led

    def elaborate(self, platform: Any) -> Module:
        """Connects pins; the names of the submodules are those that reports show."""
        m = Module()
        design = self._design
        m.domains.sync = ClockDomain("sync")
        m.submodules.clocking = Clocking(self._board, self._pll)
        m.submodules.design = design
        unused = {p.name: "-" for p in platform.lookup("uart", 0).ios}
        uart = platform.request("uart", 0, dir=unused)
        m.submodules.rx_buffer = rx = io.Buffer("i", uart.rx)
        m.submodules.tx_buffer = tx = io.Buffer("o", uart.tx)
        m.submodules.rx_sync = FFSynchronizer(rx.i, design.rx, init=1)
        m.d.comb += tx.o.eq(design.tx)
        m.submodules.led_buffer = led = io.Buffer("o", _first_port(platform, self._board))
        m.d.comb += led.o.eq(self._led)
        return m


def _first_port(platform: Any, board: Board) -> Any:
    """The LED's pin; of a coloured one the green."""
    ios = platform.lookup(*board.led).ios
    if hasattr(ios[0], "ios") or len(ios) > 1:
        return platform.request(*board.led, dir={sub.name: "-" for sub in ios}).g
    return platform.request(*board.led, dir="-")
