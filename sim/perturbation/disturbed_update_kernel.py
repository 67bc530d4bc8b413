"""Compiled updates of neurons under a disturbance: what one colour changes by in a tick."""

import numpy as np

from toreq_hw.contract.arithmetic_kernel import flip_state, round_to_multiple
from toreq_hw.contract.faults import FREE
from toreq_hw.sim.compiled import compiled_uncounted
from toreq_hw.sim.perturbation.random_values import noise_int


@compiled_uncounted
def sum_noise(noise, scale, i, sample, tick):  # type: ignore[no-untyped-def]
    """The sum of all sources of noise on one update of neuron i."""
    total = np.int64(0)
    for source in range(len(noise)):
        if tick <= noise[source, 1]:
            octaves, seed = noise[source, 0], noise[source, 2]
            total += noise_int(scale[source, i], octaves, seed, sample, tick, i)
    return total


@compiled_uncounted
def read_word(word, stuck_bits, i):  # type: ignore[no-untyped-def]
    """An accumulator as an update reads it, int32: some bits are stuck at 0, some at 1."""
    return np.int32((word & ~stuck_bits[i, 0]) | stuck_bits[i, 1])


@compiled_uncounted
def update_neuron(plan, damage, registers, i, sample, tick):  # type: ignore[no-untyped-def]
    """The new state of neuron i: stuck bits, noise, ADC, the one rounding, DAC, inverted bits."""
    if damage.stuck[i] != FREE:
        return np.int64(damage.stuck[i])
    population, converter = registers.population[i], damage.converter
    total = np.int64(read_word(registers.accumulator[i], damage.stuck_bits, i))
    total += sum_noise(damage.noise, damage.scale, i, sample, tick)
    total = min(max(round_to_multiple(total, converter[i, 0]), converter[i, 1]), converter[i, 2])
    low, high = plan.state_min[population], plan.state_max[population]
    total = np.int64(np.int32(total + plan.half[population]))
    state = min(max(total >> plan.fraction_bits[population], low), high)
    state = min(max(round_to_multiple(state, converter[i, 3]), low), high)
    return flip_state(state, np.int64(damage.state_xor_mask[i]), low, high)


@compiled_uncounted
def update_plain_block(sums, half, shift, low, high, states, stuck, deltas):  # type: ignore[no-untyped-def]
    """What a block changes by whose neurons are sound or stuck; returns how many change.

    Cast throughout, so that LLVM makes vectors of it.
    """
    count = np.int32(0)
    for i in range(len(states)):
        rounded = np.int32(np.int32(sums[i] + half) >> shift)
        new = np.int32(min(max(rounded, low), high))
        delta = np.int16(new - np.int32(states[i]))
        deltas[i] = delta if stuck[i] == FREE else np.int16(0)
        count = np.int32(count + np.int32(deltas[i] != 0))
    return np.int64(count)


@compiled_uncounted
def compute(plan, damage, registers, state, scratch, colour, sample, tick):  # type: ignore[no-untyped-def]
    """What one colour changes by, in `scratch.deltas`, none of it set yet; returns how many change.

    A block that nothing has reached since its last quiet update is skipped: it would not change.
    """
    changing = 0
    noise, scale, plain = damage.noise, damage.scale, damage.plain
    accumulator = registers.accumulator
    noisy = tick <= damage.noise_until
    settled = tick > damage.noise_until + len(plan.colour_first) - 1
    for block in range(plan.colour_first[colour], plan.colour_first[colour + 1]):
        p = plan.block_population[block]
        scratch.sending[block] = 0
        if tick >= damage.frozen_from[colour]:
            continue
        if settled and scratch.seen[block] == scratch.version[p]:
            continue
        scratch.seen[block] = scratch.version[p]
        start, stop = plan.block_start[block], plan.block_stop[block]
        deltas = scratch.deltas[start:stop]
        if damage.simple[block] and not noisy:
            count = update_plain_block(
                accumulator[start:stop],
                np.int32(plan.half[p]),
                np.int32(plan.fraction_bits[p]),
                np.int32(plan.state_min[p]),
                np.int32(plan.state_max[p]),
                state[start:stop],
                damage.stuck[start:stop],
                deltas,
            )
        else:
            count = 0
            half, shift = plan.half[p], plan.fraction_bits[p]
            low, high = plan.state_min[p], plan.state_max[p]
            for i in range(start, stop):
                if plain[i]:
                    total = np.int64(accumulator[i]) + half
                    if noisy:
                        total += sum_noise(noise, scale, i, sample, tick)
                    new = min(max(np.int64(np.int32(total)) >> shift, low), high)
                else:
                    new = update_neuron(plan, damage, registers, i, sample, tick)
                deltas[i - start] = new - state[i]
                count += deltas[i - start] != 0
        scratch.sending[block] = count
        changing += count
    return changing
