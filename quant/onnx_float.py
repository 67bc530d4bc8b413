"""A plain float multilayer perceptron in ONNX, as torch exports it."""

from pathlib import Path

import onnx

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.mlp import Mlp
from toreq_hw.quant.onnx_constants import PASSIVE, Constants, NodeError, describe
from toreq_hw.quant.onnx_file import read_model
from toreq_hw.quant.onnx_layers import Layer, add, linear, normalise

_AFFINE = {"Add": add, "BatchNormalization": normalise}

_AT_THE_END = frozenset({"Softmax", "LogSoftmax"})
"""They move no class."""


def read_float_onnx(path: Path) -> Mlp:
    """Understood: `Gemm` or `MatMul` with constant weights, `Add` of a constant,
    `BatchNormalization` behind it, one `Relu` between layers, nodes that move no values, and a
    softmax at the end. Raises NetworkFileError naming the file, and the node in the way.
    """
    try:
        graph = read_model(path).graph
        constants = Constants(graph)
        inputs = [i.name for i in graph.input if i.name not in constants.known]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise NetworkFileError(
                "a float MLP must have one input and one output, "
                f"found {len(inputs)} and {len(graph.output)}"
            )
        chain = _Chain(inputs[0], constants)
        for node in graph.node:
            if not constants.fold(node):
                chain.follow(node)
        if chain.current != graph.output[0].name or not chain.layers:
            raise NetworkFileError(
                f"output {graph.output[0].name!r:.80}: must end a chain with a Gemm or MatMul"
            )
    except NetworkFileError as error:
        raise NetworkFileError(f"{path}: {error}") from error
    return Mlp(
        tuple(layer.weight for layer in chain.layers), tuple(layer.bias for layer in chain.layers)
    )


class _Chain:
    """The value followed so far and the layers before it."""

    def __init__(self, current: str, constants: Constants) -> None:
        self.current = current
        self.layers: list[Layer] = []
        self._constants = constants
        self._rectified = True
        self._ended = False

    def follow(self, node: onnx.NodeProto) -> None:
        """Takes one node further. Raises NodeError where it does not belong to an MLP."""
        used = [name for name in node.input if name not in self._constants.known and name]
        if used != [self.current] or len(node.output) != 1:
            raise NodeError(describe(node), f"must take the chain's value, found inputs {used}")
        if self._ended and node.op_type not in PASSIVE:
            raise NodeError(describe(node), "must not follow a softmax")
        if node.op_type in ("Gemm", "MatMul"):
            self._start(node)
        elif self.layers and not self._rectified and node.op_type in _AFFINE:
            _AFFINE[node.op_type](node, self.layers[-1], self._constants)
        elif self.layers and not self._rectified and node.op_type == "Relu":
            self._rectified = True
        elif self.layers and not self._rectified and node.op_type in _AT_THE_END:
            self._ended = True
        elif node.op_type not in PASSIVE:
            raise NodeError(describe(node), "is not part of a float MLP with ReLU between layers")
        self.current = node.output[0]

    def _start(self, node: onnx.NodeProto) -> None:
        if not self._rectified:
            raise NodeError(describe(node), "must follow a Relu, found a layer without one")
        layer = linear(node, self.current, self._constants)
        width = len(self.layers[-1].bias) if self.layers else len(layer.weight)
        if len(layer.weight) != width:
            reason = f"must have weights for {width} values, found {len(layer.weight)}"
            raise NodeError(describe(node), reason)
        self.layers.append(layer)
        self._rectified = False
