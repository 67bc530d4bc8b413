"""Compiled: weights of a plan that change in the ticks of a sample, and are restored after it."""

import numpy as np

from toreq_hw.sim.compiled import compiled_uncounted


@compiled_uncounted
def flip_weights(weights, flips, line, last_line, tick):  # type: ignore[no-untyped-def]
    """Writes what the cells hit in this tick now read, both ways. Returns the next line."""
    while line < last_line and flips[line, 0] == tick:
        weights[flips[line, 1]] = np.int8(flips[line, 4])
        weights[flips[line, 2]] = np.int8(flips[line, 4])
        line += 1
    return line


@compiled_uncounted
def restore_weights(weights, flips, first_line, last_line):  # type: ignore[no-untyped-def]
    """Programs a sample's cells anew, backwards: the first line of a cell knows what it held."""
    for line in range(last_line - 1, first_line - 1, -1):
        weights[flips[line, 1]] = np.int8(flips[line, 3])
        weights[flips[line, 2]] = np.int8(flips[line, 3])
