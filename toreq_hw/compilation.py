"""Compiling inner loops: cached where a cache can be kept, and without one where it cannot."""

import logging
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba.core import event

from toreq_hw import machine, notices
from toreq_hw.interrupts import Hold

_SAID = "TOREQ_HW_COMPILES_WITHOUT_CACHE"
"""Set once the warning was given: worker processes inherit it and stay silent."""


class _Announcer(event.Listener):
    """Says that this run compiles; what is in the cache raises no event.

    Ctrl-C and SIGTERM wait until the outermost function is compiled: an exception inside of
    LLVM's callbacks is lost, and leaves a function that is neither compiled nor not.
    """

    def __init__(self) -> None:
        self._hold = Hold()

    def on_start(self, event: event.Event) -> None:
        """Something is compiled that is not in the cache."""
        notices.tell_once(
            "compiling the simulator's inner loops, once for this machine and version: ten seconds "
            "to a minute ..."
        )
        self._hold.begin()

    def on_end(self, event: event.Event) -> None:
        """A signal that waited comes now."""
        self._hold.end()


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]


def njit(function: Callable[..., Any], kept_in: str, **options: Any) -> Any:
    """Numba's `njit` without the interpreter's lock; compiled on the first call for each type.

    kept_in: name of a folder in the cache, different for every state of the sources that
    `function` is compiled from. Where no cache can be written to, each process compiles anew, and
    the first says so in one line.
    """
    folder = cache_folder() / kept_in
    if not _usable(folder):
        return numba.njit(nogil=True, **options)(function)
    settings: Any = numba.config  # its attributes are made at run time, unknown to type checkers
    usual = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)
    try:
        return numba.njit(nogil=True, cache=True, **options)(function)
    finally:
        settings.CACHE_DIR = usual


def cache_folder() -> Path:
    """$NUMBA_CACHE_DIR/compiled, or `compiled` in the user's own cache."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(named) if named else machine.cache_folder()) / "compiled"


@lru_cache
def _usable(folder: Path) -> bool:
    """Whether compiled code can be kept in `folder`; warns, once for all processes, if not."""
    if machine.writable(folder):
        return True
    if _SAID not in os.environ:
        os.environ[_SAID] = "1"
        logging.getLogger(__name__).warning(
            "%s cannot be written to: compiling without a cache, about a minute each time; "
            "set NUMBA_CACHE_DIR to a folder that can",
            cache_folder(),
        )
    return False
