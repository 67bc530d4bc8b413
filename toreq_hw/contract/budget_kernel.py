"""Budget rows inside compiled code; `budget.budget_row` is the rule, this is the same integers.

Registered so that numba compiles it into its caller; as it stands it is plain Python as well.
"""

from typing import Any

import numpy as np
from numba.extending import register_jitable

# Types stay out of the signatures: numba infers them.


@register_jitable
def units_of(table: Any, value: Any) -> int:
    """How many thresholds are <= `value`, by bisection. table: int64, strictly increasing."""
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) >> 1
        if table[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@register_jitable
def fill_budget_row(accumulators: Any, table: Any, budget: Any, row: Any) -> None:
    """Writes the units of one row, int16 (cells,); budget at most cells times thresholds.

    accumulators: int32 (cells,). tau is between a value at which the units do not fit and one at
    which all cells are empty; the first is where the largest accumulator alone takes the budget.
    """
    cells = len(accumulators)
    if budget == cells * len(table):
        for j in range(cells):
            row[j] = len(table)
        return
    largest, smallest = np.int64(accumulators[0]), np.int64(accumulators[0])
    for j in range(1, cells):
        largest = max(largest, np.int64(accumulators[j]))
        smallest = min(smallest, np.int64(accumulators[j]))
    low, high = smallest - table[-1], largest - table[0] + 1
    if 0 < budget <= len(table):
        low = max(low, largest - table[budget - 1] - 1)
    while high - low > 1:
        middle = (low + high) >> 1
        total = 0
        for j in range(cells):
            total += units_of(table, accumulators[j] - middle)
        if total <= budget:
            high = middle
        else:
            low = middle
    left = budget
    for j in range(cells):
        row[j] = units_of(table, accumulators[j] - high)
        left -= row[j]
    for j in range(cells):
        if left > 0 and units_of(table, accumulators[j] - high + 1) > row[j]:
            row[j] += 1
            left -= 1


@register_jitable
def fill_row(accumulators: Any, table: Any, budget: Any, at_most: Any, row: Any) -> None:
    """The same, but with `at_most` there may be fewer units than the budget: tau is at least 0."""
    if at_most:
        total = 0
        for j in range(len(accumulators)):
            row[j] = units_of(table, accumulators[j])
            total += row[j]
        if total <= budget:
            return
    fill_budget_row(accumulators, table, budget, row)
