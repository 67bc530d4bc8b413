"""Relaxation of a layered network on torch tensors: integers kept in floats, exactly.

A float holds every integer up to 2^24 (float32) or 2^53 (float64). Each accumulator is a sum
whose every partial sum is at most `_reach`, so where that is at most 2^24 float32 products
are exact in any order, and otherwise float64 ones are: a network's bounds are 32 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from toreq_hw.network import Population

FLOAT32_EXACT = 1 << 24

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

    def scale(self, coupling: int, layer: int) -> float:
        """2^(F - f): what a product of `coupling` counts in the accumulator of `layer`."""
        return float(1 << (self.accumulator_fraction_bits(layer) - self.fraction_bits[coupling]))


@dataclass(frozen=True)
class Drive:
    """What stays constant during a phase, per relaxing population: float (batch, size)."""

    base: Tensors

    def nudged(self, nudge: torch.Tensor) -> "Drive":
        """Both nudged phases as one batch of twice the size: +nudge first, then -nudge."""
        doubled = [torch.cat([part, part]) for part in self.base]
        doubled[-1] = torch.cat([self.base[-1] + nudge, self.base[-1] - nudge])
        return Drive(doubled)


def exact_dtype(layers: Layers, weights: Sequence[torch.Tensor], biases: Tensors) -> torch.dtype:
    """Float32 where no accumulator of these weights can pass 2^24, else float64."""
    reach = max(_reach(layers, weights, biases, k) for k in range(1, len(layers.populations)))
    return torch.float32 if reach <= FLOAT32_EXACT else torch.float64


def drive(
    layers: Layers, inputs: torch.Tensor, weights: Sequence[torch.Tensor], biases: Tensors
) -> Drive:
    """Bias and input drive. inputs: integer-valued (batch, n_input), of the weights' dtype."""
    rows = len(inputs)
    base = [bias.expand(rows, -1) for bias in biases]
    base[0] = (inputs @ weights[0]).mul_(layers.scale(0, 1)).add_(biases[0])
    return Drive(base)


def relax(
    layers: Layers, weights: Sequence[torch.Tensor], phase: Drive, start: Tensors
) -> tuple[Tensors, int]:
    """Sweeps until a whole sweep changes nothing in the whole batch.

    start: states per relaxing population, integer-valued (batch, size). A sample that has
    settled stays as it is while others go on, so the batch ends where each sample would.
    Returns the states, and the sweeps of the sample that took longest.
    """
    states = list(start)
    sweeps = 0
    while True:
        sweeps += 1
        changed = False
        for colour in (0, 1):
            for index in range(colour, len(states), 2):
                new = _updated(layers, weights, phase, states, index)
                changed = changed or not torch.equal(new, states[index])
                states[index] = new
        if not changed:
            return states, sweeps


def zero_states(layers: Layers, like: torch.Tensor) -> Tensors:
    """All-zero states for every sample of `like`, (batch, anything)."""
    return [like.new_zeros((len(like), p.size)) for p in layers.populations[1:]]


def _updated(
    layers: Layers, weights: Sequence[torch.Tensor], phase: Drive, states: Tensors, index: int
) -> torch.Tensor:
    """New states of relaxing population `index` (population index + 1 of the network)."""
    layer = index + 1
    total = phase.base[index]
    if index > 0:
        below = states[index - 1] @ weights[index]
        total = below.mul_(layers.scale(index, layer)).add_(total)
    if index + 1 < len(states):
        above = states[index + 1] @ weights[index + 1].T
        total = above.mul_(layers.scale(index + 1, layer)).add_(total)
    population = layers.populations[layer]
    fraction_bits = layers.accumulator_fraction_bits(layer)
    half = float((1 << fraction_bits) >> 1)
    rounded = (total + half).mul_(2.0**-fraction_bits).floor_()
    return rounded.clamp_(population.state_min, population.state_max)


def _reach(layers: Layers, weights: Sequence[torch.Tensor], biases: Tensors, layer: int) -> float:
    """Largest magnitude of any partial sum of an accumulator of `layer`, halves included."""
    fraction_bits = layers.accumulator_fraction_bits(layer)
    bias = float(biases[layer - 1].abs().max())
    state_reach = [max(p.state_max, -p.state_min) for p in layers.populations]
    total = bias + float((1 << fraction_bits) >> 1)
    below = float(weights[layer - 1].abs().sum(0).max())
    total += below * state_reach[layer - 1] * layers.scale(layer - 1, layer)
    if layer < len(weights):
        above = float(weights[layer].abs().sum(1).max())
        total += above * state_reach[layer + 1] * layers.scale(layer, layer)
    else:
        population = layers.populations[layer]
        total += float((population.state_max - population.state_min) << fraction_bits)
    return total
