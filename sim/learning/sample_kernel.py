"""Compiled phases of one sample that is learned, and what its nudged phases are pushed by.

The same arithmetic as docs/numerics.md, sections 3 to 5.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic_kernel import nudge
from toreq_hw.contract.budget_kernel import fill_budget_row
from toreq_hw.sim.compiled import compiled_uncounted
from toreq_hw.sim.delivery_kernel import deliver
from toreq_hw.sim.event_kernel import copy, count_nonzero, present, relax


class NudgedOutput(NamedTuple):
    """The output population: its first neuron and the one after its last, in `Layout` order; the
    state of the wanted class; its accumulator's fraction bits; the nudge's strength 2^-beta_shift.

    table: int64, thresholds of a clamped readout, whose budget is `target`; empty if it relaxes.
    rows: how many classes it names, each in an equal part of the output.
    """

    start: int
    stop: int
    target: int
    fraction_bits: int
    beta_shift: int
    table: npt.NDArray[np.int64]
    rows: int


class Sums(NamedTuple):
    """Accumulators of a sample, int32 (neurons,): now, and in the free equilibrium.

    push: int32 (outputs,), what the positive phase adds to output accumulators, or the states that
    a clamped output sends in it. shares: int16 (outputs,), a budget row. nothing: no changes.
    """

    now: npt.NDArray[np.int32]
    free: npt.NDArray[np.int32]
    push: npt.NDArray[np.int32]
    shares: npt.NDArray[np.int16]
    nothing: npt.NDArray[np.int64]


@compiled_uncounted
def free_phase(plan, inputs, states, sums, output, rules, scratch, counters):  # type: ignore[no-untyped-def]
    """Relaxes one sample from rest; its states and `sums.free` are those of the equilibrium."""
    states[:] = 0
    present(plan, inputs, states, sums.push[:0], output.start, sums.now, scratch)
    sweeps, status, events, _, _ = relax(plan, states, sums.now, rules, scratch, sums.nothing)
    copy(sums.free, sums.now)
    counters[1] += sweeps
    counters[2] += status != 0
    counters[3] += events


@compiled_uncounted
def nudged_phase(plan, states, sign, sums, output, rules, scratch, counters):  # type: ignore[no-untyped-def]
    """Relaxes from the free equilibrium, pushed by `sign` times `sums.push`, states in place."""
    copy(sums.now, sums.free)
    for population in range(len(scratch.version)):
        scratch.version[population] += 1
    if len(output.table) == 0:
        for k in range(len(sums.push)):
            sums.now[output.start + k] += sign * sums.push[k]
    else:
        counters[3] += send_error(plan, states, sign, sums, output, scratch)
    sweeps, status, events, _, _ = relax(plan, states, sums.now, rules, scratch, sums.nothing)
    counters[1] += sweeps
    counters[2] += status != 0
    counters[3] += events


@compiled_uncounted
def send_error(plan, states, sign, sums, output, scratch):  # type: ignore[no-untyped-def]
    """Sets a clamped output's states to `sign` times `sums.push` and delivers them as events.

    Returns how many it sends.
    """
    sent = states[output.start : output.stop]
    for k in range(len(sent)):
        sent[k] = sign * sums.push[k]
    population = 0
    while plan.population_start[population] != output.start:
        population += 1
    events = count_nonzero(sent)
    deliver(plan, population, 0, sent, events, sums.now, scratch)
    return events


@compiled_uncounted
def nudge_of(states, label, output, push):  # type: ignore[no-untyped-def]
    """Sets `push` to the nudge of a free equilibrium; returns its class, the largest state."""
    best = 0
    for k in range(len(push)):
        state = states[output.start + k]
        if state > states[output.start + best]:
            best = k
        wanted = output.target if k == label else 0
        push[k] = nudge(wanted - state, output.fraction_bits, output.beta_shift)
    return best


@compiled_uncounted
def error_of(sums, labels, output):  # type: ignore[no-untyped-def]
    """Sets `push` to what a clamped output sends; returns whether all its classes are right.

    labels: int64 (rows,). A class is the largest accumulator of its row.
    """
    z = sums.free[output.start : output.stop]
    size, right = len(z) // output.rows, True
    for row in range(output.rows):
        first = row * size
        stop = first + size
        fill_budget_row(z[first:stop], output.table, output.target, sums.shares[first:stop])
        best = first
        for k in range(first, stop):
            if z[k] > z[best]:
                best = k
            wanted = output.target if k - first == labels[row] else 0
            sums.push[k] = (wanted - sums.shares[k]) >> output.beta_shift
        right &= best - first == labels[row]
    return right
