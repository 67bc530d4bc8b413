"""Compiled event-driven relaxation of one sample: incremental accumulators, no matrix product.

An accumulator is an exact sum, so it can be kept up to date by adding W * delta for each
neighbour that changed; nothing else is ever recomputed. This is the lossless lazy mode of
docs/numerics.md, section 3, and what the hardware core does.
"""

from typing import NamedTuple

import numpy as np

from toreq_hw.contract.cycles import Cycles
from toreq_hw.sim.compiled import compiled, compiled_inline, compiled_uncounted
from toreq_hw.sim.delivery_kernel import deliver
from toreq_hw.sim.term_kernel import deliver_terms, present_terms, update_rows

OF_TWO = int(Cycles.OF_TWO)

INPUT = -2
"""Index into `projection_first` of the input's projections."""

# Types stay out of the signatures: numba infers them.


@compiled_uncounted
def present(plan, inputs, states, drive, output_start, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Builds the accumulators of a start: bias, inputs, standing states and drive.

    Returns the number of non-zero inputs.
    """
    copy(accumulator, plan.bias)
    scratch.version[:] = 1
    source = len(plan.projection_first) + INPUT
    input_events = count_nonzero(inputs)
    deliver(plan, source, 0, inputs, input_events, accumulator, scratch)
    for population in range(len(plan.population_start)):
        start = plan.population_start[population]
        standing = states[start : start + plan.population_size[population]]
        events = count_nonzero(standing)
        if events:
            deliver(plan, population, 0, standing, events, accumulator, scratch)
    if len(plan.terms.scores) > 0:
        present_terms(plan, states, accumulator, scratch)
    for k in range(len(drive)):
        accumulator[output_start + k] += drive[k]
    return input_events


@compiled_uncounted
def copy(target, source):  # type: ignore[no-untyped-def]
    """Sets target[:] = source. That form would ask the allocator for room in case the two overlap.
    With it numba would also compile the text of an error on shapes.
    """
    for k in range(len(target)):
        target[k] = source[k]


@compiled_uncounted
def same(a, b):  # type: ignore[no-untyped-def]
    """Whether two state vectors are equal."""
    for i in range(len(a)):  # noqa: SIM110 (numba has no all() over a generator)
        if a[i] != b[i]:
            return False
    return True


@compiled_uncounted
def count_nonzero(values):  # type: ignore[no-untyped-def]
    """How many of `values` are not zero."""
    count = np.int32(0)
    for k in range(len(values)):
        count = np.int32(count + np.int32(values[k] != 0))
    return np.int64(count)


@compiled_uncounted
def relax(plan, states, accumulator, rules, scratch, changes):  # type: ignore[no-untyped-def]
    """Relaxes in place from consistent accumulators until a whole sweep changes nothing.

    rules: `Rules`. changes: int64 (capacity, 4), filled with tick, neuron, before, after while
    there is room.
    Returns (sweeps, status, events, synops, changes), status as in `Status`.
    """
    threshold, max_sweeps, cycles = rules.threshold, rules.max_sweeps, rules.cycles
    copy(scratch.sent, states)
    scratch.seen[:] = 0
    events = 0
    synops = 0
    changed = 0
    tick = 0
    for sweep in range(1, max_sweeps + 1):
        changed_before = changed
        if cycles == OF_TWO:
            copy(scratch.before_sweep, states)
        for colour in range(len(plan.colour_first) - 1):
            tick += 1
            moved, sent, walked = update_colour(
                plan, colour, states, accumulator, threshold, scratch, tick, changes[changed:]
            )
            changed += moved
            events += sent
            synops += walked
        if changed == changed_before:
            return sweep, 0, events, synops, changed
        if cycles:
            if sweep > 1 and same(states, scratch.kept):
                return sweep, 1, events, synops, changed
            if cycles == OF_TWO:
                copy(scratch.kept, scratch.before_sweep)
            elif sweep & (sweep - 1) == 0:
                copy(scratch.kept, states)
    return max_sweeps, 2, events, synops, changed


@compiled_inline
def update_colour(plan, colour, states, accumulator, threshold, scratch, tick, changes):  # type: ignore[no-untyped-def]
    """One tick: updates a colour in place, then delivers what its neurons send.

    Returns (neurons that changed, events, weights walked).
    """
    changed = 0
    events = 0
    synops = 0
    blocks = range(plan.colour_first[colour], plan.colour_first[colour + 1])
    for block in blocks:
        population = plan.block_population[block]
        scratch.sending[block] = 0
        if scratch.seen[block] != scratch.version[population]:
            scratch.seen[block] = scratch.version[population]
            moved, scratch.sending[block] = update_block(
                plan, block, states, accumulator, threshold, scratch, tick, changes[changed:]
            )
            changed += moved
    for block in blocks:
        if scratch.sending[block]:
            synops += send_block(plan, block, accumulator, scratch)
            events += scratch.sending[block]
    return changed, events, synops


@compiled
def begin_sample(plan, inputs, states, drive, output_start, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Presents one sample that is then taken tick by tick; see `present` for the arguments."""
    present(plan, inputs, states, drive, output_start, accumulator, scratch)
    copy(scratch.sent, states)
    scratch.seen[:] = 0


@compiled
def tick_sample(plan, colour, states, accumulator, threshold, scratch, tick, changes):  # type: ignore[no-untyped-def]
    """One tick of one sample; see `update_colour`, and `record` for what `changes` takes."""
    return update_colour(plan, colour, states, accumulator, threshold, scratch, tick, changes)


@compiled_uncounted
def send_block(plan, block, accumulator, scratch):  # type: ignore[no-untyped-def]
    """Delivers what a block's neurons send in this tick; returns the weights walked."""
    start, stop = plan.block_start[block], plan.block_stop[block]
    population = plan.block_population[block]
    first = start - plan.population_start[population]
    deltas = scratch.deltas[start:stop]
    walked = deliver(plan, population, first, deltas, scratch.sending[block], accumulator, scratch)
    if len(plan.terms.scores) > 0:
        walked += deliver_terms(plan, population, first, deltas, scratch.sent, accumulator, scratch)
    return walked


@compiled_uncounted
def update_block(plan, block, states, accumulator, threshold, scratch, tick, changes):  # type: ignore[no-untyped-def]
    """Sets a block's states from its accumulators and `scratch.deltas` to what it sends.

    Returns (neurons that changed, neurons that send).
    """
    start, stop = plan.block_start[block], plan.block_stop[block]
    population = plan.block_population[block]
    now, before = states[start:stop], scratch.before[start:stop]
    tracing = len(changes) > 0
    if tracing:
        copy(before, now)
    if plan.rows.length[population] > 0:
        counts = update_rows(plan, population, start, stop, states, accumulator, scratch)
        if tracing:
            record(before, now, start, tick, changes)
        return counts
    counts = update(
        accumulator[start:stop],
        np.int32(plan.fraction_bits[population]),
        np.int32(plan.half[population]),
        np.int32(plan.state_min[population]),
        np.int32(plan.state_max[population]),
        np.int32(threshold),
        now,
        scratch.sent[start:stop],
        scratch.deltas[start:stop],
    )
    if tracing:
        record(before, now, start, tick, changes)
    return counts


@compiled_uncounted
def update(sums, fraction_bits, half, low, high, threshold, states, sent, deltas):  # type: ignore[no-untyped-def]
    """States from accumulators, the compiled form of `arithmetic.to_state`, and what is sent.

    A neuron sends its change since it last sent where that is further than the threshold, else 0.
    Returns (neurons that changed, neurons that send).
    """
    changed, sending = np.int32(0), np.int32(0)
    for i in range(len(states)):
        rounded = np.int32(np.int32(sums[i] + half) >> fraction_bits)
        new = np.int32(min(max(rounded, low), high))
        changed = np.int32(changed + np.int32(new != np.int32(states[i])))
        states[i] = new
        delta = np.int32(new - np.int32(sent[i]))
        delta = delta if abs(delta) > threshold else np.int32(0)
        sending = np.int32(sending + np.int32(delta != 0))
        sent[i] += np.int16(delta)
        deltas[i] = delta
    return changed, sending


@compiled_uncounted
def record(before, after, start, tick, changes):  # type: ignore[no-untyped-def]
    """Writes (tick, neuron, before, after) of every change of a block, while there is room."""
    count = 0
    for i in range(len(after)):
        if after[i] != before[i] and count < len(changes):
            changes[count, 0] = tick
            changes[count, 1] = start + i
            changes[count, 2] = before[i]
            changes[count, 3] = after[i]
            count += 1


@compiled_uncounted
def store_counters(counters, counts):  # type: ignore[no-untyped-def]
    """counters[:5] = counts, with which numba would compile the words of an error on shapes."""
    sweeps, status, events, synops, changes = counts
    counters[0], counters[1], counters[2] = sweeps, status, events
    counters[3], counters[4] = synops, changes


@compiled
def relax_samples(  # type: ignore[no-untyped-def]
    plan, inputs, drive, output_start, rules, states, scratch, counters, changes, first_change
):
    """Relaxes a run of samples; `states` int16 (batch, neurons) goes in and comes out.

    counters: int64 (batch, 6), filled with sweeps, status, events, synops, changes, input events.
    changes: int64 (batch total, 4) or empty; sample k records from row first_change[k].
    """
    accumulator = np.empty(states.shape[1], dtype=np.int32)
    for sample in range(len(states)):
        own = states[sample]
        counters[sample, 5] = present(
            plan, inputs[sample], own, drive[sample], output_start, accumulator, scratch
        )
        room = changes[first_change[sample] :]
        store_counters(counters[sample], relax(plan, own, accumulator, rules, scratch, room))


class Rules(NamedTuple):
    """When a phase sends and ends; see docs/numerics.md, sections 3 and 4. cycles: of `Cycles`."""

    threshold: int
    max_sweeps: int
    cycles: int
