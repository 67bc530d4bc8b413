"""Compiled delivery along stencils: all changes of a position at once, two channels at a time.

The sums of a span stay in registers while the channels that changed are walked. Two neighbouring
channels are one 32-bit word of two 16-bit changes; a pair in which nothing changed is left out.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled_uncounted
from toreq_hw.sim.pair_kernel import (
    CHANNELS,
    add_pairs_8,
    add_pairs_16,
    add_pairs_32,
    add_pairs_64,
    add_pairs_128,
    count_ones,
    lowest_one,
    nonzero_mask,
)

EVEN = 0x55555555
"""The bits of even numbers below `CHANNELS`."""

# Types stay out of the signatures: numba infers them.


@compiled_uncounted
def push_stencil(stencils, projection, weights, first, deltas, shift, sums, pair, word):  # type: ignore[no-untyped-def]
    """Adds (weights * deltas) << shift to `sums` along one projection; returns the weights walked.

    first: the neuron of the source that deltas[0] is of. pair, word: int32, working memory.
    """
    channels, entry = stencils.channels[projection], stencils.entry[projection]
    walked = np.int64(0)
    position = first // channels
    begin = position * channels - first
    while begin < len(deltas):
        if channels == 1 and deltas[begin] == 0:
            position += 1
            begin += 1
            continue
        count, events = list_pairs(deltas, begin, channels, pair, word)
        if count > 0:
            for span in range(
                stencils.first[entry + position], stencils.first[entry + position + 1]
            ):
                lanes = np.int64(stencils.lanes[span])
                walked += events * lanes
                add_span(
                    sums,
                    np.int64(stencils.target[span]),
                    weights,
                    np.int64(stencils.place[span]),
                    np.int64(stencils.stride[span]),
                    lanes,
                    pair,
                    word,
                    count,
                    shift,
                )
        position += 1
        begin += channels
    return walked


@compiled_uncounted
def list_pairs(deltas, begin, channels, pair, word):  # type: ignore[no-untyped-def]
    """Lists the pairs of channels of a position that changed: number and both changes.

    begin: where the position's first channel is in `deltas`, which may hold a part of the position.
    Returns (pairs, changes).
    """
    count, events = np.int64(0), np.int64(0)
    if channels % 2 == 0 and begin >= 0 and begin + channels <= len(deltas):
        for block in range(0, channels, CHANNELS):
            mask = nonzero_mask(deltas, begin + block, min(CHANNELS, channels - block))
            events += count_ones(mask)
            mask = (mask | mask >> 1) & EVEN
            while mask != 0:
                k = block + lowest_one(mask)
                low, high = np.int32(deltas[begin + k]), np.int32(deltas[begin + k + 1])
                pair[count] = k >> 1
                word[count] = np.int32((low & np.int32(0xFFFF)) | (high << np.int32(16)))
                count += 1
                mask &= mask - 1
        return count, events
    for k in range(0, channels, 2):
        low, high = np.int32(0), np.int32(0)
        if 0 <= begin + k < len(deltas):
            low = np.int32(deltas[begin + k])
        if k + 1 < channels and 0 <= begin + k + 1 < len(deltas):
            high = np.int32(deltas[begin + k + 1])
        both = np.int32((low & 0xFFFF) | (high << 16))
        pair[count] = k // 2
        word[count] = both
        count += both != 0
        events += (low != 0) + (high != 0)
    return count, events


@compiled_uncounted
def add_span(sums, target, weights, place, stride, lanes, pair, word, count, shift):  # type: ignore[no-untyped-def]
    """Adds what `count` listed pairs send along one span; see `add_pairs_128` for the sums."""
    k = np.int64(0)
    while k + 128 <= lanes:
        add_pairs_128(sums, target + k, weights, place + 2 * k, stride, pair, word, count, shift)
        k += 128
    if k + 64 <= lanes:
        add_pairs_64(sums, target + k, weights, place + 2 * k, stride, pair, word, count, shift)
        k += 64
    if k + 32 <= lanes:
        add_pairs_32(sums, target + k, weights, place + 2 * k, stride, pair, word, count, shift)
        k += 32
    if k + 16 <= lanes:
        add_pairs_16(sums, target + k, weights, place + 2 * k, stride, pair, word, count, shift)
        k += 16
    if k + 8 <= lanes:
        add_pairs_8(sums, target + k, weights, place + 2 * k, stride, pair, word, count, shift)
        k += 8
    while k < lanes:
        total = np.int32(0)
        for event in range(count):
            there = place + np.int64(pair[event]) * stride + 2 * k
            low = np.int32(np.int16(word[event]))
            high = np.int32(word[event] >> np.int32(16))
            both = np.int32(weights[there]) * low + np.int32(weights[there + 1]) * high
            total = np.int32(total + both)
        sums[target + k] = np.int32(sums[target + k] + np.int32(total << shift))
        k += 1
