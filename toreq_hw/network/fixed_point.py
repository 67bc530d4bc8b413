"""The two shifts of docs/numerics.md that bounds need as well: the rounding half and the nudge."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Bits = TypeVar("Bits", int, npt.NDArray[np.int64])


def rounding_half(fraction_bits: Bits) -> Bits:
    """Half of a state LSB in accumulator LSBs: 2^(F-1), and 0 where F = 0.

    fraction_bits: an int, or int64 of any shape; returns the same.
    """
    return (1 << fraction_bits) >> 1


def nudge(error: Any, fraction_bits: int, beta_shift: int) -> Any:
    """The constant that a nudged phase adds to output accumulators: n = (e << F) >> beta_shift.

    error: target - s*, an int or integers of any shape wide enough for n; returns the same.
    """
    return (error << fraction_bits) >> beta_shift
