"""Ctrl-C and SIGTERM that wait while something runs which must not be cut."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Hold:
    """Between `begin` and `end` both signals wait; pairs of calls may be nested.

    Other threads than the main one meet no such signal, so there the calls do nothing.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._caught: list[int] = []
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """From here on a signal is noted."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth += 1
        if self._depth == 1:
            self._before = {
                number: signal.signal(number, self._note)
                for number in (signal.SIGINT, signal.SIGTERM)
            }

    def end(self) -> None:
        """Restores what signals do; the first one that was noted comes now."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth -= 1
        if self._depth:
            return
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        caught, self._caught = self._caught, []
        if caught:
            signal.raise_signal(caught[0])

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._caught.append(number)


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the body is done."""
    hold = Hold()
    hold.begin()
    try:
        yield
    finally:
        hold.end()
