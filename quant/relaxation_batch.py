"""Relaxation of a whole batch by torch operations alone, on any device.

A sample that has settled stays as it is while others go on, so the batch ends where each
sample would; where most have settled, only the rest is swept further.
"""

import torch

from toreq_hw.quant.equilibrium import Drive, Layers, Phases, Tensors
from toreq_hw.quant.forms import Link
from toreq_hw.quant.readout import output_errors, output_sums

SWEEPS_BETWEEN_LOOKS = 4
"""Looking which samples have settled costs about as much as a tick."""


def free_phase(layers: Layers, between: list[Link], clamped: Drive) -> tuple[Tensors, int]:
    """As `relaxation.free_phase`. States are (batch, size) per updating population."""
    start = zero_states(layers, clamped.first)
    return _relax(layers, between, base(clamped), start)


def all_phases(
    layers: Layers, between: list[Link], clamped: Drive, labels: torch.Tensor, beta_shift: int
) -> Phases:
    """As `relaxation.all_phases`; both nudged phases run as one batch of twice the size.

    labels: integers (batch,).
    """
    if layers.readout is not None:
        return _clamped_phases(layers, between, clamped, labels, beta_shift)
    free, sweeps = free_phase(layers, between, clamped)
    target = torch.zeros_like(free[-1])
    target.scatter_(1, labels[:, None], float(layers.relaxing[-1].state_max))
    scale, lsb = layers.nudge_scale(beta_shift)
    nudge = ((target - free[-1]) * scale).floor_() * lsb
    rows = nudge.any(dim=1).nonzero().squeeze(1)
    drives = [part[rows].repeat(2, 1) for part in base(clamped)]
    drives[-1] += torch.cat([nudge[rows], -nudge[rows]])
    plus, minus = _from_equilibrium(layers, between, drives, [part[rows] for part in free])
    return Phases(free[-1], sweeps, rows, plus, minus)


def _clamped_phases(
    layers: Layers, between: list[Link], clamped: Drive, labels: torch.Tensor, beta_shift: int
) -> Phases:
    """The same with a clamped output, which sends its errors while the others relax."""
    free, sweeps = free_phase(layers, between, clamped)
    sums = output_sums(between, clamped, free)
    errors = output_errors(layers, sums, labels, beta_shift)
    rows = errors.any(dim=1).nonzero().squeeze(1)
    sent = torch.cat([errors[rows], -errors[rows]])
    drives = [part[rows].repeat(2, 1) for part in base(clamped)[: len(free)]]
    drives[-1] += between[-1].backward(sent)
    phases = _from_equilibrium(layers, between, drives, [part[rows] for part in free])
    plus, minus = ([*part, own] for part, own in zip(phases, sent.chunk(2), strict=True))
    return Phases(sums, sweeps, rows, plus, minus)


def _from_equilibrium(
    layers: Layers, between: list[Link], drives: Tensors, free: Tensors
) -> tuple[Tensors, Tensors]:
    """Both nudged equilibria, (batch, size) per updating population.

    drives: the positive phase's samples, then the negative one's. free: where both start.
    """
    nudged, _ = _relax(layers, between, drives, [part.repeat(2, 1) for part in free])
    parts = [part.chunk(2) for part in nudged]
    return [part[0] for part in parts], [part[1] for part in parts]


def base(clamped: Drive) -> Tensors:
    """The drive of every relaxing population, (batch, size) each."""
    return [clamped.first, *(part.expand(len(clamped.first), -1) for part in clamped.rest)]


def zero_states(layers: Layers, like: torch.Tensor) -> Tensors:
    """All-zero states of updating populations for every sample of `like`, (batch, anything)."""
    return [like.new_zeros((len(like), p.size)) for p in layers.updating]


def _relax(
    layers: Layers, between: list[Link], base: Tensors, start: Tensors
) -> tuple[Tensors, int]:
    """Sweeps until a whole sweep changes nothing in the whole batch.

    between: real weights between relaxing populations. base: what stays constant, at least of
    updating populations, (batch, size). start: states to relax from, integer-valued, the same
    shapes. Returns the states, and the sweeps of the sample that took longest.
    """
    ended = list(start)
    states, rows = list(start), None
    sweeps = 0
    while True:
        before = states
        states = _swept(layers, between, base, before)
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


def _swept(layers: Layers, between: list[Link], base: Tensors, states: Tensors) -> Tensors:
    """One sweep over the updating populations, in `Layers.order`."""
    new = list(states)
    for index in layers.order:
        new[index] = _update(layers, between, base, new, index)
    return new


def _update(
    layers: Layers, between: list[Link], base: Tensors, states: Tensors, index: int
) -> torch.Tensor:
    """New states of updating population `index`."""
    total = base[index]
    if index > 0:
        total = total + between[index - 1].forward(states[index - 1])
    if index + 1 < len(states):
        total = total + between[index].backward(states[index + 1])
    population = layers.updating[index]
    return total.floor().clamp_(population.state_min, population.state_max)


def _moving(states: Tensors, before: Tensors) -> torch.Tensor:
    """Indices of the samples that the last sweep changed, int64 (moving,)."""
    changed = [(new != old).any(dim=1) for new, old in zip(states, before, strict=True)]
    return torch.stack(changed).any(dim=0).nonzero().squeeze(1)


def _fill(whole: Tensors, rows: torch.Tensor, states: Tensors) -> Tensors:
    """`whole` with its samples `rows` replaced by `states`."""
    return [part.index_copy(0, rows, new) for part, new in zip(whole, states, strict=True)]
