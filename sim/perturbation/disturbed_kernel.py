"""Compiled relaxation under a disturbance: the compiled form of `perturbation.reference`.

Compiled apart from `event_kernel`, whose undisturbed path stays as it is.
"""

import numpy as np

from toreq_hw.contract.arithmetic import WORD_SIGN
from toreq_hw.contract.arithmetic_kernel import flip_bits, flip_state
from toreq_hw.contract.faults import FREE, Fault
from toreq_hw.sim.compiled import compiled, compiled_inline, compiled_uncounted
from toreq_hw.sim.delivery_kernel import deliver
from toreq_hw.sim.event_kernel import present, store_counters
from toreq_hw.sim.perturbation.disturbed_update_kernel import compute
from toreq_hw.sim.perturbation.random_values import noise_int
from toreq_hw.sim.perturbation.weight_flip_kernel import flip_weights, restore_weights

_STATE_FLIP = int(Fault.STATE_FLIP)
_ACCUMULATOR_FLIP = int(Fault.ACCUMULATOR_FLIP)
_EVENT_DROP = int(Fault.EVENT_DROP)
_EVENT_DUPLICATE = int(Fault.EVENT_DUPLICATE)
_EVENT_FLIP = int(Fault.EVENT_FLIP)


@compiled_uncounted
def record_change(room, recorded, tick, neuron, before, after):  # type: ignore[no-untyped-def]
    """Writes one change of a trace while there is room; returns how many there were."""
    if recorded < len(room):
        room[recorded, 0] = tick
        room[recorded, 1] = neuron
        room[recorded, 2] = before
        room[recorded, 3] = after
    return recorded + 1


@compiled_uncounted
def arrive(plan, source, row, delta, accumulator, version):  # type: ignore[no-untyped-def]
    """Adds W delta to every neighbour of one neuron, in 32 bits; returns the weights walked."""
    walked = 0
    for projection in range(plan.projection_first[source], plan.projection_first[source + 1]):
        target = plan.projection_target[projection]
        size = plan.population_size[target]
        start = plan.population_start[target]
        step = np.int32(delta << plan.projection_shift[projection])
        first = plan.projection_weight[projection] + row * size
        weights, sums = plan.weights[first : first + size], accumulator[start : start + size]
        for k in range(size):
            sums[k] += np.int32(np.int32(weights[k]) * step)
        version[target] += 1
        walked += size
    return walked


@compiled_uncounted
def apply_faults(  # type: ignore[no-untyped-def]
    plan, damage, registers, state, scratch, line, last_line, tick, room, recorded
):
    """The faults listed for this tick. Returns the next line, and the changes seen so far."""
    while line < last_line and damage.faults[line, 1] == tick:
        i, fault, bit = damage.faults[line, 2], damage.faults[line, 3], damage.faults[line, 4]
        line += 1
        if fault == _ACCUMULATOR_FLIP:
            word = np.int64(registers.accumulator[i])
            registers.accumulator[i] = np.int32(flip_bits(word, np.int64(1) << bit, WORD_SIGN))
            scratch.version[registers.population[i]] += 1
        elif fault == _EVENT_DROP:
            registers.times[i] = 0
        elif fault == _EVENT_DUPLICATE:
            registers.times[i] = min(2 * registers.times[i], 2)
        elif fault == _EVENT_FLIP:
            registers.message_xor_mask[i] ^= np.int64(1) << bit
        elif damage.stuck[i] == FREE:
            p = registers.population[i]
            before = np.int64(state[i])
            after = flip_state(before, np.int64(1) << bit, plan.state_min[p], plan.state_max[p])
            if after != before:
                recorded = record_change(room, recorded, tick, i, before, after)
                state[i] = after
                scratch.version[p] += 1
                if fault == _STATE_FLIP:
                    row = i - plan.population_start[p]
                    arrive(plan, p, row, after - before, registers.accumulator, scratch.version)
    return line, recorded


@compiled_uncounted
def send(plan, damage, registers, state, scratch, colour, irregular, tick, room, recorded):  # type: ignore[no-untyped-def]
    """Sets one colour's new states and delivers its events. Returns synops and changes so far.

    irregular: some message of this tick may be lost, doubled or corrupted. Sums of them are then
    not those that `deliver` may take in 16 bits.
    """
    synops = 0
    for block in range(plan.colour_first[colour], plan.colour_first[colour + 1]):
        if scratch.sending[block] == 0:
            continue
        p = plan.block_population[block]
        start, stop = plan.block_start[block], plan.block_stop[block]
        first = start - plan.population_start[p]
        deltas = scratch.deltas[start:stop]
        sign = message_sign(plan.state_max[p] - plan.state_min[p])
        for k in range(stop - start):
            if deltas[k] == 0:
                continue
            i, delta = start + k, np.int64(deltas[k])
            recorded = record_change(room, recorded, tick, i, np.int64(state[i]), state[i] + delta)
            state[i] += deltas[k]
            times, message = np.int64(1), delta
            if irregular:
                times = registers.times[i]
                mask = registers.message_xor_mask[i] ^ damage.message_xor_mask[i]
                message = flip_bits(delta, mask, sign)
                if times:
                    step = message * times
                    synops += times * arrive(
                        plan, p, first + k, step, registers.accumulator, scratch.version
                    )
            registers.delta_square_sum[p] += message * message * times
        if not irregular:
            events, sums = scratch.sending[block], registers.accumulator
            synops += deliver(plan, p, first, deltas, events, sums, scratch)
    return synops, recorded


@compiled_uncounted
def message_sign(largest_change):  # type: ignore[no-untyped-def]
    """The sign bit of a message that holds changes up to the largest: 2^b for b-bit states."""
    sign = np.int64(1)
    while sign <= largest_change:
        sign <<= 1
    return sign


@compiled_uncounted
def apply_read_noise(plan, damage, registers, version, sample, tick):  # type: ignore[no-untyped-def]
    """Leaves the errors of this tick's reads in their accumulators."""
    delta_square_sum = registers.delta_square_sum
    for k in range(len(damage.reads)):
        source, target, scale = damage.reads[k, 0], damage.reads[k, 1], damage.reads[k, 2]
        last_tick, seed = damage.reads[k, 3], damage.reads[k, 4]
        if tick > last_tick or delta_square_sum[source] == 0:
            continue
        deviation = np.int64(scale * np.sqrt(np.float64(delta_square_sum[source])))
        start = plan.population_start[target]
        for i in range(start, start + plan.population_size[target]):
            error = noise_int(deviation, 1, seed, sample, tick, i)
            registers.accumulator[i] = np.int32(registers.accumulator[i] + error)
        version[target] += 1
    delta_square_sum[:] = 0


@compiled_inline
def tick_one(  # type: ignore[no-untyped-def]
    plan, damage, registers, state, scratch, sample, colour, tick, place, last, room, recorded
):
    """One tick of one presented sample.

    place: the next of its faults and of its flips of weights, last: where these end.
    Returns place, events, weights walked, changes so far.
    """
    first_line, flip = place
    last_line, last_flip = last
    flip = flip_weights(plan.weights, damage.flips, flip, last_flip, tick)
    line, recorded = apply_faults(
        plan, damage, registers, state, scratch, first_line, last_line, tick, room, recorded
    )
    walked = 0
    changing = compute(plan, damage, registers, state, scratch, colour, sample, tick)
    if changing:
        irregular = damage.masks_messages or line > first_line
        walked, recorded = send(
            plan, damage, registers, state, scratch, colour, irregular, tick, room, recorded
        )
        apply_read_noise(plan, damage, registers, scratch.version, sample, tick)
    for hit in range(first_line, line):
        registers.times[damage.faults[hit, 2]] = 1
        registers.message_xor_mask[damage.faults[hit, 2]] = 0
    return (line, flip), changing, walked, recorded


@compiled_uncounted
def relax_one(plan, damage, registers, state, scratch, max_sweeps, sample, room):  # type: ignore[no-untyped-def]
    """Relaxes one presented sample. Returns sweeps, status, events, synops, changes."""
    place = damage.first_fault[sample], damage.first_flip[sample]
    last = damage.first_fault[sample + 1], damage.first_flip[sample + 1]
    colours = len(plan.colour_first) - 1
    events = synops = recorded = tick = 0
    for sweep in range(1, max_sweeps + 1):
        before_sweep = recorded
        for colour in range(colours):
            tick += 1
            place, changing, walked, recorded = tick_one(
                plan,
                damage,
                registers,
                state,
                scratch,
                sample,
                colour,
                tick,
                place,
                last,
                room,
                recorded,
            )
            events += changing
            synops += walked
        if recorded == before_sweep and (sweep - 1) * colours >= damage.quiet_after:
            return sweep, 0, events, synops, recorded
    return max_sweeps, 2, events, synops, recorded


@compiled_inline
def present_one(plan, damage, start, output_start, state, scratch, registers, sample):  # type: ignore[no-untyped-def]
    """Builds the registers of one sample; see `relax_disturbed`. Returns its non-zero inputs."""
    image, accumulator = start.inputs[sample], registers.accumulator
    input_events = present(
        plan, image, state, start.drive[sample], output_start, accumulator, scratch
    )
    if len(damage.reads) and not start.continued:
        for value in image:
            registers.delta_square_sum[-1] += np.int64(value) * np.int64(value)
        apply_read_noise(plan, damage, registers, scratch.version, sample, 0)
    scratch.seen[:] = 0
    return input_events


@compiled
def begin_disturbed(plan, damage, start, output_start, state, work, sample):  # type: ignore[no-untyped-def]
    """Presents one sample that is then taken tick by tick; see `relax_disturbed`."""
    scratch, registers = work
    present_one(plan, damage, start, output_start, state, scratch, registers, sample)


@compiled
def tick_disturbed(plan, damage, state, work, sample, colour, tick, place, last, room):  # type: ignore[no-untyped-def]
    """One tick of one sample; see `tick_one`. Returns place, events, weights walked, changes."""
    scratch, registers = work
    return tick_one(
        plan, damage, registers, state, scratch, sample, colour, tick, place, last, room, 0
    )


@compiled
def relax_disturbed(  # type: ignore[no-untyped-def]
    plan, damage, start, output_start, states, work, counters, changes, first
):
    """Relaxes a whole batch, as `event_kernel.relax_samples` does a run of samples.

    start: `Presented`. work: (`Scratch`, `Registers`). first: where each sample's changes begin
    in `changes`.
    """
    max_sweeps = start.max_sweeps
    scratch, registers = work
    for sample in range(len(states)):
        state = states[sample]
        counters[sample, 5] = present_one(
            plan, damage, start, output_start, state, scratch, registers, sample
        )
        counts = relax_one(
            plan, damage, registers, state, scratch, max_sweeps, sample, changes[first[sample] :]
        )
        store_counters(counters[sample], counts)
        flips, first_flip = damage.flips, damage.first_flip
        restore_weights(plan.weights, flips, first_flip[sample], first_flip[sample + 1])
