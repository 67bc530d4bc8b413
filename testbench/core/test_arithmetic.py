"""The one rounding, wrap and flip: by hand, against real arithmetic, and in compiled code."""

import math
from typing import Any

import numba
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.extending import register_jitable

from toreq_hw.contract import arithmetic_kernel as kernel
from toreq_hw.contract.arithmetic import (
    WORD_SIGN,
    flip_bits,
    flip_state,
    nudge_drive,
    rounding_half,
    to_state,
    wrap,
    wrap32,
)


def test_ties_and_negatives_by_hand() -> None:
    # F = 2: -2.5 -2.25 -1.5 -0.75 -0.5 -0.25 0.25 0.5 0.75 1.5
    accumulator = np.array([-10, -9, -6, -3, -2, -1, 1, 2, 3, 6])
    expected = [-2, -2, -1, -1, 0, 0, 0, 1, 1, 2]
    assert to_state(accumulator, 2, -127, 127).tolist() == expected
    assert to_state(np.array([1, -1]), 1, -127, 127).tolist() == [1, 0]


def test_no_half_without_fraction() -> None:
    assert rounding_half(0) == 0
    assert to_state(np.array([-3, 0, 3]), 0, -127, 127).tolist() == [-3, 0, 3]


def test_saturates_both_ways() -> None:
    accumulator = np.array([-(2**31), -1, 0, 15 * 4 + 1, 2**31 - 1], dtype=np.int64)
    assert to_state(accumulator, 2, 0, 15).tolist() == [0, 0, 0, 15, 15]
    assert to_state(accumulator, 2, -7, 7).tolist() == [-7, 0, 0, 7, 7]


@given(st.integers(-(2**30), 2**30), st.integers(0, 15))
def test_is_round_half_up(accumulator: int, fraction_bits: int) -> None:
    found = to_state(np.array([accumulator]), fraction_bits, -127, 127)
    rounded = math.floor(accumulator / 2**fraction_bits + 0.5)
    assert found.tolist() == [min(max(rounded, -127), 127)]


def test_nudge_shifts_arithmetically() -> None:
    error = np.array([-255, -1, 0, 1, 255], dtype=np.int16)
    assert nudge_drive(error, 0, 1).tolist() == [-128, -1, 0, 0, 127]
    assert nudge_drive(error, 0, 3).tolist() == [-32, -1, 0, 0, 31]
    assert nudge_drive(error, 4, 1).tolist() == [-2040, -8, 0, 8, 2040]
    assert nudge_drive(error, 15, 0).tolist() == [-8355840, -32768, 0, 32768, 8355840]


def test_wraps_by_hand() -> None:
    values = [0, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32 + 5]
    expected = [0, 2**31 - 1, -(2**31), -(2**31), 2**31 - 1, 5]
    assert [wrap32(value) for value in values] == expected
    assert wrap32(np.array(values)).tolist() == expected
    assert [wrap(value, 4) for value in (-5, -4, 3, 4, 11)] == [3, -4, 3, -4, 3]


def test_flips_by_hand() -> None:
    # 3 bits: unsigned 1 ^ 4 = 5; signed 1 ^ 4 = 101 = -3; signed 0 ^ 4 = 100 = -4, read as -3.
    assert flip_state(1, 4, 0, 7) == 5
    assert flip_state(1, 4, -3, 3) == -3
    assert flip_state(0, 4, -3, 3) == -3
    assert flip_state(-3, 4, -3, 3) == 1
    # a message of 3 bits and a sign: 5 = 0101 ^ 1000 = 1101 = -3
    assert flip_bits(5, 8, 8) == -3
    assert flip_bits(-1, 1, WORD_SIGN) == -2


@settings(deadline=None)  # the first call compiles
@given(
    value=st.integers(-(2**40), 2**40),
    shift=st.integers(0, 15),
    mask=st.integers(0, 255),
    bits=st.integers(2, 8),
)
def test_ints_arrays_and_compiled_code_agree(value: int, shift: int, mask: int, bits: int) -> None:
    high = (1 << (bits - 1)) - 1
    state, flips = value % (2 * high + 1) - high, mask & (2 * high + 1)
    found = _every(value, shift, state, flips, high)
    assert found == tuple(int(part) for part in _compiled(value, shift, state, flips, high))
    parts = (np.array([part]) for part in (value, shift, state, flips))
    arrays = _every(*parts, high=high)
    assert found == tuple(int(part[0]) for part in arrays)
    assert flip_state(state, flips, -high, high) == max(-high, _word(state ^ flips, bits))
    assert wrap32(value) == int(np.array(value).astype(np.int32))


def _every(value: Any, shift: Any, state: Any, mask: Any, high: Any) -> tuple[Any, ...]:
    return (
        kernel.rounding_half(shift),
        kernel.round_shift(value, shift),
        kernel.round_to_multiple(value, shift),
        kernel.nudge(state, shift, 1),
        kernel.wrap32(value),
        kernel.flip_bits(state, mask, high + 1),
        kernel.flip_state(state, mask, -high, high),
        kernel.flip_state(state & high, mask & high, 0, high),
    )


_compiled = numba.njit(register_jitable(_every))


def _word(value: int, bits: int) -> int:
    """The lowest bits of a value, read as two's complement by arithmetic of its own."""
    word = value % 2**bits
    return word - 2**bits if word >= 2 ** (bits - 1) else word
