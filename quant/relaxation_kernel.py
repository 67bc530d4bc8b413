"""Compiled relaxation on a CPU: sample by sample, so that none waits for the slowest.

Everything is an exact sum of multiples of 2^-F (see `equilibrium`). So sums may be kept up to date
by adding what changed, and the compiler may add in any order.
"""

import hashlib
from pathlib import Path

import numpy as np

from toreq_hw.compilation import njit

# Types stay out of the signatures: numba infers them.

_ANY_ORDER = {"reassoc", "contract", "nnan", "ninf", "nsz"}
"""What the compiler may assume: exact sums have no order, and nothing here is NaN or infinite."""


def _compile(function):  # type: ignore[no-untyped-def]
    return njit(function, f"quant-{_SOURCE}", fastmath=_ANY_ORDER)


_SOURCE = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


@_compile
def free_phases(net, first, constant, states):  # type: ignore[no-untyped-def]
    """Free equilibria into `states` (batch, neurons); returns the sweeps of the slowest sample.

    net: `KernelNet`. first: (batch, n), the drive of the first relaxing population; constant:
    (neurons,), that of all others.
    """
    sums, delta = np.empty_like(constant), np.empty_like(constant)
    waiting = np.empty(len(net.low), np.bool_)
    slowest = 0
    for sample in range(len(first)):
        own = states[sample]
        sweeps = _free_phase(net, first[sample], constant, sums, own, delta, waiting)
        slowest = max(slowest, sweeps)
    return slowest


@_compile
def all_phases(net, first, constant, labels, nudge, outputs, plus, minus, rows):  # type: ignore[no-untyped-def]
    """Free phase and both nudged phases of every sample.

    nudge: (scale, lsb): an error e is a nudge of floor(e scale) lsb. outputs: (batch, n_output),
    filled with the free phase's. plus, minus: (batch, neurons), filled from the front with the
    equilibria of those samples that a nudge reaches; rows: int64 (batch,), which these are.
    Returns (samples that a nudge reaches, free sweeps of the slowest).
    """
    scale, lsb = nudge
    sums, delta = np.empty_like(constant), np.empty_like(constant)
    free, free_sums = np.empty_like(constant), np.empty_like(constant)
    waiting = np.empty(len(net.low), np.bool_)
    last = net.starts[-2]
    push = np.empty_like(constant[last:])
    reached, slowest = 0, 0
    for sample in range(len(first)):
        sweeps = _free_phase(net, first[sample], constant, sums, free, delta, waiting)
        slowest = max(slowest, sweeps)
        outputs[sample] = free[last:]
        nudged = False
        for k in range(len(push)):
            target = net.high[-1] if k == labels[sample] else 0
            push[k] = np.floor((target - free[last + k]) * scale) * lsb
            nudged = nudged or push[k] != 0
        if not nudged:
            continue
        free_sums[:] = sums
        rows[reached] = sample
        for sign, found in ((1, plus[reached]), (-1, minus[reached])):
            sums[:] = free_sums
            found[:] = free
            for k in range(len(push)):
                sums[last + k] += sign * push[k]
            waiting[-1] = True
            _settle(net, sums, found, delta, waiting)
        reached += 1
    return reached, slowest


@_compile
def _free_phase(net, first, constant, sums, states, delta, waiting):  # type: ignore[no-untyped-def]
    sums[:] = constant
    sums[: len(first)] = first
    states[:] = 0
    waiting[:] = True
    return _settle(net, sums, states, delta, waiting)


@_compile
def _settle(net, sums, states, delta, waiting):  # type: ignore[no-untyped-def]
    """Whole sweeps until one changes nothing, from sums that belong to `states`; how many.

    waiting: bool (populations,), whose sums have changed since they were last looked at.
    """
    populations = len(waiting)
    sweeps, moved = 0, True
    while moved:
        sweeps += 1
        moved = False
        for index in net.order:
            if waiting[index] and _update(net, index, sums, states, delta):
                moved = True
                if index > 0:
                    _pass_on(net, index - 1, index, index - 1, net.back[index - 1], delta, sums)
                    waiting[index - 1] = True
                if index + 1 < populations:
                    _pass_on(net, index, index, index + 1, net.low.dtype.type(1), delta, sums)
                    waiting[index + 1] = True
            waiting[index] = False
    return sweeps


@_compile
def _update(net, index, sums, states, delta):  # type: ignore[no-untyped-def]
    """Sets a population's states from its sums, `delta` to how far they went; whether any did."""
    start, stop = net.starts[index], net.starts[index + 1]
    return _round(
        sums[start:stop], net.low[index], net.high[index], states[start:stop], delta[start:stop]
    )


@_compile
def _round(sums, low, high, states, delta):  # type: ignore[no-untyped-def]
    total = low * 0
    for k in range(len(sums)):
        new = np.floor(sums[k])
        new = low if new < low else new
        new = high if new > high else new
        change = new - states[k]
        delta[k] = change
        total += abs(change)
        states[k] = new
    return total != 0


@_compile
def _pass_on(net, link, source, target, strength, delta, sums):  # type: ignore[no-untyped-def]
    """Adds to the target's sums `strength` times what the source's change does to them.

    A link's matrix has a row per neuron of its narrower end, so that long rows are walked
    either way: added up where the source is the narrower, multiplied with where it is the wider.
    """
    changes = delta[net.starts[source] : net.starts[source + 1]]
    reached = sums[net.starts[target] : net.starts[target + 1]]
    place = net.link_starts[link]
    if net.row_end[link] == source:
        for row in range(len(changes)):
            if changes[row] != 0:
                _add(reached, changes[row] * strength, net.links[place : place + len(reached)])
            place += len(reached)
    else:
        for row in range(len(reached)):
            reached[row] += strength * _product(changes, net.links[place : place + len(changes)])
            place += len(changes)


@_compile
def _add(sums, change, row):  # type: ignore[no-untyped-def]
    for k in range(len(sums)):
        sums[k] += change * row[k]


@_compile
def _product(changes, row):  # type: ignore[no-untyped-def]
    total = row.dtype.type(0)
    for k in range(len(changes)):
        total += changes[k] * row[k]
    return total
