"""Real arithmetic that gives the same bits on every processor.

A BLAS picks its kernel by processor, each kernel adds in another order, and a long training turns
a last bit into another network. Here every sum runs in ascending order and nothing is fused:
compiled without fast-math, a multiplication and an addition stay two roundings.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from toreq_hw.sim.compiled import compiled

Real = TypeVar("Real", np.float32, np.float64)

_LOG2_E = 1.4426950408889634
_LN_2 = 0.6931471805599453
_LEAST = -700.0
"""The exponential of less is no normal float64."""
_TERMS = 14
"""Of the series on +-ln(2)/2: the first one left out is below half a unit in the last place."""


def product(left: npt.NDArray[Real], right: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """The matrix product, (m, k) by (k, n), of one dtype, float32 or float64.

    Each element is summed over k upwards from 0; a zero in `left` adds nothing.
    """
    total = np.zeros((left.shape[0], right.shape[1]), dtype=left.dtype)
    _add_products(np.ascontiguousarray(left), np.ascontiguousarray(right), total)
    return total


def column_sums(values: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Sums of (m, n) over m upwards, (n,)."""
    sums: npt.NDArray[Real] = product(np.ones((1, len(values)), dtype=values.dtype), values)[0]
    return sums


def row_sums(values: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Sums of (m, n) over n upwards, (m, 1)."""
    return product(values, np.ones((values.shape[1], 1), dtype=values.dtype))


def exponential(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Powers of e, of `values` from -700 (smaller ones count as that) to 0; relative error < 1e-12.

    The C library's and numpy's own differ between processors. Returns float64 of the same shape.
    """
    given = np.maximum(values.astype(np.float64), _LEAST)
    halvings = np.rint(given * _LOG2_E)
    rest = given - halvings * _LN_2
    total = np.ones_like(rest)
    for term in range(_TERMS, 0, -1):
        total = 1 + total * rest / term
    powers: npt.NDArray[np.float64] = np.ldexp(total, halvings.astype(np.int32))
    return powers


def uniform(
    rng: np.random.Generator, limit: float, shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Float64 drawn evenly from -limit to limit; numpy's own may be fused on some processors.

    Returns float64 of `shape`.
    """
    return -limit + (2 * limit) * rng.random(shape)


@compiled
def _add_products(left: Any, right: Any, total: Any) -> None:
    """Adds left @ right to `total`. The innermost loop runs along a row: no lanes share a sum."""
    for i in range(left.shape[0]):
        for k in range(left.shape[1]):
            factor = left[i, k]
            if factor != 0:
                for j in range(right.shape[1]):
                    total[i, j] += factor * right[k, j]
