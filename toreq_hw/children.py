"""Processes that must not outlive the command that started them, even where it is killed.

A terminal sends Ctrl-C to all processes of a command. Only the command itself obeys: it ends the
others, which would print tracebacks of their own.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.2


def end_with_parent(parent: int) -> None:
    """In a worker: ends this process soon after process `parent` has ended, however that was."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """What is started while it lasts never meets Ctrl-C; this thread meets it at the end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tie(libc: ctypes.CDLL, parent: int) -> None:
    """In a process between its start and its program: it ends with its parent, not by Ctrl-C."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def tied_to_parent() -> Callable[[], None] | None:
    """A `preexec_fn` for a tool, which then dies with the thread that started it; Linux only.

    Every thread that starts a tool waits for its end. Elsewhere a tool runs to its own end.
    """
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()
    return lambda: _tie(libc, parent)
