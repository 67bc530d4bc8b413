"""Compiled relaxation under a disturbance: the twin of `perturbation.reference`.

Compiled apart from `event_kernel`, whose undisturbed path stays as it is.
"""

import numpy as np

from toreq_hw.sim.compiled import compiled
from toreq_hw.sim.event_kernel import deliver, present
from toreq_hw.sim.perturbation.disturbance import FREE, Fault
from toreq_hw.sim.perturbation.draws import noise_int

_STATE_FLIP = int(Fault.STATE_FLIP)
_ACCUMULATOR_FLIP = int(Fault.ACCUMULATOR_FLIP)
_EVENT_DROP = int(Fault.EVENT_DROP)
_EVENT_DUPLICATE = int(Fault.EVENT_DUPLICATE)


@compiled
def rounded(value, shift):  # type: ignore[no-untyped-def]
    """To the nearest multiple of 2^shift, halves up."""
    return ((value + ((np.int64(1) << shift) >> 1)) >> shift) << shift


@compiled
def flipped(state, mask, low, high):  # type: ignore[no-untyped-def]
    """A state word XOR mask; signed words wrap and read as the smallest below it."""
    if mask == 0:
        return state
    if low == 0:
        return (state ^ mask) & high
    size = 2 * (np.int64(high) + 1)
    word = (state ^ mask) & (size - 1)
    if word > high:
        word -= size
    return max(word, low)


@compiled
def updated(  # type: ignore[no-untyped-def]
    plan, population, i, accumulator, stuck, inverted, converter, noise, noise_scale, sample, tick
):
    """The new state of neuron i; noise: int64 (sources, 3) of octaves, last tick, seed."""
    if stuck[i] != FREE:
        return np.int64(stuck[i])
    total = np.int64(accumulator[i])
    for source in range(len(noise)):
        if tick <= noise[source, 1]:
            total += noise_int(
                noise_scale[source, i], noise[source, 0], noise[source, 2], sample, tick, i
            )
    total = min(max(rounded(total, converter[i, 0]), converter[i, 1]), converter[i, 2])
    low, high = plan.state_min[population], plan.state_max[population]
    state = min(max((total + plan.half[population]) >> plan.fraction_bits[population], low), high)
    state = min(max(rounded(state, converter[i, 3]), low), high)
    return flipped(state, np.int64(inverted[i]), low, high)


@compiled
def noted(room, recorded, tick, neuron, before, after):  # type: ignore[no-untyped-def]
    """Writes one change of a trace while there is room; returns how many there were."""
    if recorded < len(room):
        room[recorded, 0] = tick
        room[recorded, 1] = neuron
        room[recorded, 2] = before
        room[recorded, 3] = after
    return recorded + 1


@compiled
def relax_disturbed(  # type: ignore[no-untyped-def]
    plan,
    inputs,
    drive,
    output_start,
    max_sweeps,
    states,
    scratch,
    counters,
    changes,
    first_change,
    first_sample,
    first_fault,
    faults,
    quiet_after,
    stuck,
    inverted,
    frozen_from,
    converter,
    noise,
    noise_scale,
):
    """Relaxes a run of samples, as `event_kernel.relax_samples` does.

    first_sample: number of the first one in the whole batch. first_fault: int64 (batch + 1,),
    where each sample's lines begin in `faults`.
    """
    neurons = states.shape[1]
    accumulator = np.empty(neurons, dtype=np.int32)
    population_of = np.empty(neurons, dtype=np.int64)
    for p in range(len(plan.population_start)):
        start = plan.population_start[p]
        population_of[start : start + plan.population_size[p]] = p
    new = np.empty(neurons, dtype=np.int64)
    times = np.ones(neurons, dtype=np.int64)
    queue = np.empty(neurons, dtype=np.int64)
    rows, deltas = scratch.rows, scratch.deltas
    colours = len(plan.colour_first) - 1
    for local in range(len(states)):
        sample = first_sample + local
        state = states[local]
        present(plan, inputs[local], state, drive[local], output_start, accumulator, scratch)
        line, last_line = first_fault[local], first_fault[local + 1]
        events = synops = recorded = np.int64(0)
        room = changes[first_change[local] :]
        sweeps, status, tick = np.int64(max_sweeps), np.int64(2), np.int64(0)
        for sweep in range(1, max_sweeps + 1):
            changed = False
            for colour in range(colours):
                tick += 1
                first_line = line
                while line < last_line and faults[line, 1] == tick:
                    i, fault, bit = faults[line, 2], faults[line, 3], faults[line, 4]
                    line += 1
                    p = population_of[i]
                    if fault == _ACCUMULATOR_FLIP:
                        accumulator[i] ^= np.int32(np.uint32(1) << np.uint32(bit))
                    elif fault == _EVENT_DROP:
                        times[i] = 0
                    elif fault == _EVENT_DUPLICATE:
                        if times[i] != 0:
                            times[i] = 2
                    elif stuck[i] == FREE:
                        before = np.int64(state[i])
                        low, high = plan.state_min[p], plan.state_max[p]
                        after = flipped(before, np.int64(1) << bit, low, high)
                        if after != before:
                            changed = True
                            recorded = noted(room, recorded, tick, i, before, after)
                            state[i] = after
                            if fault == _STATE_FLIP:
                                rows[0] = i - plan.population_start[p]
                                deltas[0] = after - before
                                deliver(plan, p, rows[:1], deltas[:1], accumulator, scratch.version)
                queued = 0
                if tick < frozen_from[colour]:
                    for block in range(plan.colour_first[colour], plan.colour_first[colour + 1]):
                        p = plan.block_population[block]
                        for i in range(plan.block_start[block], plan.block_stop[block]):
                            new[i] = updated(
                                plan,
                                p,
                                i,
                                accumulator,
                                stuck,
                                inverted,
                                converter,
                                noise,
                                noise_scale,
                                sample,
                                tick,
                            )
                            if new[i] != state[i]:
                                queue[queued] = i
                                queued += 1
                entry = 0
                while entry < queued:
                    p = population_of[queue[entry]]
                    count = doubled = 0
                    while entry < queued and population_of[queue[entry]] == p:
                        i = queue[entry]
                        entry += 1
                        recorded = noted(room, recorded, tick, i, np.int64(state[i]), new[i])
                        if times[i] != 0:
                            rows[count] = i - plan.population_start[p]
                            deltas[count] = (new[i] - state[i]) * times[i]
                            count += 1
                            doubled += times[i] - 1
                        state[i] = new[i]
                    if count:
                        walked = deliver(
                            plan, p, rows[:count], deltas[:count], accumulator, scratch.version
                        )
                        synops += walked + doubled * (walked // count)
                changed |= queued > 0
                events += queued
                for hit in range(first_line, line):
                    times[faults[hit, 2]] = 1
            if not changed and (sweep - 1) * colours >= quiet_after:
                sweeps, status = sweep, 0
                break
        counters[local, 0], counters[local, 1] = sweeps, status
        counters[local, 2], counters[local, 3], counters[local, 4] = events, synops, recorded
