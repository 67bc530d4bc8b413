"""The one place that rounds: from an accumulator to a state (docs/numerics.md, section 3).

Everything else in the simulator is exact integer arithmetic.
"""

import numpy as np
import numpy.typing as npt


def rounding_half(fraction_bits: int) -> int:
    """Half of a state LSB in accumulator LSBs: 2^(F-1), and 0 where F = 0."""
    return (1 << fraction_bits) >> 1


def to_state(
    accumulator: npt.NDArray[np.integer], fraction_bits: int, state_min: int, state_max: int
) -> npt.NDArray[np.int16]:
    """Rounds accumulators to states: clip((a + half) >> F, s_min, s_max).

    Ties round towards plus infinity, for negative values too, because the shift is
    arithmetic: with F = 1, a = 1 (0.5) gives 1 and a = -1 (-0.5) gives 0.

    accumulator: integers of any shape, LSB 2^-F. Returns int16, same shape.
    """
    rounded = (accumulator + rounding_half(fraction_bits)) >> fraction_bits
    return np.clip(rounded, state_min, state_max).astype(np.int16)


def nudge_drive(
    error: npt.NDArray[np.integer], fraction_bits: int, beta_shift: int
) -> npt.NDArray[np.int32]:
    """The constant a nudged phase adds to output accumulators: n = (e << F) >> beta_shift.

    error: target - s*, integers of any shape. Returns int32, same shape, accumulator LSBs.
    """
    return ((error.astype(np.int64) << fraction_bits) >> beta_shift).astype(np.int32)
