"""The one place that rounds, wraps and flips bits (docs/numerics.md, section 3).

Each function takes Python ints and NumPy integers alike; `arithmetic_kernel` lets compiled code
call them too. Everything else that a machine computes is exact integer arithmetic.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.network.fixed_point import nudge, rounding_half

__all__ = [
    "WORD_SIGN",
    "flip_bits",
    "flip_state",
    "nudge",
    "nudge_drive",
    "round_shift",
    "round_to_multiple",
    "rounding_half",
    "to_state",
    "wrap",
    "wrap32",
]

WORD_SIGN = 1 << 31
"""Weight of the sign bit of a 32-bit word, such as an accumulator."""


def round_shift(value: Any, shift: Any) -> Any:
    """Value / 2^shift to the nearest integer, (value + half) >> shift.

    Ties round towards plus infinity, for negative values too, because the shift is arithmetic:
    with shift = 1, 1 (0.5) gives 1 and -1 (-0.5) gives 0.
    """
    return (value + rounding_half(shift)) >> shift


def round_to_multiple(value: Any, shift: Any) -> Any:
    """To the nearest multiple of 2^shift, ties towards plus infinity."""
    return round_shift(value, shift) << shift


def to_state(
    accumulator: npt.NDArray[np.integer], fraction_bits: int, state_min: int, state_max: int
) -> npt.NDArray[np.int16]:
    """Rounds accumulators to states: clip((a + half) >> F, s_min, s_max).

    accumulator: integers of any shape, LSB 2^-F. Returns int16, same shape.
    """
    rounded: npt.NDArray[np.integer] = round_shift(accumulator, fraction_bits)
    return np.clip(rounded, state_min, state_max).astype(np.int16)


def nudge_drive(
    error: npt.NDArray[np.integer], fraction_bits: int, beta_shift: int
) -> npt.NDArray[np.int32]:
    """The nudge of docs/numerics.md, section 5, of any error.

    error: target - s*, integers of any shape. Returns int32, same shape, accumulator LSBs.
    """
    drive: npt.NDArray[np.int64] = nudge(error.astype(np.int64), fraction_bits, beta_shift)
    return drive.astype(np.int32)


def wrap(value: Any, sign: Any) -> Any:
    """An integer as a two's complement word holds it whose sign bit has the weight `sign`.

    value, sign: ints, or integers of a type with room for value + sign; sign is a power of 2.
    """
    return ((value + sign) & (2 * sign - 1)) - sign


def wrap32(value: Any) -> Any:
    """An integer as a 32-bit two's complement word holds it. value: an int, or int64."""
    return wrap(value, WORD_SIGN)


def flip_bits(value: Any, mask: Any, sign: Any) -> Any:
    """A two's complement word XOR `mask`; see `wrap` for `sign`."""
    return wrap(value ^ mask, sign)


def flip_state(state: Any, mask: Any, state_min: Any, state_max: Any) -> Any:
    """A state word XOR `mask`; a signed word below the range (-2^(b-1)) reads as the smallest.

    state: an int or integers of any shape, at least 16 bits; mask likewise, of state bits.
    """
    if state_min == 0:
        return (state ^ mask) & state_max
    word = flip_bits(state, mask, state_max + 1)
    return word + (word < state_min)
