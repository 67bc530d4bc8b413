"""Where the cells of a coupling lie: the word line and the bit line of each stored integer.

The memory is the array of parameters of docs/numerics.md, section 7: a word line is a row of it, a
bit line a column. Of a dense matrix these are pre and post neurons; of a convolution taps with an
input channel, and output channels.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.network import Coupling

Indices = npt.NDArray[np.intp]


class Lines(NamedTuple):
    """row, column: intp (parameters,), flat order. rows, columns: how many lines there are."""

    row: Indices
    column: Indices
    rows: int
    columns: int


def lines_of(coupling: Coupling) -> Lines:
    """The lines of all stored integers of a coupling."""
    starts = coupling.row_starts()
    rows = len(starts) - 1
    column = coupling.columns_of_parameters()
    of_pairs = coupling.parameters.ndim == 1
    columns = coupling.shape[1] if of_pairs else coupling.parameters.shape[-1]
    row = np.repeat(np.arange(rows), np.diff(starts))
    return Lines(row, column, rows, max(columns, int(column.max(initial=-1)) + 1))
