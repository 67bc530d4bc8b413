"""How the simulator's inner loops are compiled: without the interpreter's lock, and cached.

Numba's cache notices a change in the file of a function, but not in a function it calls from
another file. Here every source that a function is compiled from names its cache folder. So
compiled code is never older than any of them.
"""

from collections.abc import Callable
from typing import Any

from toreq_hw.compilation import njit
from toreq_hw.sim.kernel_sources import digest_of


def compiled(function: Callable[..., Any]) -> Any:
    """Compiles `function` on its first call, for the types it is called with."""
    return njit(function, digest_of(function.__module__))


def compiled_uncounted(function: Callable[..., Any]) -> Any:
    """The same without reference counts, for functions that neither make nor return arrays.

    Numba counts, atomically, every array taken from a record and every slice; in functions
    called dozens of times a sample that costs more than their arithmetic. Here the callers own
    all arrays and outlive every call. What would need the counts (`a[:] = b`, which may have
    to copy `b` first) numba refuses to compile, so loops stand for it.
    """
    return njit(function, digest_of(function.__module__), _nrt=False)


def compiled_inline(function: Callable[..., Any]) -> Any:
    """The same as a part of each compiled function that calls it.

    A call hands over every array of a plan in pieces, a hundred words: once a tick that is dear.
    """
    return njit(function, digest_of(function.__module__), _nrt=False, forceinline=True)
