"""Walks an MLP's graph in order, along the one value that depends on the input.

One reader for quantised graphs (`toreq-hw import`) and float ones (`toreq-hw quantize`): every
node is understood as a whole and taken where it stands, or refused by its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import onnx

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.onnx_layers import arithmetic, bound, linear, normalise
from toreq_hw.quant.onnx_nodes import Node, operator_sets, understand
from toreq_hw.quant.onnx_shapes import Shape, pass_on
from toreq_hw.quant.onnx_states import (
    clip_bounds,
    clip_stored,
    dequantise,
    input_format,
    quant_format,
    stored_format,
)
from toreq_hw.quant.onnx_value import Value


class Chain(Value):
    """The value followed from the input through one node after the other.

    What a kind of node does is a method of that name; `_HANDLERS` says which operators those are.
    """

    def follow(self, node: Node) -> None:
        """Takes one node further. Raises NodeError where it does not belong to an MLP."""
        if self.constants.fold(node):
            return
        if node.operator == "Shape" and node.inputs[0] in self.shapes:
            shape = self.shapes[node.inputs[0]]
            self.constants.known[node.outputs[0]] = shape.dimensions(node)
            return
        used = [name for name in node.inputs if name not in self.constants.known and name]
        outputs = [name for name in node.outputs if name]
        if used != [self.current] or (len(outputs) != 1 and node.operator != "Dropout"):
            raise node.error(f"must take the chain's value, found inputs {used}")
        passed = pass_on(node, self.shape, self.constants)
        if passed is not None:
            self.keep(node, passed)
        elif self.ended and not (node.operator == "ArgMax" and self.ended != "ArgMax"):
            raise node.error(f"must not follow a {self.ended}, which ends an MLP")
        else:
            handler = _HANDLERS.get(node.operator)
            if handler is None:
                raise node.error("is not part of an MLP")
            handler(self, node)
        self.current = outputs[0]
        self.shapes[self.current] = self.shape

    def linear(self, node: Node) -> None:
        """`Gemm`, `MatMul`: the next layer.

        Raises NodeError where a layer's sums are not yet states.
        """
        self.must_be_real(node)
        if self.quantised and self.states is None:
            raise node.error("must take quantised values, found floats")
        if self.shape.rest is not None and len(self.shape.rest) != 1:
            raise node.error(
                f"must take values of shape (batch, n), found {1 + len(self.shape.rest)} dimensions"
            )
        layer = linear(node, self.current, self.shape.width, self.constants)
        if not self.quantised and self.layers and not self.layers[-1].bounded:
            raise node.error("must follow a Relu, found a layer without one")
        if self.front is not None and not self.layers:
            layer.takes(self.front)
        self.layers.append(layer)
        self.shape = Shape(self.shape.batch, (len(layer.bias),))

    def affine(self, node: Node) -> None:
        """`Add`, `Sub`, `Mul`, `Div`, `BatchNormalization` of a layer's sums.

        Raises NodeError where no layer's sums are before it.
        """
        self.must_be_real(node)
        layer = self.sums or self.before_layers(node)
        if layer is None:
            raise node.error("must stand between a Gemm or MatMul and its quantiser or ReLU")
        if node.operator == "BatchNormalization":
            normalise(node, self.shape, layer, self.constants)
        else:
            arithmetic(node, self.current, self.shape, layer, self.constants)
        layer.sums = node.outputs[0]

    def bound(self, node: Node) -> None:
        """`Max`, `Min`: one bound of the sums.

        Raises NodeError where no layer's sums are before it.
        """
        self.must_be_real(node)
        if self.sums is None:
            raise node.error("must stand behind a Gemm or MatMul")
        bound(node, self.current, self.shape, self.sums, self.constants)
        self.sums.sums = node.outputs[0]

    def relu(self, node: Node) -> None:
        """A lower bound of the sums, or fewer states.

        Raises NodeError where neither is before it.
        """
        self.must_be_real(node)
        if self.sums is not None:
            self.sums.clip(node, 0.0, float("inf"))
            self.sums.sums = node.outputs[0]
        elif self.states is not None:
            self.become(replace(self.states.within(0, 255), value=node.outputs[0]))
        else:
            raise node.error("must stand behind a Gemm or MatMul, or a quantiser")

    def clip(self, node: Node) -> None:
        """Bounds of stored integers, or of the sums.

        Raises NodeError where neither is before it.
        """
        if self.stored is not None:
            self.stored = clip_stored(node, self.stored, self.constants)
        elif self.sums is not None:
            self.sums.clip(node, *clip_bounds(node, self.constants))
            self.sums.sums = node.outputs[0]
        else:
            raise node.error("must stand between quantiser and DequantizeLinear, or behind a layer")

    def quant(self, node: Node) -> None:
        """QONNX's quantiser."""
        self.must_be_real(node)
        self.must_be_quantised(node)
        self.quantise(quant_format(node, self.constants))

    def store(self, node: Node) -> None:
        """`QuantizeLinear`: integers until the next DequantizeLinear."""
        self.must_be_real(node)
        self.must_be_quantised(node)
        self.stored = stored_format(node, self.constants)

    def restore(self, node: Node) -> None:
        """`DequantizeLinear`, of what a QuantizeLinear stored or of an input of integers.

        Raises NodeError where neither is before it.
        """
        self.must_be_quantised(node)
        if self.stored is None and not self.layers and self.first is None:
            self.stored = input_format(node, self.input_type, self.constants)
        if self.stored is None:
            raise node.error("must take stored integers, found floats")
        states = dequantise(node, self.stored, self.constants)
        self.stored = None
        self.quantise(states)

    def close(self) -> None:
        """Ends the graph; what a last `QuantizeLinear` stored are the outputs' states."""
        if self.stored is not None:
            self.quantise(replace(self.stored, value=self.current))

    def end(self, node: Node) -> None:
        """`Softmax`, `LogSoftmax`, `ArgMax` over the outputs: they move no class.

        Raises NodeError before the outputs, or over another axis.
        """
        self.must_be_real(node)
        axis = int(node.given.get("axis", _default_axis(node)))
        if not self.layers or self.shape.rest is None or len(self.shape.rest) != 1:
            raise node.error("must stand at the end of an MLP")
        if axis % 2 != 1:
            raise node.error(f"must be over the outputs, axis 1, found axis {axis}")
        node.only("select_last_index", 0)
        self.ended = node.operator


def read_chain(model: onnx.ModelProto, *, quantised: bool) -> Chain:
    """Follows a whole graph, from its one input to its one output.

    Raises NetworkFileError, naming the node that is not understood or not part of an MLP.
    """
    graph = model.graph
    sets = operator_sets(model)
    if len(graph.output) != 1:
        raise NetworkFileError(f"an MLP must have one output, found {len(graph.output)}")
    chain = Chain(graph, quantised=quantised)
    for proto in graph.node:
        node = understand(proto, sets)
        for name in node.outputs:
            if name and (name in chain.constants.known or name == chain.current):
                raise node.error(f"must give a value of its own, found {name!r:.80} again")
        chain.follow(node)
    chain.close()
    if chain.current != graph.output[0].name or not chain.layers:
        raise NetworkFileError(
            f"output {graph.output[0].name!r:.80}: must end a chain with a Gemm or MatMul"
        )
    if quantised and chain.first is None:
        raise NetworkFileError("a quantised MLP must have a quantised input")
    return chain


def _default_axis(node: Node) -> int:
    if node.operator == "ArgMax":
        return 0
    return -1 if node.version >= 13 else 1


_Handler = Callable[[Chain, Node], None]

_HANDLERS: Mapping[str, _Handler] = {
    "Add": Chain.affine,
    "ArgMax": Chain.end,
    "BatchNormalization": Chain.affine,
    "Clip": Chain.clip,
    "DequantizeLinear": Chain.restore,
    "Div": Chain.affine,
    "Gemm": Chain.linear,
    "IntQuant": Chain.quant,
    "LogSoftmax": Chain.end,
    "MatMul": Chain.linear,
    "Max": Chain.bound,
    "Min": Chain.bound,
    "Mul": Chain.affine,
    "Quant": Chain.quant,
    "QuantizeLinear": Chain.store,
    "Relu": Chain.relu,
    "Softmax": Chain.end,
    "Sub": Chain.affine,
}
