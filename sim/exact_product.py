"""Integer matrix products through float32 BLAS, exact within a bound that is proved here.

A float32 holds every integer up to 2^24. Let sum_j |W[j, i]| * max|s_j| <= 2^24 for every column i.
Then every partial sum, in whatever order BLAS takes it, is such an integer, and no addition ever
rounds. Where the bound does not hold for all rows at once, it holds for blocks of rows, which are
added as int32.
"""

import numpy as np
import numpy.typing as npt

FLOAT32_EXACT = 1 << 24


class ExactProduct:
    """states @ weight, exact, for |states| <= largest_state.

    weight: int8 (rows, columns). largest_state: largest magnitude of a state.
    """

    def __init__(self, weight: npt.NDArray[np.int8], largest_state: int) -> None:
        self._blocks = [
            (start, stop, weight[start:stop].astype(np.float32))
            for start, stop in exact_blocks(weight, largest_state)
        ]

    def __call__(self, states: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
        """states: int16 (batch, rows). Returns int32 (batch, columns)."""
        parts = (
            (states[:, start:stop].astype(np.float32) @ weight).astype(np.int32)
            for start, stop, weight in self._blocks
        )
        total = next(parts)
        for part in parts:
            total += part
        return total

    def column(self, states: npt.NDArray[np.int16], index: int) -> npt.NDArray[np.int32]:
        """One column of the product, int32 (batch,)."""
        total = np.zeros(len(states), dtype=np.int32)
        for start, stop, weight in self._blocks:
            part = states[:, start:stop].astype(np.float32) @ weight[:, index]
            total += part.astype(np.int32)
        return total


def exact_blocks(weight: npt.NDArray[np.int8], largest_state: int) -> list[tuple[int, int]]:
    """Consecutive row ranges, as few as greedy finds, each within the float32 bound.

    A single row is always within it: 127 * 255 < 2^24. weight: int8 (rows, columns).
    """
    blocks, start = [], 0
    sums = np.zeros(weight.shape[1], dtype=np.int64)
    for row in range(len(weight)):
        sums += np.abs(weight[row].astype(np.int64)) * largest_state
        if sums.size and sums.max() > FLOAT32_EXACT:
            blocks.append((start, row))
            start = row
            sums = np.abs(weight[row].astype(np.int64)) * largest_state
    return [*blocks, (start, len(weight))]
