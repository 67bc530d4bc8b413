"""A request to end (SIGTERM) is obeyed as Ctrl-C is: tools are ended, drafts removed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from toreq_hw.commands.console import messages

STATUS = 128 + signal.SIGTERM


@contextmanager
def ending_in_order() -> Iterator[None]:
    """While it lasts SIGTERM unwinds the main thread and ends the process with status 143."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return

    def unwind(_number: int, _frame: FrameType | None) -> None:
        messages.print("terminated")
        raise SystemExit(STATUS)

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
