"""The linear layers of a torch state_dict, with BatchNorm1d folded into them.

A state_dict names tensors and does not tell what is between the layers: that is taken to be ReLU.
`layer_order` says which layer follows which, `norm_folding` where a BatchNorm1d stands.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.arrays import widen
from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.layer_order import layer_order, weight_of
from toreq_hw.quant.norm_folding import Linear, Norm, fold
from toreq_hw.reading import shown

EPSILON = 1e-5
"""What `BatchNorm1d` adds to a variance; a state_dict does not hold it."""

COUNTER = "num_batches_tracked"
"""The last part of the name of what a `BatchNorm1d` counts, an integer that computes nothing."""

_LEAVES = ("weight", "bias", "running_mean", "running_var", COUNTER)

_LONGEST = 200
"""Characters of a module's name, its path included."""

Tensors = Mapping[str, npt.NDArray[Any]]


def linear_layers(tensors: Tensors) -> list[Linear]:
    """All layers from the input to the output, every BatchNorm1d folded into one of them.

    tensors: by name, as torch names them, weights (n_out, n_in). Raises NetworkFileError naming
    the tensor that is neither of a Linear nor of a BatchNorm1d, or has another shape than it must.
    """
    modules = _modules(tensors)
    norms = [_norm(name, parts) for name, parts in modules.items() if "running_mean" in parts]
    weights = {
        name: _weight(name, parts) for name, parts in modules.items() if "running_mean" not in parts
    }
    shapes = {name: (weight.shape[0], weight.shape[1]) for name, weight in weights.items()}
    if not shapes:
        raise NetworkFileError("tensors must be of Linear layers, found none")
    order = layer_order(shapes)
    layers = [
        Linear(name, weights[name].T, _vector(name, "bias", modules[name], len(weights[name]), 0.0))
        for name in order
    ]
    fold(norms, layers)
    return layers


def _modules(tensors: Tensors) -> dict[str, dict[str, npt.NDArray[Any]]]:
    """Tensors by the module they belong to and what they are of it."""
    modules: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for tensor in tensors:
        module, _, leaf = tensor.rpartition(".")
        if leaf not in _LEAVES or len(module) > _LONGEST:
            raise NetworkFileError(
                f"tensor {shown(tensor)}: must be a weight or bias of a Linear layer, or of a "
                "BatchNorm1d"
            )
        modules.setdefault(module, {})[leaf] = tensors[tensor]
    for module, parts in modules.items():
        statistics = {"running_mean", "running_var"} & set(parts)
        if len(statistics) == 1 or (COUNTER in parts and not statistics):
            lone = min(set(parts) - {"weight", "bias"})
            raise NetworkFileError(
                f"tensor {shown(f'{module}.{lone}')}: must have the running_mean and "
                "running_var of a BatchNorm1d beside it"
            )
    return modules


def _weight(name: str, parts: dict[str, npt.NDArray[Any]]) -> Reals:
    if "weight" not in parts:
        tensor = f"{name}.bias" if name else "bias"
        raise NetworkFileError(f"tensor {shown(tensor)}: must have a weight beside it, found none")
    weight = widen(parts["weight"])
    if weight.ndim != 2 or not weight.size:
        raise NetworkFileError(
            f"tensor {shown(weight_of(name))}: must have shape (m, n) of a Linear layer, not "
            f"{weight.shape} (a BatchNorm1d has its running_mean and running_var beside it)"
        )
    return weight


def _vector(
    name: str, leaf: str, parts: dict[str, npt.NDArray[Any]], size: int, missing: float
) -> Reals:
    vector = widen(parts[leaf]) if leaf in parts else np.full(size, missing)
    if vector.shape != (size,):
        tensor = f"{name}.{leaf}" if name else leaf
        raise NetworkFileError(
            f"tensor {shown(tensor)}: must have shape ({size},), not {vector.shape}"
        )
    return vector


def _norm(name: str, parts: dict[str, npt.NDArray[Any]]) -> Norm:
    size = parts["running_mean"].size
    means = _vector(name, "running_mean", parts, size, 0.0)
    variances = _vector(name, "running_var", parts, size, 1.0)
    if (variances < 0).any():
        raise NetworkFileError(
            f"tensor {shown(f'{name}.running_var')}: must not be negative, "
            f"found {variances.min():.3g}"
        )
    scale = _vector(name, "weight", parts, size, 1.0) / np.sqrt(variances + EPSILON)
    return Norm(name, scale, _vector(name, "bias", parts, size, 0.0) - means * scale, means)
