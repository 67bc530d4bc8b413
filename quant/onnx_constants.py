"""What an ONNX graph computes without its input: weights, biases, scales and shapes.

Values are computed in the types that the graph has them in, so that they are what a runtime
computes: float32 weights are divided and rounded in float32.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from toreq_hw.arrays import widen
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.onnx_nodes import Node
from toreq_hw.quant.onnx_quantisers import (
    dequantise_linear,
    is_integer,
    quant_values,
    quantise_linear,
)
from toreq_hw.quant.onnx_tensor import array, element_type

Array = npt.NDArray[Any]

_MOST_COPIES = 64
"""How much more than the file holds may be computed from it."""

_LONGEST_SHAPE = 64


class Constants:
    """What is known without the input: initialisers, and nodes that compute from them only."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.known: dict[str, Array] = {t.name: array(t) for t in graph.initializer}
        held = sum(value.size for value in self.known.values())
        self._left = _MOST_COPIES * (held + (1 << 16))

    def fold(self, node: Node) -> bool:
        """Computes a node whose inputs are all known; False where one is not.

        Raises NodeError for a node that computes something else than weights are made of.
        """
        if any(name and name not in self.known for name in node.inputs):
            return False
        compute = _FOLDS.get(node.operator)
        if compute is None or len([name for name in node.outputs if name]) != 1:
            raise node.error("is not a constant that a network can carry")
        inputs = [self.known[name] if name else None for name in node.inputs]
        try:
            with np.errstate(all="ignore"):
                found = compute(node, inputs)
        except (ValueError, IndexError, TypeError, OverflowError) as error:
            reason = " ".join(str(error).split())
            raise node.error(f"must be computable, found: {reason:.160}") from None
        self._left -= found.size
        if self._left < 0:
            raise node.error("must not compute many times what the file holds")
        self.known[node.outputs[0]] = found
        return True

    def real(self, node: Node, index: int, ndim: int | None = None) -> Reals:
        """Constant input `index` of a node as float64. Raises NodeError where it is not one.

        Shape as stored; ndim: dimensions that it must have.
        """
        found = self.array(node, index)
        if ndim is not None and found.ndim != ndim:
            raise node.error(f"input {index} must have {ndim} dimensions, not {found.ndim}")
        if is_integer(found.dtype) or found.dtype == np.bool_:
            raise node.error(f"input {index} must be floats, not {found.dtype}")
        return widen(found)

    def array(self, node: Node, index: int) -> Array:
        """Constant input `index` of a node as it is. Raises NodeError where it is not one."""
        name = node.input(index)
        if name not in self.known:
            raise node.error(f"input {index} must be a constant, not {name!r:.60}")
        return self.known[name]

    def number(self, node: Node, index: int) -> float:
        """Constant input `index` of a node, one number, float or integer.

        Raises NodeError where it is not one.
        """
        found = self.array(node, index)
        if found.size != 1:
            raise node.error(f"input {index} must be one number, found {found.size} of them")
        return float(found.reshape(()).astype(np.float64))


Inputs = list[Array | None]


def _must(value: Array | None) -> Array:
    if value is None:
        raise ValueError("an input that is left out")
    return value


def _quantise(node: Node, inputs: Inputs) -> Array:
    zero_point = inputs[2] if len(inputs) > 2 else None
    return quantise_linear(node, _must(inputs[0]), _must(inputs[1]), zero_point)


def _dequantise(node: Node, inputs: Inputs) -> Array:
    zero_point = inputs[2] if len(inputs) > 2 else None
    return dequantise_linear(node, _must(inputs[0]), _must(inputs[1]), zero_point)


def _quant(node: Node, inputs: Inputs) -> Array:
    real, scale, zero_point, bits = (_must(i) for i in inputs)
    return quant_values(node, real, scale, zero_point, bits)


def _constant(node: Node, _: Inputs) -> Array:
    if len(node.given) != 1:
        raise ValueError("a Constant must hold one value")
    ((name, value),) = node.given.items()
    if name == "value":
        return array(value)
    return np.asarray(value, dtype=np.int64 if name.startswith("value_int") else np.float32)


def _clip(node: Node, inputs: Inputs) -> Array:
    value = _must(inputs[0])
    if node.version < 11:
        given = (node.given.get(k) for k in ("min", "max"))
        low, high = (None if g is None else np.asarray(g, dtype=np.float32) for g in given)
    else:
        low, high = (inputs[k] if k < len(inputs) else None for k in (1, 2))
    for bound in (low, high):
        if bound is not None and (np.size(bound) != 1 or bound.dtype != value.dtype):
            raise ValueError("bounds must be one number each, of the values' type")
    exact = np.int64 if is_integer(value.dtype) else value.dtype
    found = value.astype(exact)
    if low is not None:
        found = np.maximum(found, low.reshape(()).astype(exact))
    if high is not None:
        found = np.minimum(found, high.reshape(()).astype(exact))
    return np.asarray(found.astype(value.dtype))


def _cast(node: Node, inputs: Inputs) -> Array:
    kind = element_type(node.given.get("to", 0))
    if kind not in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT64", "INT32"):
        raise ValueError(f"a cast to {kind}")
    value = _must(inputs[0])
    dtype = helper.tensor_dtype_to_np_dtype(node.given["to"])
    found = value.astype(dtype)
    if is_integer(dtype) and not np.array_equal(found, value):
        raise ValueError(f"a cast to {kind} that moves values")
    return np.asarray(found)


def _arithmetic(operation: Callable[[Array, Array], Array]) -> "_Fold":
    def compute(_: Node, inputs: Inputs) -> Array:
        a, b = _must(inputs[0]), _must(inputs[1])
        if (
            is_integer(a.dtype)
            or a.dtype != b.dtype
            or np.broadcast(a, b).size > max(a.size, b.size)
        ):
            raise ValueError("arithmetic must be of floats of one shape")
        return np.asarray(operation(a, b))

    return compute


def _axes(node: Node, inputs: Inputs) -> tuple[int, ...]:
    if "axes" in node.given:
        return tuple(node.given["axes"])
    return tuple(int(k) for k in _must(inputs[1]).reshape(-1))


def _reshape(node: Node, inputs: Inputs) -> Array:
    value, target = _must(inputs[0]), [int(k) for k in _must(inputs[1]).reshape(-1)]
    if not node.flag("allowzero"):
        target = [value.shape[k] if size == 0 else size for k, size in enumerate(target)]
    return value.reshape(target)


def _short(value: Array) -> Array:
    """Values that stand for a shape; these alone may be joined and picked from."""
    if value.size > _LONGEST_SHAPE or not is_integer(value.dtype):
        raise ValueError("values that are not a shape")
    return value


def _gather(node: Node, inputs: Inputs) -> Array:
    axis = int(node.given.get("axis", 0))
    return np.asarray(np.take(_short(_must(inputs[0])), _short(_must(inputs[1])), axis=axis))


def _concat(node: Node, inputs: Inputs) -> Array:
    return _short(np.concatenate([_short(_must(i)) for i in inputs], axis=node.given["axis"]))


_Fold = Callable[[Node, Inputs], Array]

_FOLDS: Mapping[str, _Fold] = {
    "Add": _arithmetic(np.add),
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Constant": _constant,
    "DequantizeLinear": _dequantise,
    "Div": _arithmetic(np.divide),
    "Gather": _gather,
    "Identity": lambda _, inputs: _must(inputs[0]),
    "IntQuant": _quant,
    "Mul": _arithmetic(np.multiply),
    "Quant": _quant,
    "QuantizeLinear": _quantise,
    "Reshape": _reshape,
    "Squeeze": lambda node, inputs: np.squeeze(_must(inputs[0]), axis=_axes(node, inputs)),
    "Sub": _arithmetic(np.subtract),
    "Transpose": lambda node, inputs: np.transpose(_must(inputs[0]), node.given.get("perm")),
    "Unsqueeze": lambda node, inputs: np.expand_dims(_must(inputs[0]), _axes(node, inputs)),
}
