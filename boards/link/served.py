"""A simulated board behind a pseudoterminal, for a host that knows only serial ports."""

import os
import select
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from toreq_hw.boards.link.simulated import SimulatedTransport

_CHUNK = 4096
_SLICE = 2000
"""Cycles between two looks at what the host sends."""


@dataclass(frozen=True)
class ServedBoard:
    """A board whose line is the pseudoterminal `port`. quiet_cycles: after so many without a byte
    the board waits for the next.
    """

    board: SimulatedTransport
    quiet_cycles: int
    port: str
    _end: int

    def serve(self) -> None:
        """Carries bytes both ways, and never ends by itself; the board's time stands still while
        it rests. What nobody reads is lost, as on a wire.
        """
        while True:
            select.select([self._end], [], [])
            self._carry()

    def _carry(self) -> None:
        """From a byte that comes until the board is quiet."""
        quiet = 0
        while quiet < self.quiet_cycles:
            with suppress(BlockingIOError):
                self.board.write(os.read(self._end, _CHUNK))
                quiet = 0
            byte = self.board.read(_SLICE / self.board.clock_hz)
            quiet = 0 if byte else quiet + _SLICE
            with suppress(BlockingIOError):
                os.write(self._end, byte)


@contextmanager
def behind_pseudoterminal(board: SimulatedTransport, quiet_cycles: int) -> Iterator[ServedBoard]:
    """Opens a pseudoterminal that is set up as a serial port; closes it and the board at the end.

    quiet_cycles: more than any answer takes.
    """
    end, other = os.openpty()
    try:
        tty.setraw(other)
        os.set_blocking(end, False)
        yield ServedBoard(board, quiet_cycles, os.ttyname(other), end)
    finally:
        os.close(other)
        os.close(end)
        board.close()
