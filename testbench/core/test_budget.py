"""Budget rows: plain Python, NumPy and compiled code give the exact minimiser, ties by index."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toreq_hw.contract.budget import budget_row, budget_rows
from toreq_hw.contract.budget_kernel import fill_budget_row
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network.budget_table import checked_table, softmax_table, sparsemax_table

Row = tuple[list[int], list[int], int]


def greedy(accumulators: list[int], table: list[int], budget: int) -> list[int]:
    """Unit by unit to the cell that gains most, the lowest index among equals."""
    row = [0] * len(accumulators)
    for _ in range(budget):
        gains = [
            (c - table[a], -j)
            for j, (c, a) in enumerate(zip(accumulators, row, strict=True))
            if a < len(table)
        ]
        row[-max(gains)[1]] += 1
    return row


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Small numbers, so that ties are common; now and then the widest."""
    largest = draw(st.sampled_from([3, 12, 200, 2**31 - 1]))
    steps = draw(st.lists(st.integers(1, max(1, min(largest, 40))), min_size=1, max_size=9))
    table = np.cumsum([draw(st.integers(-largest // 2, largest // 2)), *steps[1:]]).tolist()
    accumulators = draw(st.lists(st.integers(-largest, largest), min_size=1, max_size=8))
    budget = draw(st.integers(0, len(accumulators) * len(table)))
    return accumulators, table, budget


@settings(max_examples=1500, deadline=None)
@given(row=rows())
def test_all_forms_are_the_greedy_allocation(row: Row) -> None:
    accumulators, table, budget = row
    expected = greedy(*row)
    assert sum(expected) == budget
    assert budget_row(*row) == expected
    sums, thresholds = np.array(accumulators, np.int64), np.array(table, np.int64)
    assert budget_rows(sums[None], thresholds, budget)[0].tolist() == expected
    found = np.zeros(len(sums), np.int16)
    fill_budget_row(sums, thresholds, budget, found)
    assert found.tolist() == expected


def test_a_row_by_hand() -> None:
    # Thresholds 1, 3, 5, 7 (F = 1: ((k + 1) << 1) - 1), accumulators 9, 6, 5, -20, budget 6.
    # tau = 3: 6, 3, 2, -23 reach 3 + 2 + 1 + 0 = 6 thresholds. tau = 2: 7, 4, 3, -22 reach 8.
    assert sparsemax_table(Fraction(4 * 2), 4) == (1, 3, 5, 7)
    assert budget_row([9, 6, 5, -20], [1, 3, 5, 7], 6) == [3, 2, 1, 0]
    # Budget 7: tau = 3 leaves one unit over. At tau = 2 cells 0 and 2 would step: cell 0 has it.
    assert budget_row([9, 6, 5, -20], [1, 3, 5, 7], 7) == [4, 2, 1, 0]


def test_ties_go_to_the_lowest_index() -> None:
    assert budget_row([4, 4, 4, 4], [1, 3, 5, 7], 6) == [2, 2, 1, 1]
    assert budget_row([0, 4, 4], [1, 3, 5, 7], 3) == [0, 2, 1]


@settings(max_examples=300, deadline=None)
@given(row=rows(), seed=st.integers(0, 1000))
def test_rows_are_monotonic_and_know_no_order_but_that_of_ties(row: Row, seed: int) -> None:
    accumulators, table, budget = row
    expected = budget_row(*row)
    rng = np.random.default_rng(seed)
    j = int(rng.integers(len(accumulators)))
    raised = list(accumulators)
    raised[j] += int(rng.integers(1, 50))
    assert budget_row(raised, table, budget)[j] >= expected[j]
    order = rng.permutation(len(accumulators))
    found = budget_row([accumulators[k] for k in order], table, budget)
    cost = [sum(table[:a]) - c * a for c, a in zip(accumulators, expected, strict=True)]
    again = [
        sum(table[:a]) - accumulators[k] * a for k, a in zip(order.tolist(), found, strict=True)
    ]
    assert sum(cost) == sum(again)
    # Ties apart, a permuted row is the row permuted: only cells at the last price may differ.
    back = [found[order.tolist().index(k)] for k in range(len(found))]
    if back != expected:
        price = min(c - table[a - 1] for c, a in zip(accumulators, expected, strict=True) if a)
        for c, one, other in zip(accumulators, back, expected, strict=True):
            assert abs(one - other) <= 1
            assert one == other or c - table[max(one, other) - 1] == price


def test_equal_cells_are_shared_evenly() -> None:
    row = budget_rows(np.zeros((1, 10), np.int32), np.array(softmax_table(Fraction(510), 127)), 127)
    assert row[0].tolist() == [13] * 7 + [12] * 3


def test_softmax_rows_are_near_softmax() -> None:
    rng = np.random.default_rng(1)
    scale = Fraction(255 * 16, 8)
    sums = rng.integers(-2000, 2001, (500, 10))
    shares = np.exp(sums / float(scale))
    exact = 127 * shares / shares.sum(axis=1, keepdims=True)
    found = budget_rows(sums, np.array(softmax_table(scale, 127)), 127)
    assert np.all(found.sum(axis=1) == 127)
    assert np.abs(found - exact).max() < 3  # the cells round, and tau carries what they miss


def test_softmax_thresholds_by_hand() -> None:
    # 510 ln(1/254) = -2823.999.. -> -2823 is its ceiling; 510 ln(253/254) = -2.01 -> -2.
    table = softmax_table(Fraction(510), 127)
    assert table[0] == math.ceil(510 * math.log(0.5 / 127))
    assert table[-1] == math.ceil(510 * math.log(126.5 / 127)) == -2
    assert len(table) == 127
    assert hash(softmax_table(Fraction(255 << 7, 8), 127)) == hash(
        tuple(math.ceil((255 << 7) / 8 * math.log((k + 0.5) / 127)) for k in range(127))
    )


@pytest.mark.parametrize("fraction_bits", [0, 1, 4, 9])
def test_sparsemax_thresholds_are_those_of_rounding(fraction_bits: int) -> None:
    half = (1 << fraction_bits) >> 1
    table = sparsemax_table(Fraction(127 << fraction_bits), 127)
    assert table == tuple(((k + 1) << fraction_bits) - half for k in range(127))


def test_tables_that_do_not_rise_are_refused() -> None:
    with pytest.raises(NetworkError, match="must rise strictly, found -7 and then -7 at 3"):
        softmax_table(Fraction(2), 127)
    with pytest.raises(NetworkError, match="must rise strictly, found 3 and then 2 at 1"):
        checked_table([3, 2])
    with pytest.raises(NetworkError, match="must stay within"):
        checked_table([0, 1 << 31])


def test_budgets_that_do_not_fit_are_refused() -> None:
    for budget in (-1, 7):
        with pytest.raises(InputError, match=r"budget of a row must be in 0\.\.6, 3 cells with 2"):
            budget_row([1, 2, 3], [1, 2], budget)
