"""What real-valued layers must be before anything is computed with them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw.arrays import reals
from toreq_hw.errors import InputError
from toreq_hw.quant.fit import Reals

FLOAT32_MAX = float(np.finfo(np.float32).max)
"""Largest weight or bias: files hold float32, and float64 then has room to compute."""


def check_layers(
    weights: Sequence[npt.ArrayLike], biases: Sequence[npt.ArrayLike]
) -> tuple[tuple[Reals, ...], tuple[Reals, ...]]:
    """Weights (n_in, n_out) and biases (n_out,) of one chain, as float64.

    Raises InputError for other shapes, and for values that are not finite in float32.
    """
    if not weights or len(weights) != len(biases):
        raise InputError(
            f"layers must have one weight and one bias each, found {len(weights)} and {len(biases)}"
        )
    checked: list[Reals] = []
    added: list[Reals] = []
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1):
        rows: int | str = checked[-1].shape[1] if checked else "n"
        what = f"weights of layer {number}"
        checked.append(reals(what, weight, (rows, "m"), -FLOAT32_MAX, FLOAT32_MAX))
        if not checked[-1].size:
            raise InputError(f"{what}: must be at least one, found shape {checked[-1].shape}")
        shape = (checked[-1].shape[1],)
        added.append(reals(f"biases of layer {number}", bias, shape, -FLOAT32_MAX, FLOAT32_MAX))
    return tuple(checked), tuple(added)
