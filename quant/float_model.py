"""A layered equilibrium network in real numbers: activations over 0..1, couplings both ways.

File: `.safetensors` with float tensors `<pre>-<post>.weight` (pre.size, post.size) for each
coupling of the chain input - .. - output, and `<population>.bias` (size,). An activation is
clip(sum of W s + b, 0, 1); parity order, as docs/numerics.md has it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import reals, widen
from toreq_hw.errors import InputError, NetworkFileError
from toreq_hw.files import replacing
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.parameters import Parameters, bias_lsbs_per_unit, lsbs_per_unit
from toreq_hw.quant.real_layers import check_layers
from toreq_hw.tensor_file import tensor_bytes

SETTLED = 1e-6
"""A sweep that moves no activation further than this ends a relaxation."""

MAX_SWEEPS = 200

_WEIGHT = re.compile(r"([a-z][a-z0-9_]{0,31})-([a-z][a-z0-9_]{0,31})\.weight")


@named_type_errors
@dataclass(frozen=True, eq=False)
class FloatModel:
    """names: populations from input to output. weights: float64 (n_pre, n_post) each;
    biases: float64 (size,), one per population but the input. Raises InputError for layers that
    form no chain, or values that are not finite in float32, which files hold.
    """

    names: tuple[str, ...]
    weights: tuple[Reals, ...]
    biases: tuple[Reals, ...]

    def __post_init__(self) -> None:
        weights, biases = check_layers(self.weights, self.biases)
        if len(self.names) != len(weights) + 1:
            raise InputError(
                f"names must be {len(weights) + 1}, one a population, not {self.names}"
            )
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "biases", biases)

    def couplings(self) -> list[str]:
        """`pre-post` of each coupling."""
        return [f"{a}-{b}" for a, b in zip(self.names, self.names[1:], strict=False)]


@named_type_errors
def from_parameters(parameters: Parameters) -> FloatModel:
    """Latent weights as they are, before any quantiser."""
    layers = parameters.layers
    return FloatModel(
        names=tuple(p.name for p in layers.populations),
        weights=tuple(
            w.cpu().numpy().astype(np.float64) / lsbs_per_unit(layers, k)
            for k, w in enumerate(parameters.weights)
        ),
        biases=tuple(
            b.cpu().numpy().astype(np.float64) / bias_lsbs_per_unit(layers, k + 1)
            for k, b in enumerate(parameters.biases)
        ),
    )


@named_type_errors
def save_float(model: FloatModel, path: Path, *, run: str | None = None) -> None:
    """Writes a float model, as float32, in one step. run: names the run that made it."""
    tensors = {
        f"{name}.weight": weight.astype(np.float32)
        for name, weight in zip(model.couplings(), model.weights, strict=True)
    }
    for name, bias in zip(model.names[1:], model.biases, strict=True):
        tensors[f"{name}.bias"] = bias.astype(np.float32)
    with replacing(path) as temporary:
        temporary.write_bytes(tensor_bytes(tensors, {"run": run} if run else None))


def is_equilibrium_model(tensors: Mapping[str, Any]) -> bool:
    """Whether tensors are called as those of a float model are, or there are none."""
    return not tensors or any(_WEIGHT.fullmatch(name) for name in tensors)


@named_type_errors
def from_tensors(tensors: Mapping[str, npt.NDArray[Any]]) -> FloatModel:
    """Checks the tensors of a float model's file. Raises NetworkFileError naming the tensor.

    Weights are (pre.size, post.size), biases (size,), float.
    """
    ends = {name: m.groups() for name in tensors if (m := _WEIGHT.fullmatch(name))}
    following = {pre: (post, name) for name, (pre, post) in ends.items()}
    first = {pre for pre, _ in ends.values()} - {post for _, post in ends.values()}
    if len(first) != 1 or len(following) != len(ends):
        raise NetworkFileError(
            "tensors <pre>-<post>.weight must form one chain from an input to an output, "
            f"found {', '.join(ends) or 'none'}"
        )
    names = [first.pop()]
    weights: list[Reals] = []
    biases: list[Reals] = []
    while names[-1] in following:
        post, name = following[names[-1]]
        weight = widen(tensors[name])
        expected = str(weights[-1].shape[1]) if weights else "m"
        if weight.ndim != 2 or not weight.size or expected not in ("m", str(len(weight))):
            raise NetworkFileError(
                f"tensor {name!r}: must have shape ({expected}, n), not {weight.shape}"
            )
        if post in names:
            raise NetworkFileError(f"tensor {name!r}: must not lead back to {post!r}")
        bias = widen(tensors.get(f"{post}.bias", np.zeros(weight.shape[1])))
        if bias.shape != (weight.shape[1],):
            raise NetworkFileError(
                f"tensor '{post}.bias': must have shape ({weight.shape[1]},), not {bias.shape}"
            )
        names.append(post)
        weights.append(weight)
        biases.append(bias)
    unknown = set(tensors) - set(ends) - {f"{name}.bias" for name in names[1:]}
    if unknown or len(weights) != len(ends):
        strange = min(unknown or set(ends))
        raise NetworkFileError(f"tensor {strange!r:.80}: must belong to the chain {names}")
    return FloatModel(tuple(names), tuple(weights), tuple(biases))


@named_type_errors
def relax_float(
    weights: Sequence[Reals], biases: Sequence[Reals], inputs: npt.ArrayLike
) -> tuple[list[Reals], int]:
    """Equilibrium of activations over 0..1, float64 (batch, size) per relaxing population.

    Returns it with the sweeps run, at most MAX_SWEEPS. Raises InputError for inputs, weights or
    biases that are not finite, or of shapes that form no chain.
    """
    checked, added = check_layers(weights, biases)
    given = reals("inputs", inputs, ("batch", len(checked[0])))
    real = [torch.from_numpy(np.ascontiguousarray(w)) for w in checked]
    constant = [torch.from_numpy(np.ascontiguousarray(b)) for b in added]
    base = [b.expand(len(given), -1) for b in constant]
    base[0] = torch.addmm(constant[0], torch.from_numpy(np.ascontiguousarray(given)), real[0])
    states = [torch.zeros_like(part) for part in base]
    sweeps, moved = 0, 1.0
    while moved > SETTLED and sweeps < MAX_SWEEPS:
        sweeps += 1
        moved = 0.0
        for index in (*range(0, len(states), 2), *range(1, len(states), 2)):
            total = base[index]
            if index > 0:
                total = torch.addmm(total, states[index - 1], real[index])
            if index + 1 < len(states):
                total = torch.addmm(total, states[index + 1], real[index + 1].T)
            new = total.clamp(0, 1)
            moved = max(moved, float((new - states[index]).abs().max()))
            states[index] = new
    return [s.numpy() for s in states], sweeps
