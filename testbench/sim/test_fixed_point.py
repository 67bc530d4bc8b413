"""The only rounding: ties, negatives and saturation, by hand and against real arithmetic."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from toreq_hw.sim.fixed_point import nudge_drive, rounding_half, to_state


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
    assert nudge_drive(error, 4, 1).tolist() == [-2040, -8, 0, 8, 2040]
    assert nudge_drive(error, 15, 0).tolist() == [-8355840, -32768, 0, 32768, 8355840]
