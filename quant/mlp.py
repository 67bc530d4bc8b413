"""A feed-forward multilayer perceptron in real numbers, and the equilibrium model it can start.

Between layers is a ReLU; inputs are over 0..1 and the class is the largest output.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.float_model import FloatModel

HIGHEST = 99.9
"""Percentile of a layer's activations that becomes 1; what is above is clipped."""

_NUMBERED = re.compile(r"((?:[A-Za-z_]\w*\.)*)(\d{1,4})\.(weight|bias)")


@dataclass(frozen=True, eq=False)
class Mlp:
    """weights: float64 (n_in, n_out) each; biases: float64 (n_out,) each."""

    weights: tuple[Reals, ...]
    biases: tuple[Reals, ...]

    def activations(self, inputs: Reals) -> list[Reals]:
        """What each layer puts out for inputs (batch, n_in), (batch, n_out) each; the last one's
        are its sums.
        """
        found = [inputs]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            before = found[-1] if len(found) == 1 else np.maximum(found[-1], 0)
            found.append(before @ weight + bias)
        return [*(np.maximum(part, 0) for part in found[1:-1]), found[-1]]


def equilibrium_model(mlp: Mlp, inputs: Reals) -> FloatModel:
    """The same layers with activations over 0..1, joined both ways.

    Each hidden layer is divided by the `HIGHEST` percentile of its activations for `inputs`
    (batch, n_in), which the next layer's weights make up for. The outputs are shifted by their
    median, which moves no class, and divided likewise. Fed forward, this would be the MLP with
    its highest activations clipped; what flows back the MLP does not know.
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


def is_state_dict(tensors: Mapping[str, Any]) -> bool:
    """Whether tensors are called as torch calls those of a `Sequential`: 0.weight, 0.bias, .."""
    return any(_NUMBERED.fullmatch(name) for name in tensors)


def from_state_dict(tensors: Mapping[str, npt.NDArray[Any]]) -> Mlp:
    """The linear layers of a torch `Sequential`, whose weights are (n_out, n_in).

    A state_dict does not tell what is between them; it is taken to be ReLU. Raises
    NetworkFileError naming the tensor.
    """
    layers: dict[int, dict[str, npt.NDArray[Any]]] = {}
    prefixes = set()
    for name, tensor in tensors.items():
        match = _NUMBERED.fullmatch(name)
        if not match:
            raise NetworkFileError(
                f"tensor {name!r:.80}: must be <number>.weight or <number>.bias of a linear layer"
            )
        prefixes.add(match[1])
        layers.setdefault(int(match[2]), {})[match[3]] = tensor
    if len(prefixes) > 1:
        raise NetworkFileError(
            f"tensors must be of one Sequential, found {sorted(prefixes)!r:.100}"
        )
    prefix = prefixes.pop()
    weights: list[Reals] = []
    biases: list[Reals] = []
    for number, parts in sorted(layers.items()):
        where = f"tensor '{prefix}{number}"
        if "weight" not in parts:
            raise NetworkFileError(f"{where}.bias': must have a weight beside it, found none")
        weight = parts["weight"].astype(np.float64)
        expected = str(weights[-1].shape[1]) if weights else "n"
        if weight.ndim != 2 or not weight.size or expected not in ("n", str(weight.shape[1])):
            raise NetworkFileError(
                f"{where}.weight': must have shape (m, {expected}), not {weight.shape}"
            )
        bias = parts.get("bias", np.zeros(len(weight))).astype(np.float64)
        if bias.shape != (len(weight),):
            raise NetworkFileError(
                f"{where}.bias': must have shape ({len(weight)},), not {bias.shape}"
            )
        weights.append(weight.T)
        biases.append(bias)
    return Mlp(tuple(weights), tuple(biases))


def _highest(activations: Reals) -> float:
    """Of what is above 0; 1 where nothing is."""
    positive = activations[activations > 0]
    return float(np.percentile(positive, HIGHEST)) if positive.size else 1.0
