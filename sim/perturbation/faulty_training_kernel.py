"""Compiled learning under lasting faults or noise: see `faulty_training`, `noisy_training`."""

from typing import NamedTuple

import numpy as np

from toreq_hw.contract.faults import FREE
from toreq_hw.sim.compiled import compiled, compiled_uncounted
from toreq_hw.sim.event_kernel import copy, present
from toreq_hw.sim.learning.latent_kernel import int8_weight, ternary_weight
from toreq_hw.sim.learning.sample_kernel import nudge_of
from toreq_hw.sim.learning.update_kernel import update
from toreq_hw.sim.perturbation.damage_arrays import Damage, Registers
from toreq_hw.sim.perturbation.disturbed_kernel import relax_one
from toreq_hw.sim.plan import Ints


class BrokenLatents(NamedTuple):
    """Latents with stuck bits, one entry a copy of each.

    latent: index into `Synapses.latent`. at_zero, at_one: masks of the whole latent. lowest: the
    smallest number that its bits hold. theta: of ternary weights, else 0. places: where
    `Plan.weights` has its weight, int64 (cells, 2), -1 for none.
    """

    latent: Ints
    at_zero: Ints
    at_one: Ints
    lowest: Ints
    theta: Ints
    places: Ints


class LastingFaults(NamedTuple):
    """What a training goes on under; `damage` lists none for a tick."""

    broken: BrokenLatents
    damage: Damage
    registers: Registers


@compiled_uncounted
def break_latents(weights, latent, broken):  # type: ignore[no-untyped-def]
    """Sets latents as their stuck bits leave them, and the weights that they stand for."""
    for k in range(len(broken.latent)):
        cell = broken.latent[k]
        word = (np.int64(latent[cell]) & ~broken.at_zero[k] & 0xFFFF) | broken.at_one[k]
        v = np.int16(max(np.int64(np.int16(word)), broken.lowest[k]))
        latent[cell] = v
        w = ternary_weight(v, broken.theta[k]) if broken.theta[k] > 0 else int8_weight(v)
        for place in broken.places[k]:
            if place >= 0:
                weights[place] = w


@compiled_uncounted
def settle(plan, faults, states, rules, scratch, counters, nothing):  # type: ignore[no-untyped-def]
    """Relaxes from `states` and the accumulators in `faults.registers`, in place.

    Noise is drawn by another seed in each phase: the next number.
    """
    for source in range(len(faults.damage.noise)):
        faults.damage.noise[source, 2] += 1
    scratch.seen[:] = 0
    sweeps, status, events, _, _ = relax_one(
        plan, faults.damage, faults.registers, states, scratch, rules.max_sweeps, 0, nothing
    )
    counters[1] += sweeps
    counters[2] += status != 0
    counters[3] += events


@compiled
def learn_samples_faulty(  # type: ignore[no-untyped-def]
    faults,
    plan,
    synapses,
    rates,
    output,
    rules,
    inputs,
    labels,
    order,
    scratch,
    random_state,
    counters,
):
    """`learn_samples` of a relaxing readout under `faults`; the rest as there."""
    stuck, accumulator = faults.damage.stuck, faults.registers.accumulator
    push = np.zeros(output.stop - output.start, dtype=np.int32)
    equilibrium = np.empty_like(accumulator)
    nothing = np.empty((0, 4), dtype=np.int64)
    positive = np.empty(len(accumulator), dtype=np.int16)
    negative = np.empty_like(positive)
    for sample in order:
        x, label = inputs[sample], labels[sample, 0]
        for i in range(len(positive)):
            positive[i] = 0 if stuck[i] == FREE else stuck[i]
        present(plan, x, positive, push[:0], output.start, accumulator, scratch)
        settle(plan, faults, positive, rules, scratch, counters, nothing)
        copy(equilibrium, accumulator)
        copy(negative, positive)
        counters[0] += nudge_of(positive, label, output, push) == label
        for sign, states in ((1, positive), (-1, negative)):
            copy(accumulator, equilibrium)
            for population in range(len(scratch.version)):
                scratch.version[population] += 1
            for k in range(len(push)):
                accumulator[output.start + k] += sign * push[k]
            settle(plan, faults, states, rules, scratch, counters, nothing)
        random_state = update(plan, synapses, rates, x, positive, negative, random_state)
        break_latents(plan.weights, synapses.latent, faults.broken)
    return random_state
