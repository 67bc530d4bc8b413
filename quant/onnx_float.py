"""A plain float multilayer perceptron in ONNX, as torch and others export it."""

from pathlib import Path

import numpy as np

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.mlp import Mlp
from toreq_hw.quant.onnx_chain import Chain, read_chain
from toreq_hw.quant.onnx_file import read_model
from toreq_hw.quant.onnx_layers import Layer


def read_float_onnx(path: Path) -> Mlp:
    """Understood: `Gemm` or `MatMul` with constant weights; `Add`, `Sub`, `Mul`, `Div` of
    constants and `BatchNormalization`, before or behind the `Relu` between layers; nodes that
    move no values; a softmax or `ArgMax` at the end.

    Raises NetworkFileError naming the file, and the node in the way.
    """
    try:
        return mlp_of(read_chain(read_model(path), quantised=False))
    except NetworkFileError as error:
        raise NetworkFileError(f"{path}: {error}") from error


def mlp_of(chain: Chain) -> Mlp:
    """The MLP of a float chain; what stands between a ReLU and the next layer goes into the latter.

    Raises NodeError where a layer that another one follows is not bounded as a ReLU bounds.
    """
    weights: list[Reals] = []
    biases: list[Reals] = []
    sign: Reals | None = None
    offset: Reals | None = None
    for layer in chain.layers:
        weight, bias = layer.weight, layer.bias
        if sign is not None and offset is not None:
            bias = bias + offset @ weight
            weight = weight * sign[:, None]
        if layer is not chain.layers[-1]:
            turn, offset = _rectified(layer)
            sign = np.sign(turn)
            weight, bias = weight * turn, (bias - offset) * turn
        elif layer.bounded and layer.bounded_by is not None:
            raise layer.bounded_by.error("must not bound the outputs of an MLP")
        weights.append(weight)
        biases.append(bias)
    return Mlp(tuple(weights), tuple(biases))


def _rectified(layer: Layer) -> tuple[Reals, Reals]:
    """Sign and offset, (n,) each, with which values are sign ReLU(sign (sums - offset)) + offset.

    A neuron that stands still has the sign 1 and its value as its offset.
    """
    lower, upper = np.isfinite(layer.low), np.isfinite(layer.high)
    still = ~layer.weight.any(axis=0) & ~lower & ~upper
    if ((lower == upper) & ~still).any():
        raise (layer.bounded_by or layer.node).error(
            "must bound values on one side, as a Relu does"
        )
    sign = np.where(upper, -1.0, 1.0)
    offset = np.where(lower, layer.low, np.where(upper, layer.high, layer.bias))
    return sign, offset
