"""What training moves: latent weights and biases, and the network they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from toreq_hw.errors import InputError
from toreq_hw.network import Coupling, DenseCoupling, Network, WeightFormat
from toreq_hw.quant.equilibrium import Layers, Tensors, exact_dtype
from toreq_hw.quant.quantisers import Quantiser

Weights = npt.NDArray[np.int8]
Biases = npt.NDArray[np.int32]

_INT32 = float((1 << 31) - 128)
"""Largest float32 that an int32 holds."""


@dataclass(frozen=True)
class Parameters:
    """Latent weights, of the parameters' shape, in LSBs of the coupling, and latent biases, one a
    stored bias, in LSBs of the accumulator; float32 tensors.
    """

    layers: Layers
    weight_format: WeightFormat
    quantiser: Quantiser
    weights: Tensors
    biases: Tensors

    def quantise(self) -> tuple[Tensors, Tensors]:
        """Integer-valued weights and biases of the latents' shapes; no gradient is kept."""
        with torch.no_grad():
            return [self.quantiser(w) for w in self.weights], [b.round() for b in self.biases]

    def exact(self, inputs: torch.Tensor, weights: Tensors, biases: Tensors) -> torch.Tensor:
        """Integer-valued inputs (batch, n_input) as floats that these weights keep exact.

        weights, biases: as `quantised` gives them.
        """
        inputs = inputs.to(torch.float32)
        limit = self.weight_format.limit
        return inputs.to(exact_dtype(self.layers, inputs, weights, biases, limit))

    def clip(self) -> None:
        """Keeps latents where the format can follow them, so that none drifts out of reach."""
        limit = float(self.weight_format.limit)
        for weight in self.weights:
            weight.clamp_(-limit, limit)

    def network(self, beta_shift: int) -> Network:
        """The trained network; NetworkError where an accumulator could leave 32 bits.

        Raises InputError where training has left no finite weights, or biases beyond 32 bits.
        """
        weights, biases = self.quantise()
        for what, limit, tensors in (("weights", 127, weights), ("biases", _INT32, biases)):
            for tensor in tensors:
                largest = float(tensor.abs().max()) if tensor.numel() else 0.0
                if not largest <= limit:
                    raise InputError(
                        f"trained {what} must stay within +-{limit:.0f}, found {largest:.3g}: "
                        "training diverged; use a smaller learning rate"
                    )
        return self._of(
            [weight.cpu().numpy().astype(np.int8) for weight in weights],
            [bias.cpu().numpy().astype(np.int32) for bias in biases],
            beta_shift,
        )

    def _of(self, weights: list[Weights], biases: list[Biases], beta_shift: int) -> Network:
        """The network of these integers."""
        layers = self.layers
        populations = layers.populations
        shapes: list[Coupling]
        if layers.couplings:
            own: dict[str, Any] = {"weight_format": self.weight_format}
            shapes = [replace(c, **own) for c in layers.couplings]
        else:
            shapes = [
                DenseCoupling(pre.name, post.name, weight, fraction_bits, self.weight_format)
                for (pre, post), weight, fraction_bits in zip(
                    pairwise(populations), weights, layers.fraction_bits, strict=True
                )
            ]
        return Network(
            populations,
            tuple(c.with_parameters(w) for c, w in zip(shapes, weights, strict=True)),
            {p.name: bias for p, bias in zip(populations[1:], biases, strict=True)},
            beta_shift=beta_shift,
            readout=layers.readout,
        )


def initial(
    layers: Layers,
    weight_format: WeightFormat,
    quantiser: Quantiser,
    generator: torch.Generator,
    device: str,
) -> Parameters:
    """Random latents: INT8 uniform in +-1/sqrt(fan-in) where activations run over 0..1, ternary
    uniform in +-1 LSB, so that about half the weights are zero; zero biases.
    """
    weights = []
    for index, form in enumerate(layers.forms):
        noise = torch.rand(form.shape, generator=generator) * 2 - 1
        if weight_format is WeightFormat.INT8:
            noise *= lsbs_per_unit(layers, index) / max(form.post_degree, 1) ** 0.5
        weights.append(noise.to(device))
    biases = [torch.zeros(p.biases, device=device) for p in layers.relaxing]
    return Parameters(layers, weight_format, quantiser, weights, biases)


def lsbs_per_unit(layers: Layers, coupling: int) -> float:
    """LSBs in a weight of 1 where activations run over 0..1: 2^f times the ratio of ranges."""
    pre, post = layers.populations[coupling], layers.populations[coupling + 1]
    return float(1 << layers.fraction_bits[coupling]) * post.state_max / pre.state_max


def bias_lsbs_per_unit(layers: Layers, layer: int) -> float:
    """Accumulator LSBs in a bias of 1 where activations run over 0..1."""
    return float(layers.populations[layer].state_max << layers.accumulator_fraction_bits(layer))


def spectral_norms(layers: Layers, weights: Sequence[torch.Tensor]) -> tuple[float, ...]:
    """Largest singular value of each coupling, activations over 0..1.

    A hard sigmoid's slope is at most 1, so this bounds what one population's change does to the
    next: the Lipschitz constant of one coupling, in the direction from pre to post. weights: of
    the parameters' shapes.
    """
    return tuple(
        form.norm(weight) / lsbs_per_unit(layers, k)
        for k, (form, weight) in enumerate(zip(layers.forms, weights, strict=True))
    )
