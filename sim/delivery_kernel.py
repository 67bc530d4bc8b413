"""Compiled delivery of events: accumulators += weights * deltas, exactly, along every projection.

Several ways to one sum (docs/numerics.md, section 3, allows any order): *pushing* walks the rows of
the neurons that changed, in 16 bits where the plan proves that these suffice, in 32 elsewhere;
*pulling* walks the columns of a narrow target over all neurons, changed or not. A convolution has
*stencils*, pushed a position at a time. Any other projection that is not dense has *runs*, which
are pushed, as many lanes at a time as they have. Every other sum is cast (`a = np.int32(a + b)`,
not `a += b`): numba adds in 64 bits, which would halve or quarter the vectors that LLVM makes of a
loop.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled_uncounted
from toreq_hw.sim.stencil_kernel import push_stencil
from toreq_hw.sim.vector_kernel import multiply_add_8, multiply_add_16

NARROW = 32
"""Targets of fewer neurons leave most of a vector idle when rows are pushed."""

PULL_SHARE = 64
"""A narrow target pulls when at least one neuron in this many changed. Measured on 512 x 10:
pulling wins at 20 events and loses at 5."""

MIN_SHARED_ROWS = 4
"""Fewer rows than this per 16-bit sum do not pay for widening it."""

# Types stay out of the signatures: numba infers them.


@compiled_uncounted
def deliver(plan, source, first, deltas, events, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Delivers the changes of some neurons of population `source`; returns the weights walked.

    deltas: int16, the changes of the neurons from `first` on (within the population), `events`
    of them not zero. The version of every target is raised, so that a block with nothing new
    can be skipped.
    """
    walked = 0
    listed = False
    rows, packed = scratch.rows[:events], scratch.packed[:events]
    for projection in range(plan.projection_first[source], plan.projection_first[source + 1]):
        target = plan.projection_target[projection]
        size = plan.population_size[target]
        start = plan.population_start[target]
        sums = accumulator[start : start + size]
        shift = np.int32(plan.projection_shift[projection])
        back, has_runs = plan.projection_back[projection], plan.projection_runs[projection] >= 0
        scratch.version[target] += 1
        if back >= 0 and size < NARROW and events * PULL_SHARE >= len(deltas):
            pull(plan.weights[back + first :], plan.population_size[source], deltas, shift, sums)
            walked += size * events
            continue
        if plan.stencils.entry[projection] >= 0:
            stencils, pair, word = plan.stencils, scratch.pair, scratch.word
            walked += push_stencil(
                stencils, projection, plan.weights, first, deltas, shift, sums, pair, word
            )
            continue
        if not listed:
            collect(deltas, scratch.rows, scratch.packed)
            listed = True
        if has_runs:
            runs = (plan.run_target, plan.run_place, plan.run_length)
            begin = plan.run_first[plan.projection_runs[projection] + first :]
            length = plan.projection_run_length[projection]
            walked += push_runs(plan.weights, runs, begin, length, rows, packed, shift, sums)
            continue
        walked += size * events
        weights = plan.weights[plan.projection_weight[projection] + first * size :]
        shared = plan.projection_shared_rows[projection]
        if shared >= MIN_SHARED_ROWS:
            partial = scratch.partial[:size]
            push_narrow(weights, rows, packed, shared, shift, partial, sums)
        else:
            push_wide(weights, rows, packed, shift, sums)
    return walked


@compiled_uncounted
def push_runs(weights, runs, begin, length, rows, deltas, shift, sums):  # type: ignore[no-untyped-def]
    """Adds each event's delta << shift along its runs; returns the weights walked.

    runs: their targets, places and lengths. begin: where the runs of each row begin. length: of all
    runs, if they are alike, or 0. A multiple of 16 needs no look at each.
    """
    targets, places, lengths = runs
    walked = np.int64(0)
    for event in range(len(rows)):
        delta = np.int32(np.int32(deltas[event]) << shift)
        start, stop = begin[rows[event]], begin[rows[event] + 1]
        if length == 16:
            for run in range(start, stop):
                target, place = np.int64(targets[run]), np.int64(places[run])
                multiply_add_16(sums, target, weights, place, delta)
            walked += 16 * (stop - start)
        elif length > 0 and length % 16 == 0:
            for run in range(start, stop):
                target, place = np.int64(targets[run]), np.int64(places[run])
                for k in range(0, length, 16):
                    multiply_add_16(sums, target + k, weights, place + k, delta)
            walked += length * (stop - start)
        else:
            for run in range(start, stop):
                target, place = np.int64(targets[run]), np.int64(places[run])
                add_run(sums, target, weights, place, np.int64(lengths[run]), delta)
                walked += np.int64(lengths[run])
    return walked


@compiled_uncounted
def add_run(targets, first, sources, place, length, factor):  # type: ignore[no-untyped-def]
    """targets[first + k] += sources[place + k] * factor for each k of a run of any length.

    targets: int32. sources: int8, int16 or int32. factor: int32.
    """
    k = np.int64(0)
    while k + 16 <= length:
        multiply_add_16(targets, first + k, sources, place + k, factor)
        k += 16
    if k + 8 <= length:
        multiply_add_8(targets, first + k, sources, place + k, factor)
        k += 8
    while k < length:
        product = np.int32(np.int32(sources[place + k]) * factor)
        targets[first + k] = np.int32(targets[first + k] + product)
        k += 1


@compiled_uncounted
def collect(values, rows, packed):  # type: ignore[no-untyped-def]
    """Lists the non-zero entries of int16 `values` as (row, value); returns how many.

    Looks at four at a time, and writes without a branch: an entry that is zero is overwritten.
    """
    count = 0
    words = values[: len(values) // 4 * 4].view(np.int64)
    for word in range(len(words)):
        if words[word] != 0:
            for row in range(4 * word, 4 * word + 4):
                rows[count] = row
                packed[count] = values[row]
                count += values[row] != 0
    for row in range(4 * len(words), len(values)):
        rows[count] = row
        packed[count] = values[row]
        count += values[row] != 0
    return count


@compiled_uncounted
def push_narrow(weights, rows, deltas, shared, shift, partial, sums):  # type: ignore[no-untyped-def]
    """Adds (weights[rows] * deltas) << shift to `sums`, `shared` rows at a time summed in 16 bits.

    A 16-bit sum may wrap on its way, but what it ends at fits (see `Plan.projection_shared_rows`).
    """
    size = len(sums)
    for group in range(0, len(rows), shared):
        stop = min(group + shared, len(rows))
        fours = stop - (stop - group) % 4
        partial[:] = 0
        for event in range(group, fours, 4):
            b0, b1 = rows[event] * size, rows[event + 1] * size
            b2, b3 = rows[event + 2] * size, rows[event + 3] * size
            w0, w1 = weights[b0 : b0 + size], weights[b1 : b1 + size]
            w2, w3 = weights[b2 : b2 + size], weights[b3 : b3 + size]
            d0, d1, d2, d3 = deltas[event], deltas[event + 1], deltas[event + 2], deltas[event + 3]
            for k in range(len(partial)):
                partial[k] += np.int16(w0[k] * d0 + w1[k] * d1 + w2[k] * d2 + w3[k] * d3)
        for event in range(fours, stop):
            base = rows[event] * size
            weight = weights[base : base + size]
            delta = deltas[event]
            for k in range(len(partial)):
                partial[k] += np.int16(weight[k] * delta)
        for k in range(len(partial)):
            sums[k] += np.int32(np.int32(partial[k]) << shift)


@compiled_uncounted
def push_wide(weights, rows, deltas, shift, sums):  # type: ignore[no-untyped-def]
    """Adds (weights[rows] * deltas) << shift to `sums` in 32 bits, four rows a pass."""
    size = len(sums)
    fours = len(rows) // 4 * 4
    for event in range(0, fours, 4):
        b0, b1 = rows[event] * size, rows[event + 1] * size
        b2, b3 = rows[event + 2] * size, rows[event + 3] * size
        w0, w1 = weights[b0 : b0 + size], weights[b1 : b1 + size]
        w2, w3 = weights[b2 : b2 + size], weights[b3 : b3 + size]
        d0 = np.int32(np.int32(deltas[event]) << shift)
        d1 = np.int32(np.int32(deltas[event + 1]) << shift)
        d2 = np.int32(np.int32(deltas[event + 2]) << shift)
        d3 = np.int32(np.int32(deltas[event + 3]) << shift)
        for k in range(len(sums)):
            sums[k] += np.int32(
                np.int32(w0[k]) * d0
                + np.int32(w1[k]) * d1
                + np.int32(w2[k]) * d2
                + np.int32(w3[k]) * d3
            )
    for event in range(fours, len(rows)):
        base = rows[event] * size
        weight = weights[base : base + size]
        delta = np.int32(np.int32(deltas[event]) << shift)
        for k in range(len(sums)):
            sums[k] += np.int32(np.int32(weight[k]) * delta)


@compiled_uncounted
def pull(weights, stride, deltas, shift, sums):  # type: ignore[no-untyped-def]
    """Adds (weights[k * stride :] @ deltas) << shift to sums[k], for every k."""
    for k in range(len(sums)):
        column = weights[k * stride : k * stride + len(deltas)]
        total = np.int32(0)
        for j in range(len(deltas)):
            total = np.int32(total + np.int32(column[j]) * np.int32(deltas[j]))
        sums[k] += np.int32(total << shift)
