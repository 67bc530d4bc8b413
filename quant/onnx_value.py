"""The one value of an MLP's graph that depends on the input, as far as the graph is read."""

from dataclasses import replace

import numpy as np
import onnx

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.onnx_constants import Constants
from toreq_hw.quant.onnx_layers import Layer
from toreq_hw.quant.onnx_nodes import Node
from toreq_hw.quant.onnx_shapes import Shape, input_shape
from toreq_hw.quant.onnx_states import StateFormat, requantise
from toreq_hw.quant.onnx_tensor import element_type

_FLOATS = ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16")
_QUANTISED_INPUTS = ("FLOAT", "INT8", "UINT8")


class Value:
    """What the value at hand is: states, stored integers, or the sums of the last layer.

    current: its name; shapes: of each name it had. quantised: whether layers must take and give
    quantised values. first: the input's format. layers: in order; the last one's sums are what the
    value is where it has no states yet. front: what is done to inputs before the first layer.
    stored: the format of integers until they are values again. ended: the operator that ended the
    MLP.
    """

    def __init__(self, graph: onnx.GraphProto, *, quantised: bool) -> None:
        self.constants = Constants(graph)
        value = _one_input(graph, self.constants)
        self.input_name = self.current = value.name
        self.input_type = element_type(value.type.tensor_type.elem_type)
        self.shape = input_shape(value)
        self.batch = self.shape.batch or 1
        self.input_sizes = self.shape.rest
        self.quantised = quantised
        if self.input_type not in (_QUANTISED_INPUTS if quantised else _FLOATS):
            raise NetworkFileError(
                f"input {self.input_name!r:.80}: must be "
                f"{'float32 or integers of 8 bits' if quantised else 'floats'}, "
                f"found {self.input_type}"
            )
        self.first: StateFormat | None = None
        self.layers: list[Layer] = []
        self.front: Layer | None = None
        self.stored: StateFormat | None = None
        self.ended = ""
        self.shapes: dict[str, Shape] = {self.current: self.shape}

    @property
    def states(self) -> StateFormat | None:
        """The format of the current value, where it is quantised."""
        return self.layers[-1].states if self.layers else self.first

    @property
    def sums(self) -> Layer | None:
        """The layer whose sums the current value is, where it is not quantised."""
        return self.layers[-1] if self.layers and self.layers[-1].states is None else None

    def keep(self, node: Node, shape: Shape) -> None:
        """The same value in another shape, or type. Raises NodeError for stored integers."""
        if node.operator == "Cast" and (self.stored is not None or self.input_type != "FLOAT"):
            raise node.error("must not change the type of values")
        self.shape = shape
        states = self.states
        if self.stored is None and states is not None:
            self.become(replace(states, value=node.outputs[0]))
        elif self.sums is not None and not self.ended:
            self.sums.sums = node.outputs[0]

    def become(self, states: StateFormat) -> None:
        """From here on the value is states of this format."""
        if self.layers:
            self.layers[-1].states = states
        else:
            self.first = states

    def must_be_real(self, node: Node) -> None:
        """Raises NodeError for integers: stored ones, or those of an input."""
        if self.stored is not None:
            raise node.error("must take values, found stored integers without DequantizeLinear")
        if self.quantised and self.first is None and self.input_type != "FLOAT":
            raise node.error(f"must take float32 values, found {self.input_type}")

    def before_layers(self, node: Node) -> Layer | None:
        """What is done to the inputs of a float graph one by one, before the first layer.

        Raises NodeError where nobody knows how many inputs there are.
        """
        if self.quantised or self.layers:
            return None
        if not self.shape.width:
            raise node.error("must take values whose number is known")
        if self.front is None:
            self.front = Layer(node, np.ones((1, self.shape.width)), np.zeros(self.shape.width))
        return self.front

    def must_be_quantised(self, node: Node) -> None:
        """Raises NodeError for a quantiser in a graph of floats."""
        if not self.quantised:
            raise node.error("must not quantise: toreq-hw import reads quantised graphs")

    def quantise(self, states: StateFormat) -> None:
        """Ends the last layer's sums in states, or puts states into another format."""
        before = self.states
        self.become(states if before is None else requantise(before, states))


def _one_input(graph: onnx.GraphProto, constants: Constants) -> onnx.ValueInfoProto:
    inputs = [i for i in graph.input if i.name not in constants.known]
    if len(inputs) != 1:
        raise NetworkFileError(f"an MLP must have one input, found {len(inputs)}")
    kind = element_type(inputs[0].type.tensor_type.elem_type)
    if kind == "UNDEFINED" or not inputs[0].type.HasField("tensor_type"):
        raise NetworkFileError(f"input {inputs[0].name!r:.80}: must be a tensor")
    return inputs[0]
