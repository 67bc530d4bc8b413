"""A plain float multilayer perceptron in ONNX, as torch and others export it."""

from pathlib import Path

import numpy as np
import onnx

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.mlp import Mlp
from toreq_hw.quant.onnx_chain import Chain, read_chain
from toreq_hw.quant.onnx_file import read_model
from toreq_hw.quant.onnx_layers import Layer
from toreq_hw.quant.onnx_reference import graph_values

_COMPARED = 64
"""Random inputs on which the MLP and its graph are compared."""

_RELATIVE_ERRORS = {"FLOAT": 2.0**-24, "DOUBLE": 2.0**-48}
"""Of one operation, by the type of the graph's values (of float64 with room for our own error).
onnxruntime does not run float16 and bfloat16 everywhere, so graphs of these are not compared.
"""


@named_type_errors
def read_float_onnx(path: Path) -> Mlp:
    """Understood: `Gemm` or `MatMul` with constant weights; `Add`, `Sub`, `Mul`, `Div` of
    constants and `BatchNormalization`, before or behind the `Relu` between layers; nodes that
    move no values; a softmax or `ArgMax` at the end.

    The graph is run on random inputs, and the MLP must compute the same outputs (`check_float`).
    Raises NetworkFileError naming the file, and the node in the way.
    """
    model = read_model(path)
    try:
        chain = read_chain(model, quantised=False)
        mlp = mlp_of(chain)
        check_float(model, chain, mlp)
    except NetworkFileError as error:
        raise NetworkFileError(f"{path}: {error}") from error
    return mlp


def mlp_of(chain: Chain) -> Mlp:
    """The MLP of a float chain; what stands between a ReLU and the next layer goes into the latter.

    Raises NodeError where a layer that another one follows is not bounded as a ReLU bounds.
    """
    weights: list[Reals] = []
    biases: list[Reals] = []
    sign, offset = np.ones(len(chain.layers[0].weight)), np.zeros(len(chain.layers[0].weight))
    for layer in chain.layers:
        weight = layer.weight * sign[:, None]
        bias = layer.bias + offset @ layer.weight
        if layer is not chain.layers[-1]:
            sign, offset = _rectify(layer)
            weight, bias = weight * sign, (bias - offset) * sign
        elif layer.bounded and layer.bounded_by is not None:
            raise layer.bounded_by.error("must not bound the outputs of an MLP")
        weights.append(weight)
        biases.append(bias)
    return Mlp(tuple(weights), tuple(biases))


def _rectify(layer: Layer) -> tuple[Reals, Reals]:
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


@np.errstate(all="ignore")
def check_float(model: onnx.ModelProto, chain: Chain, mlp: Mlp) -> None:
    """Runs the graph in onnxruntime; its outputs must be the MLP's, within their own float error.

    Raises NetworkFileError naming the last layer where they are not.
    """
    unit = _RELATIVE_ERRORS.get(chain.input_type)
    if unit is None:
        return
    rng = np.random.default_rng(0)
    size = len(mlp.weights[0])
    inputs = np.concatenate([rng.random((_COMPARED, size)), rng.normal(0, 3, (_COMPARED, size))])
    inputs = np.concatenate([inputs, np.zeros((-len(inputs) % chain.batch, size))])
    inputs = inputs.astype(np.float32)
    typed = inputs if chain.input_type == "FLOAT" else inputs.astype(np.float64)
    last = chain.layers[-1]
    found = graph_values(model, chain, typed, [last.sums])[last.sums].astype(np.float64)
    expected = mlp.activations(inputs.astype(np.float64))[-1]
    size_of, error = np.abs(inputs.astype(np.float64)), np.zeros(inputs.shape)
    for layer in chain.layers:
        weight = np.abs(layer.weight)
        size_of = size_of @ weight + layer.magnitude
        error = error @ weight + 1.1 * (layer.operations + 8) * unit * size_of
    if found.shape != expected.shape or not (np.abs(found - expected) <= error + 1e-12).all():
        raise last.node.error("must compute what was read of it, found other outputs")
