"""A layered network on torch tensors: integers kept in floats, exactly.

All is counted in states: a weight is W 2^-f, an accumulator a 2^-F, and the rounding half is part
of the constant drive, so an update is clip(floor(sum)). Every value is a multiple of 2^-F, and a
float32 holds those exactly up to 2^24 of them (a float64 up to 2^53). No partial sum is larger than
the bound that `_in_lsbs` counts. Where that is at most 2^24, float32 products are exact in any
order. Otherwise float64 ones are: a network's bounds are 32 bits. A clamped output never updates:
its sums, without a rounding half, are read out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch

from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.network import (
    ClampedReadout,
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    Population,
)
from toreq_hw.network.schedule import two_sides
from toreq_hw.quant.convolution_form import ConvolutionForm
from toreq_hw.quant.forms import EdgeForm, Form, Link, MatrixForm

FLOAT32_EXACT = 1 << 24

Tensors = list[torch.Tensor]


@dataclass(frozen=True)
class Layers:
    """A layered network under the parity schedule: coupling k joins populations k and k + 1.

    fraction_bits: one per coupling. couplings: one of each, whose weights do not matter; all dense
    where there are none. readout, table: of a clamped output, and the thresholds of its budget row.
    """

    populations: tuple[Population, ...]
    fraction_bits: tuple[int, ...]
    couplings: tuple[Coupling, ...] = ()
    readout: ClampedReadout | None = None
    table: tuple[int, ...] = ()

    @property
    def relaxing(self) -> tuple[Population, ...]:
        """All populations but the input."""
        return self.populations[1:]

    @property
    def updating(self) -> tuple[Population, ...]:
        """Those of `relaxing` that a sweep updates: all, or all but a clamped output."""
        return self.relaxing if self.readout is None else self.relaxing[:-1]

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """How each coupling adds up."""
        if not self.couplings:
            sizes = pairwise(p.size for p in self.populations)
            return tuple(MatrixForm(pre, post) for pre, post in sizes)
        return tuple(form_of(coupling) for coupling in self.couplings)

    @cached_property
    def back_fraction_bits(self) -> tuple[int, ...]:
        """Fraction bits of each coupling on its way back: f + s."""
        if not self.couplings:
            return self.fraction_bits
        return tuple(c.back_fraction_bits for c in self.couplings)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Numbers of updating populations in the order of a sweep.

        Those of one colour stand together; they share no coupling, so one after another is the
        same as all at once.
        """
        names = [p.name for p in self.updating]
        return tuple(names.index(n) for side in two_sides(names, pairwise(names)) for n in side)

    def accumulator_fraction_bits(self, layer: int) -> int:
        """F of docs/numerics.md of population `layer`, which is not the input."""
        return max(0, self.fraction_bits[layer - 1], *self.back_fraction_bits[layer : layer + 1])

    def rounding_half(self, layer: int) -> int:
        """Of population `layer`, in its LSBs 2^-F; nothing of a clamped output, which has none."""
        if layer == len(self.populations) - 1 and self.readout is not None:
            return 0
        return rounding_half(self.accumulator_fraction_bits(layer))

    def nudge_scale(self, beta_shift: int) -> tuple[float, float]:
        """(scale, lsb): an output's error e makes a nudge of floor(e scale) lsb, in states:
        ((e << F) >> beta_shift) 2^-F of docs/numerics.md, section 5.
        """
        fraction_bits = self.accumulator_fraction_bits(len(self.relaxing))
        return 2.0 ** (fraction_bits - beta_shift), 2.0**-fraction_bits


@dataclass(frozen=True)
class Drive:
    """What stays constant during a free phase, rounding half included, in states.

    first: (batch, size) of the first relaxing population, which the input reaches.
    rest: (size,) of each other relaxing population, a clamped output among them.
    """

    first: torch.Tensor
    rest: Tensors


@dataclass(frozen=True)
class Phases:
    """outputs: free output states (batch, n_output), of a clamped output its sums in states.
    sweeps: of the slowest sample, free phase.

    rows: int64 (reached,), the samples whose nudge is not zero. Of the others, whose outputs
    are their targets, the nudged equilibria are the free one and have nothing to teach.
    plus, minus: nudged states of these samples, (reached, size) per relaxing population; those of
    a clamped output are what it sends.
    """

    outputs: torch.Tensor
    sweeps: int
    rows: torch.Tensor
    plus: Tensors
    minus: Tensors


def exact_dtype(
    layers: Layers,
    inputs: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Tensors,
    limit: int,
) -> torch.dtype:
    """Float32 where no accumulator of these inputs and weights can pass 2^24, else float64.

    inputs: (batch, n_input). limit: of a weight's magnitude, by its format. Only where that and
    the inputs do not settle it are the weights added up, which takes longer.
    """
    brightest = float(inputs.abs().sum(dim=1).max())
    for layer, bias in enumerate(biases, start=1):
        beside = _beside(layers, layer, float(bias.abs().max()))
        below = float(layers.forms[layer - 1].post_degree * _end(layers, layer - 1))
        below = min(below, brightest) if layer == 1 else below
        above = [f.pre_degree * _end(layers, layer + 1) for f in layers.forms[layer : layer + 1]]
        largest_products = [float(limit * count) for count in (below, *above)]
        if beside + _in_lsbs(layers, layer, largest_products) <= FLOAT32_EXACT:
            continue
        below = layers.forms[layer - 1].largest_sums(weights[layer - 1])[0]
        largest_products = [below * _end(layers, layer - 1)]
        largest_products += [
            form.largest_sums(weight)[1] * _end(layers, layer + 1)
            for form, weight in zip(
                layers.forms[layer : layer + 1], weights[layer : layer + 1], strict=True
            )
        ]
        if beside + _in_lsbs(layers, layer, largest_products) > FLOAT32_EXACT:
            return torch.float64
    return torch.float32


def links(layers: Layers, weights: Sequence[torch.Tensor], dtype: torch.dtype) -> list[Link]:
    """Real weights, exact, from integer-valued ones, of all couplings but the input's.

    weights: of the parameters' shapes, one a coupling.
    """
    bits = zip(layers.fraction_bits, layers.back_fraction_bits, strict=True)
    return [
        form.link(weight.to(dtype), 2.0**-own, 2.0 ** (own - back))
        for form, weight, (own, back) in zip(layers.forms, weights, bits, strict=True)
    ][1:]


def drive(layers: Layers, inputs: torch.Tensor, weight: torch.Tensor, biases: Tensors) -> Drive:
    """What inputs, biases and rounding halves add up to.

    inputs: integer-valued (batch, n_input) of the dtype to calculate in; weight: the input
    coupling's, integer-valued; biases: integer-valued, in LSBs, one a stored bias.
    """
    constant = []
    for layer, bias in enumerate(biases, start=1):
        lsb = 2.0 ** -layers.accumulator_fraction_bits(layer)
        each = bias.repeat(layers.populations[layer].size // len(bias)).to(inputs.dtype)
        constant.append((each + layers.rounding_half(layer)) * lsb)
    first = layers.forms[0].link(weight.to(inputs.dtype), 2.0 ** -layers.fraction_bits[0])
    return Drive(first.forward(inputs) + constant[0], constant[1:])


def form_of(coupling: Coupling) -> Form:
    """How a coupling of any kind adds up on tensors."""
    if isinstance(coupling, DenseCoupling):
        return MatrixForm(*coupling.shape)
    if isinstance(coupling, ConvolutionCoupling):
        return ConvolutionForm(coupling)
    return EdgeForm(coupling)


def _beside(layers: Layers, layer: int, bias: float) -> float:
    """The largest bias, the rounding half and, of the output, the nudge, in LSBs 2^-F."""
    fraction_bits = layers.accumulator_fraction_bits(layer)
    total = bias + layers.rounding_half(layer)
    if layer == len(layers.populations) - 1 and layers.readout is None:
        population = layers.populations[layer]
        total += float((population.state_max - population.state_min) << fraction_bits)
    return total


def _end(layers: Layers, population: int) -> int:
    """The largest magnitude of a state."""
    found = layers.populations[population]
    return max(found.state_max, -found.state_min)


def _in_lsbs(layers: Layers, layer: int, largest_products: Sequence[float]) -> float:
    """What couplings bring to a neuron of `layer` at most, from their LSBs to 2^-F.

    largest_products: from below and, if there is one, from above.
    """
    fraction_bits = layers.accumulator_fraction_bits(layer)
    own = (layers.fraction_bits[layer - 1], *layers.back_fraction_bits[layer : layer + 1])
    return sum(r * 2.0 ** (fraction_bits - f) for r, f in zip(largest_products, own, strict=True))
