"""Arrays from outside, checked once where they enter: kind of number, shape and range.

What is compiled or computed with them afterwards relies on it; nothing rounds, wraps or clips a
value that is not what it must be.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError

Shape = Sequence[int | str]
"""A length per axis; a name stands for any length."""

_INTEGERS = "iu"
"""Kinds of integers; NumPy's class of them also has spans of time (timedelta64)."""


def whole_numbers(
    what: str, values: npt.ArrayLike, shape: Shape, low: int, high: int
) -> npt.NDArray[np.integer]:
    """`values` as an integer array of this shape, every value in low..high.

    Floats are refused even where they are whole, and so are truth values. Raises InputError.
    """
    array = _array(what, values)
    if array.dtype.kind not in _INTEGERS:
        holds_nan = np.issubdtype(array.dtype, np.floating) and np.isnan(array).any()
        hint = " holding NaN" if holds_nan else ""
        raise InputError(f"{what}: must be integers, not {array.dtype}{hint}")
    _check_shape(what, array, shape)
    _check_range(what, array, low, high)
    return array


def reals(
    what: str,
    values: npt.ArrayLike,
    shape: Shape,
    low: float = -np.inf,
    high: float = np.inf,
) -> npt.NDArray[np.float64]:
    """`values`, floats or integers, as float64 of this shape, finite and in low..high.

    Raises InputError.
    """
    array = _array(what, values)
    if not (np.issubdtype(array.dtype, np.floating) or array.dtype.kind in _INTEGERS):
        raise InputError(f"{what}: must be real numbers, not {array.dtype}")
    _check_shape(what, array, shape)
    if not np.isfinite(array).all():
        raise InputError(f"{what}: must be finite, found NaN or infinity")
    _check_range(what, array, low, high)
    return array.astype(np.float64, copy=False)


def dtype_of(what: str, values: npt.ArrayLike) -> np.dtype[Any]:
    """What `values` are as an array. Raises InputError where they are none."""
    return _array(what, values).dtype


def _array(what: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        raise InputError(f"{what}: must be an array without a mask")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged, or on another device
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{what}: must be an array of numbers, found: {reason:.120}") from error


def _check_shape(what: str, array: npt.NDArray[Any], shape: Shape) -> None:
    fits = array.ndim == len(shape) and all(
        isinstance(wanted, str) or wanted == found
        for wanted, found in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        raise InputError(f"{what}: must have shape ({wanted}), not {array.shape}")


def _check_range(what: str, array: npt.NDArray[Any], low: float, high: float) -> None:
    if array.size and not (low <= array.min() and array.max() <= high):
        raise InputError(f"{what}: must be in {low}..{high}, found {array.min()}..{array.max()}")


def widen(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Floats as float64, same shape. A signalling NaN becomes a quiet one, without a warning."""
    with np.errstate(invalid="ignore"):
        return np.asarray(values, dtype=np.float64)
