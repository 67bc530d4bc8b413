"""Relaxation of a whole batch by torch operations alone, on any device.

A sample that has settled stays as it is while others go on, so the batch ends where each
sample would; where most have settled, only the rest is swept further.
"""

import torch

from toreq_hw.quant.equilibrium import Drive, Layers, Phases, Tensors

SWEEPS_BETWEEN_LOOKS = 4
"""Looking which samples have settled costs about as much as a tick."""


def free_phase(layers: Layers, couplings: Tensors, clamped: Drive) -> tuple[Tensors, int]:
    """As `relaxation.free_phase`. States are (batch, size) per relaxing population."""
    start = zero_states(layers, clamped.first)
    return _relax(layers, couplings, base(clamped), start)


def all_phases(
    layers: Layers, couplings: Tensors, clamped: Drive, labels: torch.Tensor, beta_shift: int
) -> Phases:
    """As `relaxation.all_phases`; both nudged phases run as one batch of twice the size.

    labels: integers (batch,).
    """
    free, sweeps = free_phase(layers, couplings, clamped)
    target = torch.zeros_like(free[-1])
    target.scatter_(1, labels[:, None], float(layers.relaxing[-1].state_max))
    scale, lsb = layers.nudge_scale(beta_shift)
    nudge = ((target - free[-1]) * scale).floor_() * lsb
    rows = nudge.any(dim=1).nonzero().squeeze(1)
    drives = [part[rows].repeat(2, 1) for part in base(clamped)]
    drives[-1] += torch.cat([nudge[rows], -nudge[rows]])
    start = [part[rows].repeat(2, 1) for part in free]
    nudged, _ = _relax(layers, couplings, drives, start)
    plus, minus = ([part.chunk(2)[sign] for part in nudged] for sign in (0, 1))
    return Phases(free[-1], sweeps, rows, plus, minus)


def base(clamped: Drive) -> Tensors:
    """The drive of every relaxing population, (batch, size) each."""
    return [clamped.first, *(part.expand(len(clamped.first), -1) for part in clamped.rest)]


def zero_states(layers: Layers, like: torch.Tensor) -> Tensors:
    """All-zero states for every sample of `like`, (batch, anything)."""
    return [like.new_zeros((len(like), p.size)) for p in layers.relaxing]


def _relax(
    layers: Layers, couplings: Tensors, base: Tensors, start: Tensors
) -> tuple[Tensors, int]:
    """Sweeps until a whole sweep changes nothing in the whole batch.

    couplings: real weights between relaxing populations. base: what stays constant, per
    relaxing population, (batch, size). start: states to relax from, integer-valued, the same
    shapes. Returns the states, and the sweeps of the sample that took longest.
    """
    ended = list(start)
    states, rows = list(start), None
    sweeps = 0
    while True:
        before = states
        states = _swept(layers, couplings, base, before)
        sweeps += 1
        if all(torch.equal(new, old) for new, old in zip(states, before, strict=True)):
            return (states if rows is None else _fill(ended, rows, states)), sweeps
        if sweeps % SWEEPS_BETWEEN_LOOKS == 0:
            moving = _moving(states, before)
            if 2 * len(moving) <= len(states[0]):
                ended = list(states) if rows is None else _fill(ended, rows, states)
                rows = moving if rows is None else rows[moving]
                base = [part[moving] for part in base]
                states = [part[moving] for part in states]


def _swept(layers: Layers, couplings: Tensors, base: Tensors, states: Tensors) -> Tensors:
    """One sweep over the relaxing populations, in `Layers.order`."""
    new = list(states)
    for index in layers.order:
        new[index] = _update(layers, couplings, base, new, index)
    return new


def _update(
    layers: Layers, couplings: Tensors, base: Tensors, states: Tensors, index: int
) -> torch.Tensor:
    """New states of relaxing population `index`."""
    total = base[index]
    if index > 0:
        total = torch.addmm(total, states[index - 1], couplings[index - 1])
    if index + 1 < len(states):
        total = torch.addmm(total, states[index + 1], couplings[index].T)
    population = layers.relaxing[index]
    return total.floor().clamp_(population.state_min, population.state_max)


def _moving(states: Tensors, before: Tensors) -> torch.Tensor:
    """Indices of the samples that the last sweep changed, int64 (moving,)."""
    changed = [(new != old).any(dim=1) for new, old in zip(states, before, strict=True)]
    return torch.stack(changed).any(dim=0).nonzero().squeeze(1)


def _fill(whole: Tensors, rows: torch.Tensor, states: Tensors) -> Tensors:
    """`whole` with its samples `rows` replaced by `states`."""
    return [part.index_copy(0, rows, new) for part, new in zip(whole, states, strict=True)]
