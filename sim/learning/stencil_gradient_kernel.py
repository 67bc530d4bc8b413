"""Compiled gradients of a convolution: one matrix product of pre and post states a tap.

For each tap and pair of channels, sum over positions of `s+_pre s+_post - s-_pre s-_post`. A pair
of 16-bit states (s+, s-) is one 32-bit word, so both products are one instruction; sums stay in
registers while the positions are walked.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled_uncounted
from toreq_hw.sim.pair_kernel import (
    ROWS,
    add_outer_8,
    add_outer_16,
    add_outer_32,
    add_outer_64,
    add_outer_row_8,
    add_outer_row_16,
    add_outer_row_32,
    add_outer_row_64,
)

# Types stay out of the signatures: numba infers them.


@compiled_uncounted
def add_convolution_gradients(window, states, gradient, drawing, pre, post):  # type: ignore[no-untyped-def]
    """Adds the products of all edges to `gradient`, int32, and marks the rows that draw.

    window: a row of `SharedParameters.window`. states: int16, s+ and s- of pre, then of post. pre,
    post: int32, working memory of as many words.
    """
    pre_positive, pre_negative, post_positive, post_negative = states
    for j in range(len(pre_positive)):
        low, high = np.int32(pre_positive[j]), np.int32(np.int32(0) - np.int32(pre_negative[j]))
        pre[j] = np.int32((low & np.int32(0xFFFF)) | (high << np.int32(16)))
    for j in range(len(post_positive)):
        low, high = np.int32(post_positive[j]), np.int32(post_negative[j])
        post[j] = np.int32((low & np.int32(0xFFFF)) | (high << np.int32(16)))
    y, x, channels = window[0], window[1], window[2]
    to_y, to_x, columns = window[3], window[4], window[5]
    taps_y, taps_x, stride = window[6], window[7], window[8]
    above, before = window[9], window[10]
    for tap_y in range(taps_y):
        first_y, stop_y = places(tap_y, y, to_y, stride, above)
        for tap_x in range(taps_x):
            first_x, stop_x = places(tap_x, x, to_x, stride, before)
            if first_y >= stop_y or first_x >= stop_x:
                continue
            row = (tap_y * taps_x + tap_x) * channels
            at_y, at_x = first_y * stride + tap_y - above, first_x * stride + tap_x - before
            walk = (
                stop_y - first_y,
                stop_x - first_x,
                (at_y * x + at_x) * channels,
                stride * x * channels,
                stride * channels,
                (first_y * to_x + first_x) * columns,
                to_x * columns,
                columns,
            )
            mark_rows(pre, walk, drawing[row : row + channels])
            add_tap(gradient, row * columns, channels, columns, pre, post, walk)


@compiled_uncounted
def places(tap, size, outputs, stride, padding):  # type: ignore[no-untyped-def]
    """First output that sees an input through a tap, and the one after the last."""
    first = max(0, -((tap - padding) // stride))
    return first, min(outputs, (size - 1 - tap + padding) // stride + 1)


@compiled_uncounted
def mark_rows(pre, walk, drawing):  # type: ignore[no-untyped-def]
    """Sets drawing[k] if channel k is not 0 in either phase at some position of the walk."""
    lines, steps, first, line, step = walk[0], walk[1], walk[2], walk[3], walk[4]
    for i in range(lines):
        for j in range(steps):
            begin = first + i * line + j * step
            for k in range(len(drawing)):
                drawing[k] |= pre[begin + k] != 0


@compiled_uncounted
def add_tap(gradient, place, channels, columns, pre, post, walk):  # type: ignore[no-untyped-def]
    """Adds the products of one tap, (channels, columns) from `place` on.

    walk: see `add_outer_64`.
    """
    lines, steps, pre_first, pre_line, pre_step, post_first, post_line, post_step = walk
    channel = np.int64(0)
    while channel < channels:
        rows = ROWS if channel + ROWS <= channels else 1
        there, column = place + channel * columns, np.int64(0)
        while column < columns:
            own = (
                lines,
                steps,
                pre_first + channel,
                pre_line,
                pre_step,
                post_first + column,
                post_line,
                post_step,
            )
            left = columns - column
            if left < 8:
                add_cells(gradient, there + column, columns, rows, left, pre, post, own)
                column += left
            elif rows == ROWS:
                column += add_block(gradient, there + column, columns, left, pre, post, own)
            else:
                column += add_row(gradient, there + column, columns, left, pre, post, own)
        channel += rows


@compiled_uncounted
def add_block(gradient, place, columns, left, pre, post, walk):  # type: ignore[no-untyped-def]
    """As many lanes as there is a function for, of `ROWS` rows; returns how many."""
    if left >= 64:
        add_outer_64(gradient, place, columns, pre, post, walk)
        return 64
    if left >= 32:
        add_outer_32(gradient, place, columns, pre, post, walk)
        return 32
    if left >= 16:
        add_outer_16(gradient, place, columns, pre, post, walk)
        return 16
    add_outer_8(gradient, place, columns, pre, post, walk)
    return 8


@compiled_uncounted
def add_row(gradient, place, columns, left, pre, post, walk):  # type: ignore[no-untyped-def]
    """The same of one row."""
    if left >= 64:
        add_outer_row_64(gradient, place, columns, pre, post, walk)
        return 64
    if left >= 32:
        add_outer_row_32(gradient, place, columns, pre, post, walk)
        return 32
    if left >= 16:
        add_outer_row_16(gradient, place, columns, pre, post, walk)
        return 16
    add_outer_row_8(gradient, place, columns, pre, post, walk)
    return 8


@compiled_uncounted
def add_cells(gradient, place, columns, rows, left, pre, post, walk):  # type: ignore[no-untyped-def]
    """The same of `rows` rows and `left` columns, one by one."""
    lines, steps, pre_first, pre_line, pre_step, post_first, post_line, post_step = walk
    for row in range(rows):
        for column in range(left):
            total = np.int32(0)
            for i in range(lines):
                for j in range(steps):
                    one = pre[pre_first + i * pre_line + j * pre_step + row]
                    other = post[post_first + i * post_line + j * post_step + column]
                    low = np.int32(np.int32(np.int16(one)) * np.int32(np.int16(other)))
                    high = np.int32((one >> np.int32(16)) * (other >> np.int32(16)))
                    total = np.int32(total + np.int32(low + high))
            gradient[place + row * columns + column] += total
