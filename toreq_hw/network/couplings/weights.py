"""The integers that weights are stored as, and the checks that every kind of coupling shares."""

from enum import Enum

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkError
from toreq_hw.reading import shown

MAX_FRACTION_BITS = 15
"""Bounds the shift between couplings of one population, so that sums stay in 32 bits."""


class WeightFormat(Enum):
    """The integers a weight may be: {-1, 0, +1}, or -127..127 (-128 is not a weight)."""

    TERNARY = "ternary"
    INT8 = "int8"

    @property
    def limit(self) -> int:
        """Largest magnitude of a weight."""
        return 1 if self is WeightFormat.TERNARY else 127


def check_format(name: str, weight_format: object, fraction_bits: object) -> None:
    """Raises NetworkError unless both are what a coupling called `name` may have."""
    if not isinstance(weight_format, WeightFormat):
        raise NetworkError(
            f"coupling {shown(name)}: weight_format must be a WeightFormat, "
            f"not {shown(weight_format)}"
        )
    if type(fraction_bits) is not int or not 0 <= fraction_bits <= MAX_FRACTION_BITS:
        raise NetworkError(
            f"coupling {shown(name)}: fraction_bits must be an integer in "
            f"0..{MAX_FRACTION_BITS}, not {shown(fraction_bits)}"
        )


def checked_weights(
    name: str, found: object, axes: int, weight_format: WeightFormat
) -> npt.NDArray[np.int8]:
    """A read-only copy of `found`, an int8 array of `axes` dimensions, all weights in range.

    Raises NetworkError that names the coupling. Same shape.
    """
    if isinstance(found, np.ma.MaskedArray):
        raise NetworkError(f"coupling {shown(name)}: weight must be an array without a mask")
    if not isinstance(found, np.ndarray) or found.dtype != np.int8:
        dtype = getattr(found, "dtype", type(found).__name__)
        raise NetworkError(f"coupling {shown(name)}: weight must be an int8 array, not {dtype}")
    if found.ndim != axes:
        raise NetworkError(
            f"coupling {shown(name)}: weight must have {axes} dimensions, not {found.ndim}"
        )
    weight = np.array(found, dtype=np.int8, order="C")
    weight.flags.writeable = False
    limit = weight_format.limit
    low, high = int(weight.min(initial=0)), int(weight.max(initial=0))
    if low < -limit or high > limit:
        place = np.argwhere((weight < -limit) | (weight > limit))[0].tolist()
        raise NetworkError(
            f"coupling {shown(name)}: {weight_format.value} weights must be in "
            f"{-limit}..{limit}, found {weight[tuple(place)]} at {place}"
        )
    return weight
