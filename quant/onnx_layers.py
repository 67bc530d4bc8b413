"""The affine parts of an MLP's graph: constant weights, biases and folded normalisations."""

from dataclasses import dataclass

import numpy as np
import onnx

from toreq_hw.quant.fit import Reals
from toreq_hw.quant.onnx_constants import (
    Constants,
    NodeError,
    StateFormat,
    attributes,
    describe,
)


@dataclass
class Layer:
    """One linear map and the state format it ends in. weight: (n_in, n_out); bias: (n_out,)."""

    node: str
    weight: Reals
    bias: Reals
    states: StateFormat | None = None


def linear(node: onnx.NodeProto, current: str, constants: Constants) -> Layer:
    """The map of a `Gemm` or `MatMul` whose constant is on its right. Raises NodeError."""
    weight = constants.real(node, 1, ndim=2)
    if node.input[0] != current:
        raise NodeError(describe(node), "must have constant weights on its right")
    given = attributes(node)
    if node.op_type == "MatMul":
        return _checked(node, Layer(describe(node), weight, np.zeros(weight.shape[1])))
    if given.get("transA", 0):
        raise NodeError(describe(node), "must not transpose its input, found transA")
    if given.get("transB", 0):
        weight = weight.T
    weight = weight * given.get("alpha", 1.0)
    layer = _checked(node, Layer(describe(node), weight, np.zeros(weight.shape[1])))
    if len(node.input) > 2 and node.input[2]:
        _add_bias(node, layer, constants.real(node, 2) * given.get("beta", 1.0))
    return layer


def add(node: onnx.NodeProto, layer: Layer, constants: Constants) -> None:
    """An `Add` of a constant to a layer's sums."""
    index = 1 if node.input[1] in constants.known else 0
    _add_bias(node, layer, constants.real(node, index))


def _add_bias(node: onnx.NodeProto, layer: Layer, added: Reals) -> None:
    try:
        layer.bias = np.broadcast_to(layer.bias + added, layer.bias.shape)
    except ValueError as error:
        raise NodeError(describe(node), f"must add one value per neuron: {error}") from error
    _checked(node, layer)


def normalise(node: onnx.NodeProto, layer: Layer, constants: Constants) -> None:
    """Folds a batch normalisation: scale (x - mean) / sqrt(variance + epsilon) + shift."""
    scale, shift, mean, variance = (constants.real(node, k, ndim=1) for k in (1, 2, 3, 4))
    if {len(scale), len(shift), len(mean), len(variance)} != {len(layer.bias)}:
        raise NodeError(describe(node), "must have one value per neuron")
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = scale / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
    layer.weight = layer.weight * factor
    layer.bias = (layer.bias - mean) * factor + shift
    _checked(node, layer)


def _checked(node: onnx.NodeProto, layer: Layer) -> Layer:
    if not (np.isfinite(layer.weight).all() and np.isfinite(layer.bias).all()):
        raise NodeError(describe(node), "must have finite weights, found NaN or infinity")
    if not layer.weight.size:
        raise NodeError(describe(node), f"must have weights, found shape {layer.weight.shape}")
    return layer
