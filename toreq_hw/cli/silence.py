"""A line on standard error wherever a command has printed nothing there for long.

Bars and stages speak as their work goes on. What runs before, between and behind them does not.
"""

import sys
import threading
import time
from types import TracebackType

FIRST_S, NEXT_S = 15.0, 30.0
"""Silence before the first line, and between two lines."""

_LOOK_S = 1.0


_expected = threading.Event()


def expect() -> None:
    """From now on silence is no sign of work: the command waits for people, and has said so."""
    _expected.set()


class SilenceWatch:
    """While entered, a thread of its own writes to `sys.stderr` after long silence.

    what: the command, as the lines name it. A live bar of a terminal is no silence.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._last_output = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def note_output(self) -> None:
        """Something was written to standard error."""
        self._last_output = time.monotonic()

    def __enter__(self) -> "SilenceWatch":
        _expected.clear()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

    def _look(self) -> None:
        limit = FIRST_S
        while not self._over.wait(min(_LOOK_S, limit)):
            now = time.monotonic()
            if now - self._last_output < limit or _expected.is_set():
                continue
            self._last_output, limit = now, NEXT_S
            sys.stderr.write(f"{self._what}: still running, {now - self._began:.0f} s so far\n")
            sys.stderr.flush()
