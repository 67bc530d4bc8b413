"""How the simulator's inner loops are compiled: without the interpreter's lock, and cached.

Numba's cache notices a change in the file of a function, but not in a function it calls from
another file. Here every source of the simulator, of the contract and of the arithmetic below it
names the cache folder. So compiled code is never older than any of them.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toreq_hw import contract
from toreq_hw.compilation import njit
from toreq_hw.network import fixed_point


def compiled(function: Callable[..., Any]) -> Any:
    """Compiles `function` on its first call, for the types it is called with."""
    return njit(function, SOURCES)


def compiled_uncounted(function: Callable[..., Any]) -> Any:
    """The same without reference counts, for functions that neither make nor return arrays.

    Numba counts, atomically, every array taken from a record and every slice; in functions
    called dozens of times a sample that costs more than their arithmetic. Here the callers own
    all arrays and outlive every call. What would need the counts (`a[:] = b`, which may have
    to copy `b` first) numba refuses to compile, so loops stand for it.
    """
    return njit(function, SOURCES, _nrt=False)


def compiled_inline(function: Callable[..., Any]) -> Any:
    """The same as a part of each compiled function that calls it.

    A call hands over every array of a plan in pieces, a hundred words: once a tick that is dear.
    """
    return njit(function, SOURCES, _nrt=False, forceinline=True)


def _digest() -> str:
    digest = hashlib.sha256()
    folders = (Path(__file__).parent, Path(contract.__file__).parent)
    sources = [source for folder in folders for source in sorted(folder.glob("**/*.py"))]
    for source in (*sources, Path(fixed_point.__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


SOURCES = _digest()
"""Names every source that compiled code of the simulator is made from, as it stands."""
