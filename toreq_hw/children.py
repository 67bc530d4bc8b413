"""Processes that must not outlive the command that started them, even where it is killed."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.2


def end_with_parent(parent: int) -> None:
    """In a worker: ends this process soon after process `parent` has ended, however that was."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)


def _tied(libc: ctypes.CDLL, parent: int) -> None:
    """In a process between its start and its program: the kernel kills it with its parent."""
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
    return lambda: _tied(libc, parent)
