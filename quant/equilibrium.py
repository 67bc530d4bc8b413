"""Relaxation of a layered network on torch tensors: integers kept in floats, exactly.

All is counted in states: a weight is W 2^-f, an accumulator a 2^-F, and the rounding half is
part of the constant drive, so an update is clip(floor(sum)). Every value is a multiple of
2^-F, and a float32 holds those exactly up to 2^24 of them (a float64 up to 2^53). No partial
sum is larger than `_reach`, so where that is at most 2^24 float32 products are exact in any
order, and otherwise float64 ones are: a network's bounds are 32 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from toreq_hw.network import Population

FLOAT32_EXACT = 1 << 24

SWEEPS_BETWEEN_LOOKS = 4
"""Looking which samples have settled costs about as much as a tick."""

Tensors = list[torch.Tensor]


@dataclass(frozen=True)
class Layers:
    """A layered network under the parity schedule: coupling k joins populations k and k + 1.

    fraction_bits: one per coupling.
    """

    populations: tuple[Population, ...]
    fraction_bits: tuple[int, ...]

    def accumulator_fraction_bits(self, layer: int) -> int:
        """F of docs/numerics.md of population `layer`, which is not the input."""
        return max(self.fraction_bits[layer - 1 : layer + 1])


@dataclass(frozen=True)
class Drive:
    """What stays constant during a phase, rounding half included, in states.

    base: per relaxing population, float (batch, size).
    """

    base: Tensors

    def nudged(self, nudge: torch.Tensor) -> "Drive":
        """Both nudged phases as one batch of twice the size: +nudge first, then -nudge.

        nudge: in states, (batch, n_output).
        """
        doubled = [torch.cat([part, part]) for part in self.base]
        doubled[-1] = torch.cat([self.base[-1] + nudge, self.base[-1] - nudge])
        return Drive(doubled)


def exact_dtype(layers: Layers, weights: Sequence[torch.Tensor], biases: Tensors) -> torch.dtype:
    """Float32 where no accumulator of these weights can pass 2^24, else float64."""
    reach = max(_reach(layers, weights, biases, k) for k in range(1, len(layers.populations)))
    return torch.float32 if reach <= FLOAT32_EXACT else torch.float64


def real_weights(layers: Layers, weights: Sequence[torch.Tensor], dtype: torch.dtype) -> Tensors:
    """W 2^-f, exact, from integer-valued weights."""
    return [w.to(dtype) * 2.0**-f for w, f in zip(weights, layers.fraction_bits, strict=True)]


def drive(
    layers: Layers, inputs: torch.Tensor, real: Sequence[torch.Tensor], biases: Tensors
) -> Drive:
    """What inputs, biases and rounding halves add up to.

    inputs: integer-valued (batch, n_input) of the dtype of `real`, which are `real_weights`;
    biases: integer-valued, in LSBs.
    """
    constant = []
    for layer, bias in enumerate(biases, start=1):
        fraction_bits = layers.accumulator_fraction_bits(layer)
        half = (1 << fraction_bits) >> 1
        constant.append((bias.to(inputs.dtype) + half) * 2.0**-fraction_bits)
    base = [part.expand(len(inputs), -1) for part in constant]
    base[0] = torch.addmm(constant[0], inputs, real[0])
    return Drive(base)


def relax(
    layers: Layers, real: Sequence[torch.Tensor], phase: Drive, start: Tensors
) -> tuple[Tensors, int]:
    """Sweeps until a whole sweep changes nothing in the whole batch.

    real: `real_weights`. start: states per relaxing population, integer-valued (batch, size).
    A sample that has settled stays as it is while others go on, so the batch ends where each
    sample would; where most have settled, only the rest is swept further. Returns the states,
    and the sweeps of the sample that took longest.
    """
    ended = list(start)
    states, rows = list(start), None
    sweeps = 0
    while True:
        before = states
        states = _swept(layers, real, phase, before)
        sweeps += 1
        if all(torch.equal(new, old) for new, old in zip(states, before, strict=True)):
            return (states if rows is None else _filled(ended, rows, states)), sweeps
        if sweeps % SWEEPS_BETWEEN_LOOKS == 0:
            moving = _moving(states, before)
            if 2 * len(moving) <= len(states[0]):
                ended = list(states) if rows is None else _filled(ended, rows, states)
                rows = moving if rows is None else rows[moving]
                phase = Drive([part[moving] for part in phase.base])
                states = [part[moving] for part in states]


def _swept(layers: Layers, real: Sequence[torch.Tensor], phase: Drive, states: Tensors) -> Tensors:
    """One sweep: the first, third, .. relaxing population, then the second, fourth, .."""
    new = list(states)
    for colour in (0, 1):
        for index in range(colour, len(new), 2):
            new[index] = _updated(layers, real, phase, new, index)
    return new


def _moving(states: Tensors, before: Tensors) -> torch.Tensor:
    """Indices of the samples that the last sweep changed, int64 (moving,)."""
    changed = [(new != old).any(dim=1) for new, old in zip(states, before, strict=True)]
    return torch.stack(changed).any(dim=0).nonzero().squeeze(1)


def _filled(whole: Tensors, rows: torch.Tensor, states: Tensors) -> Tensors:
    """`whole` with its samples `rows` replaced by `states`."""
    return [part.index_copy(0, rows, new) for part, new in zip(whole, states, strict=True)]


def zero_states(layers: Layers, like: torch.Tensor) -> Tensors:
    """All-zero states for every sample of `like`, (batch, anything)."""
    return [like.new_zeros((len(like), p.size)) for p in layers.populations[1:]]


def _updated(
    layers: Layers, real: Sequence[torch.Tensor], phase: Drive, states: Tensors, index: int
) -> torch.Tensor:
    """New states of relaxing population `index` (population index + 1 of the network)."""
    total = phase.base[index]
    if index > 0:
        total = torch.addmm(total, states[index - 1], real[index])
    if index + 1 < len(states):
        total = torch.addmm(total, states[index + 1], real[index + 1].T)
    population = layers.populations[index + 1]
    return total.floor().clamp_(population.state_min, population.state_max)


def _reach(layers: Layers, weights: Sequence[torch.Tensor], biases: Tensors, layer: int) -> float:
    """Largest magnitude of any partial sum of an accumulator of `layer`, in LSBs 2^-F, with
    the rounding half and the nudge.
    """
    fraction_bits = layers.accumulator_fraction_bits(layer)
    ends = [max(p.state_max, -p.state_min) for p in layers.populations]
    total = float(biases[layer - 1].abs().max()) + ((1 << fraction_bits) >> 1)
    below = float(weights[layer - 1].abs().sum(0).max()) * ends[layer - 1]
    total += below * 2.0 ** (fraction_bits - layers.fraction_bits[layer - 1])
    if layer < len(weights):
        above = float(weights[layer].abs().sum(1).max()) * ends[layer + 1]
        total += above * 2.0 ** (fraction_bits - layers.fraction_bits[layer])
    else:
        population = layers.populations[layer]
        total += float((population.state_max - population.state_min) << fraction_bits)
    return total
