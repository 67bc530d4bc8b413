"""How the event engine's hot functions are compiled."""

from typing import Any

from numba import njit

# numba's annotations leave out the option `_nrt`.
compiled: Any = njit(nogil=True, cache=True, _nrt=False)  # type: ignore[call-overload]
"""For functions that neither allocate nor return arrays: compiled without reference counts.

numba counts, atomically, every array taken from a record and every slice; in functions called
dozens of times a sample that costs more than their arithmetic. Here the callers' callers own
all arrays and outlive every call. What would need the counts (`a[:] = b`, which may have to copy
`b` first) numba refuses to compile, so loops stand for it.
"""
