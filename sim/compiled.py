"""How the simulator's inner loops are compiled: without the interpreter's lock, and cached.

Numba's cache notices a change in the file of a function, but not in a function it calls from
another file. Here every source of the simulator names the cache folder, so that compiled
code is never older than any of them.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs


def compiled(function: Callable[..., Any]) -> Any:
    """Compiles `function` on its first call, for the types it is called with."""
    return _cached(function)


def compiled_uncounted(function: Callable[..., Any]) -> Any:
    """The same without reference counts, for functions that neither make nor return arrays.

    Numba counts, atomically, every array taken from a record and every slice; in functions
    called dozens of times a sample that costs more than their arithmetic. Here the callers own
    all arrays and outlive every call. What would need the counts (`a[:] = b`, which may have
    to copy `b` first) numba refuses to compile, so loops stand for it.
    """
    return _cached(function, _nrt=False)


def _cached(function: Callable[..., Any], **options: Any) -> Any:
    settings: Any = numba.config  # its attributes are made at run time, unknown to type checkers
    usual = settings.CACHE_DIR
    settings.CACHE_DIR = str(_CACHE)
    try:
        return numba.njit(nogil=True, cache=True, **options)(function)
    finally:
        settings.CACHE_DIR = usual


def _digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("**/*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    base = os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_path("toreq-hw")
    return Path(base) / "compiled" / SOURCES


SOURCES = _digest()
"""Names every source of the simulator as it stands."""

_CACHE = _cache_folder()
