"""Nodes that move no value: what shape they give one sample, and whether it stays one sample."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.onnx_constants import Constants
from toreq_hw.quant.onnx_nodes import Node

BATCH = -(1 << 61)
"""Stands for an open batch size in computed shapes; nothing but a batch size is this."""

_MOST_SAMPLES = 4096
"""Of a batch of fixed size, which the graph is run with."""

Rest = tuple[int | None, ...]


@dataclass(frozen=True)
class Shape:
    """Of the value that depends on the input: batch first, then what one sample has.

    batch: None where it is open. rest: None where not even the number of dimensions is known.
    """

    batch: int | None
    rest: Rest | None

    @property
    def width(self) -> int | None:
        """Values of one sample, where all its dimensions are known."""
        if self.rest is None or any(size is None for size in self.rest):
            return None
        return math.prod(size for size in self.rest if size is not None)

    def dimensions(self, node: Node) -> npt.NDArray[np.int64]:
        """What a `Shape` node gives, BATCH for an open batch. Raises NodeError where unknown.

        Returns int64 (number of dimensions,).
        """
        if self.rest is None or any(size is None for size in self.rest):
            raise node.error("must be of a value whose shape is known")
        found = [BATCH if self.batch is None else self.batch, *(s for s in self.rest if s)]
        start, end = node.given.get("start", 0), node.given.get("end")
        return np.array(found, dtype=np.int64)[start:end]


def input_shape(value: onnx.ValueInfoProto) -> Shape:
    """The stated shape of a graph's input. Raises NetworkFileError where it has no batch."""
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return Shape(None, None)
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    if not sizes or any(size is not None and size < 1 for size in sizes):
        raise NetworkFileError(
            f"input {value.name!r:.80}: must have a shape (batch, ..) of sizes above 0, "
            f"found {[size if size is not None else '?' for size in sizes]}"
        )
    if sizes[0] is not None and sizes[0] > _MOST_SAMPLES:
        raise NetworkFileError(
            f"input {value.name!r:.80}: must take at most {_MOST_SAMPLES} samples at a time, "
            f"found {sizes[0]}"
        )
    return Shape(sizes[0], tuple(sizes[1:]))


def pass_on(node: Node, shape: Shape, constants: Constants) -> Shape | None:
    """The shape behind a node that moves no value; None where it is no such node.

    Raises NodeError where it would move values, or make other samples of them.
    """
    moved = _MOVES.get(node.operator)
    return None if moved is None else moved(node, shape, constants)


def _same(node: Node, shape: Shape, constants: Constants) -> Shape:
    """`Identity`, and nodes that may be one: `Cast` to float32, `Dropout` at rest, `Transpose`."""
    if node.operator == "Dropout" and node.input(2) and constants.number(node, 2):
        raise node.error("must be at rest, found training_mode")
    if node.operator == "Cast":
        node.only("to", onnx.TensorProto.FLOAT)
    order = list(node.given.get("perm", ()))
    if node.operator == "Transpose" and (not order or order != list(range(len(order)))):
        raise node.error("must not move values")
    return shape


def _flatten(node: Node, shape: Shape, _: Constants) -> Shape:
    axis = int(node.given.get("axis", 1))
    if axis < 0 and shape.rest is not None:
        axis += 1 + len(shape.rest)
    between = () if shape.rest is None else shape.rest[: max(0, axis - 1)]
    known = axis == 1 or shape.rest is not None
    if axis < 1 or not known or any(size != 1 for size in between):
        raise node.error(f"must keep each sample by itself, found axis {axis}")
    return Shape(shape.batch, (shape.width,))


def _reshape(node: Node, shape: Shape, constants: Constants) -> Shape:
    target = [int(size) for size in constants.array(node, 1).reshape(-1)]
    if not node.flag("allowzero"):
        for k, size in enumerate(target):
            if size == 0:
                target[k] = _count_copies(node, shape, k)
    said = f"must keep each sample by itself, found the shape {target}".replace(str(BATCH), "batch")
    if len(target) < 2 or target.count(-1) > 1 or any(s in (0, BATCH) for s in target[1:]):
        raise node.error(said)
    first, rest = target[0], target[1:]
    width = shape.width
    if rest.count(-1) == 1 and width is not None:
        others = -math.prod(rest)
        if others < 1 or width % others:
            raise node.error(said)
        rest[rest.index(-1)] = width // others
    elif width is None:
        width = math.prod(rest)
    held = first in (-1, BATCH) or (shape.batch is not None and first == shape.batch)
    if not held or min(rest) < 1 or math.prod(rest) != width:
        raise node.error(said)
    return Shape(shape.batch, tuple(rest))


def _count_copies(node: Node, shape: Shape, index: int) -> int:
    """What a 0 in a target shape stands for: the size that is there."""
    if index == 0:
        return BATCH if shape.batch is None else shape.batch
    size = None if shape.rest is None or index > len(shape.rest) else shape.rest[index - 1]
    if size is None:
        raise node.error("must copy a size that is known")
    return size


def _squeeze(node: Node, shape: Shape, constants: Constants) -> Shape:
    if "axes" in node.given:
        axes = [int(k) for k in node.given["axes"]]
    elif node.input(1):
        axes = [int(k) for k in constants.array(node, 1).reshape(-1)]
    else:
        raise node.error("must name its axes")
    if shape.rest is None:
        raise node.error("must be of a value whose shape is known")
    rank = 1 + len(shape.rest)
    adding = node.operator == "Unsqueeze"
    rank += len(axes) if adding else 0
    places = sorted({k % rank for k in axes if -rank <= k < rank})
    if len(places) != len(axes) or 0 in places:
        raise node.error(f"must keep each sample by itself, found axes {axes}")
    rest = list(shape.rest)
    for place in places if adding else reversed(places):
        if adding:
            rest.insert(place - 1, 1)
        elif rest.pop(place - 1) != 1:
            raise node.error(f"must take away sizes of 1, found axes {axes}")
    return Shape(shape.batch, tuple(rest))


_MOVES: Mapping[str, Callable[[Node, Shape, Constants], Shape]] = {
    "Cast": _same,
    "Dropout": _same,
    "Flatten": _flatten,
    "Identity": _same,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Transpose": _same,
    "Unsqueeze": _squeeze,
}
