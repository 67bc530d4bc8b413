"""Cycles of relaxations that need not settle: how one is noticed, and its exact period.

docs/numerics.md, section 4. A relaxation without loss is a sequence in which each sweep's end
follows from the end before; so the first state that returns closes a cycle for good.
"""

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Network


class Cycles(IntEnum):
    """Which cycles a phase may end in."""

    NONE = 0
    """Every phase settles, or its messages have a threshold, so that states say too little."""
    OF_TWO = 1
    """Symmetric couplings: a sweep is compared with the one two sweeps before. `synchronous` has no
    longer cycle; one of a colouring that couples within a colour runs on to the limit on sweeps."""
    OF_ANY = 2
    """No energy: with the last one whose number is a power of two."""


def cycles_of(network: Network, threshold: int = 0) -> Cycles:
    """What to look for in a phase of `network`. threshold: of its messages."""
    if threshold or network.sweep.always_settles:
        return Cycles.NONE
    return Cycles.OF_TWO if network.has_energy else Cycles.OF_ANY


def keep(cycles: Cycles, sweep: int, kept: Any, before: Any, after: npt.NDArray[np.int16]) -> Any:
    """The states that the next sweep's end is compared with; None for no comparison.

    kept: those of this sweep. before, after: states as it began and as it ended, int16 (..,
    neurons).
    """
    if cycles is Cycles.NONE:
        return None
    if cycles is Cycles.OF_TWO:
        return before
    return kept if sweep & (sweep - 1) else after.copy()


def period(network: Network, sweeps: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Sweeps after which the states of samples that ended in a cycle return, int32 (n,).

    sweeps: int32 (n,), those that each ran.
    """
    wide = sweeps.astype(np.int64)
    if network.has_energy:
        return np.full(len(wide), 2, dtype=np.int32)
    powers = np.left_shift(1, np.arange(31, dtype=np.int64))
    kept_at = powers[np.searchsorted(powers, wide) - 1]
    found: npt.NDArray[np.int32] = (wide - kept_at).astype(np.int32)
    return found
