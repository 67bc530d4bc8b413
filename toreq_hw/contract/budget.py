"""Budget rows: cells that share out a fixed number of units (docs/numerics.md, section 3).

A row of n cells has accumulators c_j and one table of thresholds theta_0 < theta_1 < ..., integers.
A cell may have as many units as the table has thresholds. T(x) is how many of them are <= x.
With A the budget, tau is the smallest integer with sum_j T(c_j - tau) <= A. Cell j gets
T(c_j - tau) units. What is left goes, one unit each, to the lowest j of those with T(c_j - tau + 1)
> T(c_j - tau). The row is the exact minimiser of sum_j (theta_0 + .. + theta_(a_j - 1) - c_j a_j)
under sum_j a_j = A.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.network import BudgetRows


def budget_row(
    accumulators: Sequence[int], table: Sequence[int], budget: int, *, at_most: bool = False
) -> list[int]:
    """Units of each cell of one row, in plain Python, to be read beside docs/numerics.md.

    table: strictly increasing. budget: units in all, 0 .. cells times thresholds. at_most: there
    may be fewer, tau is at least 0. Raises InputError for a budget beyond that.
    """
    check_budget(len(accumulators), len(table), budget)

    def units(tau: int) -> list[int]:
        return [sum(theta <= c - tau for theta in table) for c in accumulators]

    if at_most and sum(units(0)) <= budget:
        return units(0)
    if budget == len(accumulators) * len(table):
        return [len(table)] * len(accumulators)
    low = min(accumulators) - table[-1]  # here every cell is full, so the sum is too large
    high = max(accumulators) - table[0] + 1  # here every cell is empty
    while high - low > 1:
        middle = (low + high) // 2
        if sum(units(middle)) <= budget:
            high = middle
        else:
            low = middle
    row, before = units(high), units(high - 1)
    left = budget - sum(row)
    for j in range(len(row)):
        if left and before[j] > row[j]:
            row[j] += 1
            left -= 1
    return row


@named_type_errors
def budget_rows(
    accumulators: npt.NDArray[np.integer], table: npt.NDArray[np.int64], budget: int
) -> npt.NDArray[np.int16]:
    """Units of many rows at once, int16 (rows, cells); see `budget_row`.

    accumulators: integers (rows, cells) of 32 bits. table: int64 (thresholds,), strictly
    increasing. Raises InputError.
    """
    sums = accumulators.astype(np.int64)
    rows, cells = sums.shape
    check_budget(cells, len(table), budget)
    if budget == cells * len(table) or not rows:
        return np.full((rows, cells), len(table), dtype=np.int16)
    low = sums.min(axis=1) - table[-1]
    high = sums.max(axis=1) - table[0] + 1
    while np.any(high - low > 1):
        middle = (low + high) >> 1
        fits = _units(sums, table, middle).sum(axis=1) <= budget
        high, low = np.where(fits, middle, high), np.where(fits, low, middle)
    row = _units(sums, table, high)
    steps = _units(sums, table, high - 1) > row
    left = budget - row.sum(axis=1)
    granted: npt.NDArray[np.int16] = (steps & (np.cumsum(steps, axis=1) <= left[:, None])).astype(
        np.int16
    )
    return row.astype(np.int16) + granted


_NO_CELL = -(1 << 40)
"""An accumulator so low that a neuron gets no unit, whatever those of its row are."""


@named_type_errors
def row_states(
    rows: BudgetRows,
    table: npt.NDArray[np.int64],
    accumulators: npt.NDArray[np.integer],
    cells: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int16]:
    """New states of whole rows, int16 (n, length); 0 where `cells`, bool (n, length), is not.

    table: int64 (budget,). accumulators: integers (n, length). Raises InputError.
    """
    sums = np.where(cells, accumulators.astype(np.int64), _NO_CELL)
    found = budget_rows(sums, table, rows.budget)
    if rows.at_most:
        free = _units(sums, table, np.zeros(len(sums), dtype=np.int64)).astype(np.int16)
        fits = free.sum(axis=1) <= rows.budget
        found = np.where(fits[:, None], free, found)
    return found


def _units(
    sums: npt.NDArray[np.int64], table: npt.NDArray[np.int64], tau: npt.NDArray[np.int64]
) -> npt.NDArray[np.intp]:
    """T(c - tau) of every cell, (rows, cells). tau: int64 (rows,)."""
    return np.searchsorted(table, sums - tau[:, None], side="right")


def check_budget(cells: int, thresholds: int, budget: int) -> None:
    """Raises InputError for a budget that a row cannot hold."""
    if not 0 <= budget <= cells * thresholds:
        raise InputError(
            f"budget of a row must be in 0..{cells * thresholds}, {cells} cells with {thresholds} "
            f"states above 0 each, found {budget}"
        )
