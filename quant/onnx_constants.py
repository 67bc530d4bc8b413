"""The constant parts of an MLP's graph: folded to real arrays; and its quantisers, to formats."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.fit import Reals
from toreq_hw.quant.onnx_file import array

PASSIVE = frozenset({"Identity", "Flatten", "Dropout"})
"""Nodes that move no value at inference."""

_QUANT = frozenset({"Quant", "IntQuant"})


class NodeError(NetworkFileError):
    """A node that cannot be carried, called by its name."""

    def __init__(self, node: str, reason: str) -> None:
        super().__init__(f"node {node}: {reason}")


@dataclass(frozen=True)
class StateFormat:
    """What a quantiser makes of values: integers of `bits` bits times `scale`."""

    scale: float
    bits: int
    signed: bool

    def narrowed_from(self, before: "StateFormat | None") -> "StateFormat":
        """This format, or what is left of it after an earlier one of the same chain (QCDQ)."""
        if before is None or not math.isnan(self.scale):
            return self if before is None or self.bits <= before.bits else before
        return replace(before, bits=min(self.bits, before.bits))


def describe(node: onnx.NodeProto) -> str:
    """A node's name, or what it computes where it has none, and its operator."""
    return f"{node.name or (node.output[0] if node.output else '?')!r:.80} ({node.op_type!s:.40})"


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Attribute values by name."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


class Constants:
    """What is known without the input: initialisers, and nodes that compute from them only."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.known: dict[str, npt.NDArray[Any]] = {t.name: array(t) for t in graph.initializer}

    def fold(self, node: onnx.NodeProto) -> bool:
        """Computes a node whose inputs are all known; False where one is not."""
        if any(name and name not in self.known for name in node.input):
            return False
        compute = _FOLDS.get(node.op_type)
        if compute is None or len(node.output) != 1:
            raise NodeError(describe(node), "is not a constant that a network can carry")
        inputs = [self.known[name] for name in node.input if name]
        try:
            self.known[node.output[0]] = compute(node, inputs)
        except (ValueError, IndexError, TypeError) as error:
            raise NodeError(describe(node), f"must be computable, found: {error}") from error
        return True

    def real(self, node: onnx.NodeProto, index: int, ndim: int | None = None) -> Reals:
        """Constant input `index` of a node as float64. Raises NodeError where it is not one."""
        name = node.input[index] if index < len(node.input) else ""
        if name not in self.known:
            raise NodeError(describe(node), f"input {index} must be a constant, not {name!r:.60}")
        found = self.known[name]
        if ndim is not None and found.ndim != ndim:
            raise NodeError(
                describe(node), f"input {index} must have {ndim} dimensions, not {found.ndim}"
            )
        return np.asarray(found, dtype=np.float64)

    def number(self, node: onnx.NodeProto, index: int) -> float:
        """Constant input `index` of a node, one number."""
        found = self.real(node, index)
        if found.size != 1:
            raise NodeError(
                describe(node), f"input {index} must be one number, found {found.size} of them"
            )
        return float(found.reshape(()))


def quantiser_format(node: onnx.NodeProto, constants: Constants) -> StateFormat | None:
    """The state format a node of the chain imposes; None where it is not a quantiser.

    A `Clip` between QuantizeLinear and DequantizeLinear gives a format of unknown scale that
    only narrows (`StateFormat.narrowed_from`).
    """
    if node.op_type in _QUANT:
        bits, signed = constants.number(node, 3), bool(attributes(node).get("signed", 1))
        return _format(node, constants.number(node, 1), constants.number(node, 2), bits, signed)
    if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        zero_point = constants.known.get(node.input[2]) if len(node.input) > 2 else None
        signed = zero_point is not None and zero_point.dtype == np.int8
        zero = 0.0 if zero_point is None else constants.number(node, 2)
        return _format(node, constants.number(node, 1), zero, 8.0, signed)
    if node.op_type == "Clip" and len(node.input) == 3:
        low, high = constants.number(node, 1), constants.number(node, 2)
        bits = math.log2(high + 1) + (low < 0) if high > 0 else math.nan
        return replace(_format(node, 1.0, 0.0, bits, low < 0), scale=math.nan)
    return None


def _format(
    node: onnx.NodeProto, scale: float, zero_point: float, bits: float, signed: bool
) -> StateFormat:
    if not (math.isfinite(scale) and scale > 0):
        raise NodeError(describe(node), f"scale must be above 0, not {scale}")
    if zero_point != 0:
        raise NodeError(describe(node), f"zero point must be 0, not {zero_point}")
    if bits not in range(1 + signed, 9):
        raise NodeError(describe(node), f"states must have {1 + signed}..8 whole bits, not {bits}")
    return StateFormat(scale, int(bits), signed)


def _fold_quant(node: onnx.NodeProto, inputs: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    real, scale, zero_point, bits = (np.asarray(i, dtype=np.float64) for i in inputs)
    given = attributes(node)
    signed, narrow = bool(given.get("signed", 1)), bool(given.get("narrow", 1))
    rounding = given.get("rounding_mode", b"ROUND").decode().upper()
    if rounding not in ("ROUND", "HALF_EVEN"):
        raise ValueError(f"rounding_mode {rounding}")
    if np.any(zero_point) or np.any(bits != np.round(bits)) or np.any((bits < 2) | (bits > 8)):
        raise ValueError("weights must have a zero point of 0 and 2..8 whole bits")
    highest = 2 ** (bits - signed) - 1 - (narrow and not signed)
    lowest = -(2 ** (bits - 1)) + narrow if signed else np.zeros_like(bits)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.clip(np.round(real / scale), lowest, highest) * scale)


def _fold_dequantise(node: onnx.NodeProto, inputs: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    stored, scale = inputs[0].astype(np.float64), np.asarray(inputs[1], dtype=np.float64)
    if len(inputs) > 2 and np.any(inputs[2]):
        raise ValueError("weights must have a zero point of 0")
    if scale.ndim == 1 and scale.size > 1:
        axis = int(attributes(node).get("axis", 1)) % stored.ndim
        scale = scale.reshape([-1 if k == axis else 1 for k in range(stored.ndim)])
    return np.asarray(stored * scale)


def _fold_constant(node: onnx.NodeProto, _: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    tensor = attributes(node).get("value")
    if not isinstance(tensor, onnx.TensorProto):
        raise ValueError("a Constant must hold a tensor")
    return array(tensor)


_Fold = Callable[[onnx.NodeProto, list[npt.NDArray[Any]]], npt.NDArray[Any]]

_FOLDS: dict[str, _Fold] = {
    "Quant": _fold_quant,
    "IntQuant": _fold_quant,
    "DequantizeLinear": _fold_dequantise,
    "Constant": _fold_constant,
    "Clip": lambda _, inputs: np.clip(inputs[0], inputs[1], inputs[2]),
    "Identity": lambda _, inputs: inputs[0],
    "Transpose": lambda node, inputs: np.transpose(inputs[0], attributes(node).get("perm")),
}
