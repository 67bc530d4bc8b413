"""A feed-forward multilayer perceptron in real numbers, and the equilibrium model it can start.

Between layers is a ReLU; inputs are over 0..1 and the class is the largest output.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import reals
from toreq_hw.errors import InputError
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.float_model import FloatModel
from toreq_hw.quant.real_layers import check_layers
from toreq_hw.quant.state_dict import linear_layers

HIGHEST = 99.9
"""Percentile of a layer's activations that becomes 1; what is above is clipped."""


@named_type_errors
@dataclass(frozen=True, eq=False)
class Mlp:
    """weights: float64 (n_in, n_out) each; biases: float64 (n_out,) each.

    Raises InputError for layers that form no chain, or values that are not finite in float32.
    """

    weights: tuple[Reals, ...]
    biases: tuple[Reals, ...]

    def __post_init__(self) -> None:
        weights, biases = check_layers(self.weights, self.biases)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", biases)

    def activations(self, inputs: npt.ArrayLike) -> list[Reals]:
        """What each layer puts out for inputs (batch, n_in), (batch, n_out) each; the last one's
        are its sums. Raises InputError for inputs that are not finite, or sums that would not be.
        """
        found = [reals("inputs", inputs, ("batch", len(self.weights[0])))]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            before = found[-1] if len(found) == 1 else np.maximum(found[-1], 0)
            with np.errstate(over="ignore", invalid="ignore"):
                found.append(before @ weight + bias)
            if not np.isfinite(found[-1]).all():
                raise InputError(
                    f"sums of layer {len(found) - 1} must stay finite, found weights or inputs "
                    "too large for float64"
                )
        return [*(np.maximum(part, 0) for part in found[1:-1]), found[-1]]


@named_type_errors
def equilibrium_model(mlp: Mlp, inputs: npt.ArrayLike) -> FloatModel:
    """The same layers with activations over 0..1, joined both ways.

    Each hidden layer is divided by the `HIGHEST` percentile of its activations for `inputs`
    (batch, n_in), which the next layer's weights make up for. The outputs are shifted by their
    median, which moves no class, and divided likewise. Fed forward, this would be the MLP with
    its highest activations clipped; what flows back the MLP does not know. Raises InputError.
    """
    *hidden, outputs = mlp.activations(inputs)
    middle = float(np.median(outputs))
    scales = [1.0, *(_highest(part) for part in hidden), _highest(outputs - middle)]
    biases = [*mlp.biases[:-1], mlp.biases[-1] - middle]
    inner = len(hidden)
    names = [f"hidden{k + 1}" if inner > 1 else "hidden" for k in range(inner)]
    return FloatModel(
        names=("input", *names, "output"),
        weights=tuple(
            weight * (before / after)
            for weight, (before, after) in zip(mlp.weights, pairwise(scales), strict=True)
        ),
        biases=tuple(bias / scale for bias, scale in zip(biases, scales[1:], strict=True)),
    )


@named_type_errors
def from_state_dict(tensors: Mapping[str, npt.NDArray[Any]]) -> Mlp:
    """The MLP of a torch state_dict, whose weights are (n_out, n_in).

    See `state_dict` for what is understood. Raises NetworkFileError naming the tensor.
    """
    layers = linear_layers(tensors)
    return Mlp(tuple(x.weight for x in layers), tuple(x.bias for x in layers))


def _highest(activations: Reals) -> float:
    """Of what is above 0; 1 where nothing is."""
    positive = activations[activations > 0]
    return float(np.percentile(positive, HIGHEST)) if positive.size else 1.0
