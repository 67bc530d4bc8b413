"""Compiled event-driven relaxation of one sample: incremental accumulators, no matrix product.

An accumulator is an exact sum, so it can be kept up to date by adding W * delta for each
neighbour that changed; nothing else is ever recomputed. This is the lossless lazy mode of
docs/numerics.md, section 3, and what the hardware core does.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.plan import Plan

INPUT = -2
"""Index into `fan_first` of the input's fans."""

# Types stay out of the signatures: numba infers them.


@compiled
def deliver(plan, source, rows, deltas, accumulator, version):  # type: ignore[no-untyped-def]
    """Adds events of population `source` to all its neighbours; returns the weights walked.

    rows, deltas: the neurons (within the population) and their changes. Four events share a
    pass over the accumulators; the sum is exact, so their order does not matter. `version`
    counts deliveries per population, so that a block with nothing new is skipped.
    """
    walked = 0
    events = len(rows)
    for fan in range(plan.fan_first[source], plan.fan_first[source + 1]):
        target = plan.fan_target[fan]
        size = plan.population_size[target]
        start = plan.population_start[target]
        sums = accumulator[start : start + size]
        shift = np.int32(plan.fan_shift[fan])
        weights = plan.weights[plan.fan_weight[fan] :]
        for event in range(0, events - 3, 4):
            b0, b1 = rows[event] * size, rows[event + 1] * size
            b2, b3 = rows[event + 2] * size, rows[event + 3] * size
            w0, w1 = weights[b0 : b0 + size], weights[b1 : b1 + size]
            w2, w3 = weights[b2 : b2 + size], weights[b3 : b3 + size]
            d0, d1 = np.int32(deltas[event] << shift), np.int32(deltas[event + 1] << shift)
            d2, d3 = np.int32(deltas[event + 2] << shift), np.int32(deltas[event + 3] << shift)
            for k in range(size):
                sums[k] += np.int32(
                    np.int32(w0[k]) * d0
                    + np.int32(w1[k]) * d1
                    + np.int32(w2[k]) * d2
                    + np.int32(w3[k]) * d3
                )
        for event in range(events - events % 4, events):
            base = rows[event] * size
            weight = weights[base : base + size]
            delta = np.int32(deltas[event] << shift)
            for k in range(size):
                sums[k] += np.int32(weight[k]) * delta
        version[target] += 1
        walked += size * events
    return walked


@compiled
def collect(states, rows, deltas):  # type: ignore[no-untyped-def]
    """Lists the non-zero states as events from rest; returns how many."""
    count = 0
    for row in range(len(states)):
        if states[row] != 0:
            rows[count] = row
            deltas[count] = states[row]
            count += 1
    return count


@compiled
def present(plan, inputs, states, drive, output_start, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Builds the accumulators of a start: bias, inputs, standing states and drive."""
    rows, deltas, version = scratch.rows, scratch.deltas, scratch.version
    accumulator[:] = plan.bias
    version[:] = 1
    count = collect(inputs, rows, deltas)
    source = len(plan.fan_first) + INPUT
    deliver(plan, source, rows[:count], deltas[:count], accumulator, version)
    for population in range(len(plan.population_start)):
        start = plan.population_start[population]
        stop = start + plan.population_size[population]
        count = collect(states[start:stop], rows, deltas)
        if count:
            deliver(plan, population, rows[:count], deltas[:count], accumulator, version)
    for k in range(len(drive)):
        accumulator[output_start + k] += drive[k]


@compiled
def relax(plan, states, accumulator, rules, scratch, changes):  # type: ignore[no-untyped-def]
    """Relaxes in place from consistent accumulators until a whole sweep changes nothing.

    rules: (threshold, max_sweeps, detects_cycles). changes: int64 (capacity, 4), filled with
    tick, neuron, before, after while there is room.
    Returns (sweeps, status, events, synops, changes), status as in `Status`.
    """
    threshold, max_sweeps, detects_cycles = rules
    scratch.sent[:] = states
    scratch.seen[:] = 0
    events = 0
    synops = 0
    changed = 0
    tick = 0
    for sweep in range(1, max_sweeps + 1):
        changed_before = changed
        if detects_cycles:
            scratch.before_sweep[:] = states
        for colour in range(len(plan.colour_first) - 1):
            tick += 1
            first_block, last_block = plan.colour_first[colour], plan.colour_first[colour + 1]
            queued = 0
            for block in range(first_block, last_block):
                population = plan.block_population[block]
                scratch.queue_first[block] = queued
                if scratch.seen[block] != scratch.version[population]:
                    scratch.seen[block] = scratch.version[population]
                    changed = update_block(
                        plan, block, states, accumulator, scratch, tick, changes, changed
                    )
                    queued = enqueue(plan, block, states, scratch, threshold, queued)
            scratch.queue_first[last_block] = queued
            for block in range(first_block, last_block):
                first, last = scratch.queue_first[block], scratch.queue_first[block + 1]
                if first < last:
                    synops += deliver(
                        plan,
                        plan.block_population[block],
                        scratch.rows[first:last],
                        scratch.deltas[first:last],
                        accumulator,
                        scratch.version,
                    )
            events += queued
        if changed == changed_before:
            return sweep, 0, events, synops, changed
        if detects_cycles:
            if sweep > 1 and np.array_equal(states, scratch.two_sweeps_ago):
                return sweep, 1, events, synops, changed
            scratch.two_sweeps_ago[:] = scratch.before_sweep
    return max_sweeps, 2, events, synops, changed


@compiled
def update_block(plan, block, states, accumulator, scratch, tick, changes, changed):  # type: ignore[no-untyped-def]
    """Sets a block's states from its accumulators; returns the changes seen so far."""
    start, stop = plan.block_start[block], plan.block_stop[block]
    old, new = states[start:stop], scratch.updated[start:stop]
    round_block(plan, plan.block_population[block], accumulator[start:stop], new)
    if changed < len(changes):
        for i in range(len(new)):
            if new[i] != old[i] and changed < len(changes):
                changes[changed, 0] = tick
                changes[changed, 1] = start + i
                changes[changed, 2] = old[i]
                changes[changed, 3] = new[i]
                changed += 1
            old[i] = new[i]
        return changed
    count = np.int32(0)
    for i in range(len(new)):
        count += np.int32(new[i] != old[i])
        old[i] = new[i]
    return changed + count


@compiled
def enqueue(plan, block, states, scratch, threshold, queued):  # type: ignore[no-untyped-def]
    """Queues every neuron of a block that moved further than the threshold since it sent."""
    start, stop = plan.block_start[block], plan.block_stop[block]
    first = start - plan.population_start[plan.block_population[block]]
    now, sent = states[start:stop], scratch.sent[start:stop]
    rows, deltas = scratch.rows[queued:], scratch.deltas[queued:]
    count = 0
    for i in range(len(now)):
        delta = np.int32(np.int32(now[i]) - np.int32(sent[i]))
        if abs(delta) > threshold:
            rows[count] = first + i
            deltas[count] = delta
            sent[i] = now[i]
            count += 1
    return queued + count


@compiled
def round_block(plan, population, accumulator, updated):  # type: ignore[no-untyped-def]
    """States of a block from its accumulators, the compiled twin of `fixed_point.to_state`."""
    shift = np.int32(plan.fraction_bits[population])
    half = np.int32(plan.half[population])
    low = np.int32(plan.state_min[population])
    high = np.int32(plan.state_max[population])
    for i in range(len(updated)):
        rounded = np.int32(np.int32(accumulator[i] + half) >> shift)
        updated[i] = np.int16(min(max(rounded, low), high))


@compiled
def relax_samples(  # type: ignore[no-untyped-def]
    plan, inputs, drive, output_start, rules, states, scratch, counters, changes, first_change
):
    """Relaxes a run of samples; `states` int16 (batch, neurons) goes in and comes out.

    counters: int64 (batch, 5), filled with sweeps, status, events, synops, changes.
    changes: int64 (batch total, 4) or empty; sample k records from row first_change[k].
    """
    accumulator = np.empty(states.shape[1], dtype=np.int32)
    for sample in range(len(states)):
        own = states[sample]
        present(plan, inputs[sample], own, drive[sample], output_start, accumulator, scratch)
        room = changes[first_change[sample] :]
        counters[sample] = relax(plan, own, accumulator, rules, scratch, room)


class Scratch(NamedTuple):
    """Working memory of one thread; allocating it per sample would cost more than relaxing.

    sent, updated: last sent and newly computed state per neuron. rows, deltas: the queue of
    one colour, the events of block b from queue_first[b] on. seen: the version of its
    population that a block was last updated with.
    """

    sent: npt.NDArray[np.int16]
    updated: npt.NDArray[np.int16]
    rows: npt.NDArray[np.int64]
    deltas: npt.NDArray[np.int32]
    queue_first: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int64]
    version: npt.NDArray[np.int64]
    before_sweep: npt.NDArray[np.int16]
    two_sweeps_ago: npt.NDArray[np.int16]


def new_scratch(plan: Plan, inputs: int) -> Scratch:
    """Fresh working memory for a network with `inputs` input neurons."""
    neurons, blocks = len(plan.bias), len(plan.block_start)
    queue = max(neurons, inputs)
    return Scratch(
        sent=np.empty(neurons, dtype=np.int16),
        updated=np.empty(neurons, dtype=np.int16),
        rows=np.empty(queue, dtype=np.int64),
        deltas=np.empty(queue, dtype=np.int32),
        queue_first=np.empty(blocks + 1, dtype=np.int64),
        seen=np.empty(blocks, dtype=np.int64),
        version=np.empty(len(plan.population_start), dtype=np.int64),
        before_sweep=np.empty(neurons, dtype=np.int16),
        two_sweeps_ago=np.empty(neurons, dtype=np.int16),
    )
