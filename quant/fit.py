"""Fits real weights to a weight format: which fraction bits lose least, and what is lost."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.network import MAX_FRACTION_BITS, WeightFormat

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """Integer weights for real ones.

    weight: int8, the shape of the real weights; weight / 2^fraction_bits stands for them.
    clipped_fraction: of the weights, those beyond the format's range.
    sqnr_db: 10 log10(sum w^2 / sum (w - q)^2); infinite where nothing is lost.
    """

    weight: npt.NDArray[np.int8]
    fraction_bits: int
    clipped_fraction: float
    sqnr_db: float

    @property
    def exact(self) -> bool:
        """Whether the integers stand for the very weights."""
        return math.isinf(self.sqnr_db)


@named_type_errors
def fit(real: Reals, weight_format: WeightFormat) -> Fit:
    """The fraction bits 0..15 with the least squared error; of equals, the fewest.

    real: float (n_pre, n_post).
    """
    fits = [quantise(real, weight_format, f) for f in range(MAX_FRACTION_BITS + 1)]
    return max(fits, key=lambda found: found.sqnr_db)


@named_type_errors
def quantise(real: Reals, weight_format: WeightFormat, fraction_bits: int) -> Fit:
    """Rounds to the nearest multiple of 2^-fraction_bits that the format has, ties to even.

    real: float (n_pre, n_post).
    """
    scaled = real * 2.0**fraction_bits
    limit = weight_format.limit
    nearest = np.clip(np.round(scaled), -limit, limit)
    # A power of two changes no ratio, and keeps squares of the smallest and largest in range.
    exponent = -np.frexp(np.abs(scaled).max(initial=0.0))[1]
    error = float(np.sum(np.ldexp(scaled - nearest, exponent) ** 2))
    power = float(np.sum(np.ldexp(scaled, exponent) ** 2))
    return Fit(
        weight=nearest.astype(np.int8),
        fraction_bits=fraction_bits,
        clipped_fraction=float(np.mean(np.abs(scaled) > limit + 0.5)) if scaled.size else 0.0,
        sqnr_db=decibels(power, error),
    )


def decibels(power: float, error: float) -> float:
    """10 log10(power / error): infinite without error, minus infinite without power."""
    if error == 0:
        return math.inf
    return 10 * math.log10(power / error) if power > 0 else -math.inf
