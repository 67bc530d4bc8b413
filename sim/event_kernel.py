"""Compiled event-driven relaxation of one sample: incremental accumulators, no matrix product.

An accumulator is an exact sum, so it can be kept up to date by adding W * delta for each
neighbour that changed; nothing else is ever recomputed. This is the lossless lazy mode of
docs/numerics.md, section 3, and what the hardware core does.
"""

import numpy as np
from numba import njit

from toreq_hw.sim.plan import Plan

INPUT = -2
"""Index into `fan_first` of the input's fans."""

# Types stay out of the signatures: numba infers them. Scratch arrays are made once a thread
# by `new_scratch`, because allocating in the loop costs more than relaxing a small network.


@njit(nogil=True, cache=True)
def deliver(plan, source, row, delta, accumulator, version):  # type: ignore[no-untyped-def]
    """Adds one event of neuron `row` of population `source` to all its neighbours.

    Returns the number of weights walked. `version` counts, per population, the events that
    reached it, so that a block with nothing new is skipped.
    """
    walked = 0
    for fan in range(plan.fan_first[source], plan.fan_first[source + 1]):
        target = plan.fan_target[fan]
        size = plan.population_size[target]
        start = plan.population_start[target]
        step = np.int32(delta << plan.fan_shift[fan])
        first = plan.fan_weight[fan] + row * size
        weights = plan.weights[first : first + size]
        sums = accumulator[start : start + size]
        for k in range(size):
            sums[k] += np.int32(weights[k]) * step
        version[target] += 1
        walked += size
    return walked


@njit(nogil=True, cache=True)
def present(plan, inputs, states, drive, output_start, accumulator, version):  # type: ignore[no-untyped-def]
    """Builds the accumulators of a start: bias, inputs, standing states and drive."""
    accumulator[:] = plan.bias
    version[:] = 1
    source = len(plan.fan_first) + INPUT
    for row in range(len(inputs)):
        if inputs[row] != 0:
            deliver(plan, source, row, np.int64(inputs[row]), accumulator, version)
    for population in range(len(plan.population_start)):
        start = plan.population_start[population]
        for row in range(plan.population_size[population]):
            if states[start + row] != 0:
                deliver(plan, population, row, np.int64(states[start + row]), accumulator, version)
    for k in range(len(drive)):
        accumulator[output_start + k] += drive[k]


@njit(nogil=True, cache=True)
def relax(plan, states, accumulator, rules, scratch, changes, recorded):  # type: ignore[no-untyped-def]
    """Relaxes in place from consistent accumulators until a whole sweep changes nothing.

    rules: (threshold, max_sweeps, detects_cycles). changes: int64 (capacity, 4), filled from
    row `recorded` with tick, neuron, before, after while there is room.
    Returns (sweeps, status, events, synops, recorded), status as in `Status`.
    """
    threshold, max_sweeps, detects_cycles = rules
    sent, updated, queue, seen, version, before_sweep, two_sweeps_ago = scratch
    sent[:] = states
    seen[:] = 0
    events = 0
    synops = 0
    tick = 0
    for sweep in range(1, max_sweeps + 1):
        changed = False
        if detects_cycles:
            before_sweep[:] = states
        for colour in range(len(plan.colour_first) - 1):
            tick += 1
            queued = 0
            for block in range(plan.colour_first[colour], plan.colour_first[colour + 1]):
                population = plan.block_population[block]
                if seen[block] == version[population]:
                    continue
                seen[block] = version[population]
                start, stop = plan.block_start[block], plan.block_stop[block]
                round_block(plan, population, start, stop, accumulator, updated)
                for i in range(start, stop):
                    new = updated[i]
                    if new == states[i]:
                        continue
                    changed = True
                    if recorded < len(changes):
                        changes[recorded, 0] = tick
                        changes[recorded, 1] = i
                        changes[recorded, 2] = states[i]
                        changes[recorded, 3] = new
                    recorded += 1
                    states[i] = new
                    if abs(new - sent[i]) > threshold:
                        queue[queued, 0] = population
                        queue[queued, 1] = i
                        queued += 1
            for entry in range(queued):
                population, i = queue[entry, 0], queue[entry, 1]
                delta = np.int64(states[i]) - sent[i]
                sent[i] = states[i]
                row = i - plan.population_start[population]
                synops += deliver(plan, population, row, delta, accumulator, version)
            events += queued
        if not changed:
            return sweep, 0, events, synops, recorded
        if detects_cycles:
            if sweep > 1 and np.array_equal(states, two_sweeps_ago):
                return sweep, 1, events, synops, recorded
            two_sweeps_ago[:] = before_sweep
    return max_sweeps, 2, events, synops, recorded


@njit(nogil=True, cache=True)
def round_block(plan, population, start, stop, accumulator, updated):  # type: ignore[no-untyped-def]
    """States of a block from its accumulators, the compiled twin of `fixed_point.to_state`."""
    shift = np.int32(plan.fraction_bits[population])
    half = np.int32(plan.half[population])
    low = np.int32(plan.state_min[population])
    high = np.int32(plan.state_max[population])
    for i in range(start, stop):
        updated[i] = min(max((accumulator[i] + half) >> shift, low), high)


@njit(nogil=True, cache=True)
def relax_samples(  # type: ignore[no-untyped-def]
    plan, inputs, drive, output_start, rules, states, scratch, counters, changes, first_change
):
    """Relaxes a run of samples; `states` int16 (batch, neurons) goes in and comes out.

    counters: int64 (batch, 5), filled with sweeps, status, events, synops, changes.
    changes: int64 (batch total, 4) or empty; sample k records from row first_change[k].
    """
    accumulator = np.empty(states.shape[1], dtype=np.int32)
    version = scratch[4]
    for sample in range(len(states)):
        present(
            plan, inputs[sample], states[sample], drive[sample], output_start, accumulator, version
        )
        room = changes[first_change[sample] :]
        counters[sample, 0], counters[sample, 1], counters[sample, 2], counters[sample, 3], n = (
            relax(plan, states[sample], accumulator, rules, scratch, room, 0)
        )
        counters[sample, 4] = n


def new_scratch(plan: Plan):  # type: ignore[no-untyped-def]
    """Working memory of one thread, in the order `relax` unpacks it."""
    neurons, blocks = len(plan.bias), len(plan.block_start)
    return (
        np.empty(neurons, dtype=np.int16),  # sent
        np.empty(neurons, dtype=np.int32),  # updated
        np.empty((neurons, 2), dtype=np.int64),  # queue
        np.empty(blocks, dtype=np.int64),  # seen
        np.empty(len(plan.population_start), dtype=np.int64),  # version
        np.empty(neurons, dtype=np.int16),  # before_sweep
        np.empty(neurons, dtype=np.int16),  # two_sweeps_ago
    )
