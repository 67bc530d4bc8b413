"""A request to end (SIGTERM) is obeyed as Ctrl-C is: tools are ended, drafts removed."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STATUS = 128 + signal.SIGTERM


@contextmanager
def ending_in_order() -> Iterator[None]:
    """While it lasts SIGTERM unwinds the main thread and ends the process with status 143."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return

    def unwind(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is unwound is not interrupted again
        raise SystemExit(STATUS)

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    except SystemExit as end:
        if end.code == STATUS and sys.stderr is not None:
            sys.stderr.write("terminated\n")
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
