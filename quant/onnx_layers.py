"""The affine parts of an MLP's graph, taken in their order: weights, biases, normalisations, ReLUs.

What stands behind a linear map is kept as `clip(x W + b, low, high)` with bounds per neuron: a
ReLU is a lower bound, and what follows a ReLU moves the bound with the sums.
"""

from dataclasses import dataclass, field

import numpy as np

from toreq_hw.quant.fit import Reals
from toreq_hw.quant.onnx_constants import Constants
from toreq_hw.quant.onnx_nodes import Node
from toreq_hw.quant.onnx_shapes import Shape
from toreq_hw.quant.onnx_states import StateFormat

_LARGEST = float(np.finfo(np.float32).max)


@dataclass
class Layer:
    """One linear map, what is done to its sums, and the state format that it ends in.

    weight: (n_in, n_out). bias, low, high: (n_out,). magnitude: (n_out,), the sum of all that was
    added to a neuron's sum, without signs; operations: how many steps of arithmetic a sum takes
    (both bound the float error of a runtime). bounded_by: the last node that made or moved a
    bound. sums: the graph's name for the value of the sums.
    """

    node: Node
    weight: Reals
    bias: Reals
    low: Reals = field(init=False)
    high: Reals = field(init=False)
    magnitude: Reals = field(init=False)
    operations: int = field(init=False)
    bounded_by: Node | None = None
    sums: str = ""
    states: StateFormat | None = None

    def __post_init__(self) -> None:
        self.low = np.full(len(self.bias), -np.inf)
        self.high = np.full(len(self.bias), np.inf)
        self.magnitude = np.abs(self.bias)
        self.operations = len(self.weight) + 1

    def shift(self, node: Node, added: Reals) -> None:
        """Adds one value per neuron (n_out,)."""
        with np.errstate(all="ignore"):
            self.bias = self.bias + added
            self.low, self.high = self.low + added, self.high + added
            self.magnitude = self.magnitude + np.abs(added)
        self._move(node)

    def scale(self, node: Node, factor: Reals) -> None:
        """Multiplies by one value per neuron (n_out,). A negative one turns the bounds round."""
        with np.errstate(all="ignore"):
            ends = np.sort(np.stack([self.low * factor, self.high * factor]), axis=0)
            self.weight, self.bias = self.weight * factor, self.bias * factor
            self.magnitude = self.magnitude * np.abs(factor)
        fixed = factor == 0
        self.low = np.where(fixed, -np.inf, ends[0])
        self.high = np.where(fixed, np.inf, ends[1])
        self._move(node)

    def clip(self, node: Node, low: float, high: float) -> None:
        """Keeps the values within low..high."""
        self.low, self.high = np.clip(self.low, low, high), np.clip(self.high, low, high)
        self.bounded_by = node

    def takes(self, front: "Layer") -> None:
        """Puts what is done to each of its inputs, one row of weights and a bias, into itself."""
        with np.errstate(all="ignore"):
            added = front.bias @ self.weight
            self.magnitude = self.magnitude + front.magnitude @ np.abs(self.weight)
            self.weight, self.bias = self.weight * front.weight.T, self.bias + added
        self.operations += front.operations
        check_finite(front.node, self)

    @property
    def bounded(self) -> bool:
        """Whether any neuron has a bound."""
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    def _move(self, node: Node) -> None:
        self.operations += 8
        if self.bounded:
            self.bounded_by = node
        check_finite(node, self)


def check_finite(node: Node, layer: Layer) -> None:
    """Refuses weights and biases that are no numbers, or none. Raises NodeError."""
    for values in (layer.weight, layer.bias, layer.magnitude):
        if not (np.abs(values) <= _LARGEST).all():
            raise node.error("must have finite weights, found NaN or infinity")
    if not layer.weight.size:
        raise node.error(f"must have weights, found shape {layer.weight.shape}")


def linear(node: Node, current: str, width: int | None, constants: Constants) -> Layer:
    """The map of a `Gemm` or `MatMul` of `width` values whose constant is on its right.

    Raises NodeError.
    """
    if node.inputs[0] != current:
        raise node.error("must have constant weights on its right")
    weight = constants.real(node, 1, ndim=2)
    factor = 1.0
    if node.operator == "Gemm":
        if node.flag("transA"):
            raise node.error("must not transpose its input, found transA")
        if node.flag("transB"):
            weight = weight.T
        factor = float(node.given.get("alpha", 1.0))
    if width is not None and len(weight) != width:
        raise node.error(f"must have weights for {width} values, found {len(weight)}")
    with np.errstate(all="ignore"):
        weight = weight * factor
    layer = Layer(node, weight, np.zeros(weight.shape[1]))
    check_finite(node, layer)
    if node.input(2):
        added = per_neuron(node, constants.real(node, 2), Shape(None, (len(layer.bias),)))
        with np.errstate(all="ignore"):
            added = added * float(node.given.get("beta", 1.0))
        layer.shift(node, added)
    layer.sums = node.outputs[0]
    return layer


def per_neuron(node: Node, values: Reals, shape: Shape) -> Reals:
    """A constant as one value per neuron (n,), for values of `shape`, all of whose sizes are known.

    One number, or (n,) and (1, n) where the last dimension has all n; not more dimensions. Raises
    NodeError for a constant of another shape.
    """
    rest, size = shape.rest or (), shape.width or 0
    fits = values.size == 1 or (values.shape[-1] == values.size == size and rest[-1] == size)
    if not fits or values.ndim > 1 + len(rest):
        raise node.error(
            f"must add one value per neuron: shape ({size},) or (1, {size}), not {values.shape}"
        )
    return np.array(np.broadcast_to(values.reshape(-1), (size,)))


def arithmetic(node: Node, current: str, shape: Shape, layer: Layer, constants: Constants) -> None:
    """`Add`, `Sub`, `Mul` or `Div` of a layer's sums, which have `shape`, and a constant.

    Raises NodeError.
    """
    first = node.inputs[0] == current
    values = per_neuron(node, constants.real(node, 1 if first else 0), shape)
    if node.operator == "Add":
        layer.shift(node, values)
    elif node.operator == "Sub":
        if not first:
            layer.scale(node, np.full(len(layer.bias), -1.0))
        layer.shift(node, -values if first else values)
    elif node.operator == "Mul":
        layer.scale(node, values)
    elif first and values.all():
        layer.scale(node, 1.0 / values)
    else:
        raise node.error("must divide the sums, by numbers other than 0")


def bound(node: Node, current: str, shape: Shape, layer: Layer, constants: Constants) -> None:
    """`Max` or `Min` of a layer's sums, which have `shape`, and a constant. Raises NodeError."""
    if len(node.inputs) != 2:
        raise node.error(f"must have 2 inputs, found {len(node.inputs)}")
    values = per_neuron(node, constants.real(node, int(node.inputs[0] == current)), shape)
    number = float(values[0])
    if not (values == number).all():
        raise node.error("must have one bound for all neurons")
    low, high = (number, np.inf) if node.operator == "Max" else (-np.inf, number)
    layer.clip(node, low, high)


def normalise(node: Node, shape: Shape, layer: Layer, constants: Constants) -> None:
    """A batch normalisation at rest: scale (x - mean) / sqrt(variance + epsilon) + shift.

    Raises NodeError.
    """
    if shape.rest is None or shape.rest[:1] != (len(layer.bias),):
        raise node.error("must take values of shape (batch, n)")
    node.only("training_mode", 0)
    node.only("spatial", 1)
    parts = [constants.real(node, k, ndim=1) for k in (1, 2, 3, 4)]
    if {len(part) for part in parts} != {len(layer.bias)}:
        raise node.error(f"must have one value for each of {len(layer.bias)} neurons")
    scale, shift, mean, variance = parts
    epsilon = float(node.given.get("epsilon", 1e-5))
    factor, offset = normalisation(scale, shift, mean, variance, epsilon)
    if not np.isfinite(factor).all():
        raise node.error("must have finite weights, found NaN or infinity")
    layer.magnitude = layer.magnitude + np.abs(mean)
    layer.scale(node, factor)
    layer.shift(node, offset)


def normalisation(
    scale: Reals, shift: Reals, mean: Reals, variance: Reals, epsilon: float
) -> tuple[Reals, Reals]:
    """Factor and offset, (n,) each, of scale (x - mean) / sqrt(variance + epsilon) + shift.

    Not finite where variance + epsilon is not above 0; the caller names what is at fault.
    """
    with np.errstate(all="ignore"):
        factor = scale / np.sqrt(variance + epsilon)
        return factor, shift - mean * factor
