"""What ONNX's and QONNX's quantisers compute: element types, ranges, zero points, rounding."""

from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from toreq_hw.quant.onnx_nodes import Node
from toreq_hw.quant.onnx_tensor import element_type

Array = npt.NDArray[Any]

MAX_BITS = 8
"""Of a state; the contract has no wider ones."""

MAX_CONSTANT_BITS = 32
"""Of a quantised constant: biases have up to 32 bits, as Brevitas' `Int32Bias`."""

_RANGES: dict[str, tuple[int, int]] = {
    **{f"uint{bits}": (0, (1 << bits) - 1) for bits in (2, 4, 8, 16, 32, 64)},
    **{f"int{bits}": (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) for bits in (2, 4, 8, 16, 32, 64)},
}


class Rounding(Enum):
    """How a quantiser rounds. The four nearest modes differ at exact ties only."""

    HALF_EVEN = "HALF_EVEN"
    HALF_UP = "HALF_UP"  # QONNX: away from zero
    HALF_DOWN = "HALF_DOWN"  # QONNX: towards zero
    FLOOR = "FLOOR"
    CEIL = "CEIL"
    UP = "UP"  # away from zero
    DOWN = "DOWN"  # towards zero

    @property
    def nearest(self) -> bool:
        """Whether it rounds to the nearest integer."""
        return self in (Rounding.HALF_EVEN, Rounding.HALF_UP, Rounding.HALF_DOWN)

    def __call__(self, values: Array) -> Array:
        """Rounded values, in the type they came in."""
        sign, size = np.sign(values), np.abs(values)
        match self:
            case Rounding.HALF_EVEN:
                found = np.round(values)
            case Rounding.HALF_UP:
                found = sign * np.floor(size + 0.5)
            case Rounding.HALF_DOWN:
                found = sign * np.ceil(size - 0.5)
            case Rounding.FLOOR:
                found = np.floor(values)
            case Rounding.CEIL:
                found = np.ceil(values)
            case Rounding.UP:
                found = sign * np.ceil(size)
            case Rounding.DOWN:
                found = np.trunc(values)
        return np.asarray(found)


def rounding_of(node: Node) -> Rounding:
    """The rounding mode of a `Quant` node. Raises NodeError for one that is not known."""
    name = node.given.get("rounding_mode", b"ROUND").decode("ascii", "replace").upper()
    if name == "ROUND":
        return Rounding.HALF_EVEN
    try:
        return Rounding(name)
    except ValueError:
        known = ", ".join(r.value for r in Rounding)
        raise node.error(f"rounding_mode must be ROUND, {known}, not {name!r:.40}") from None


def is_integer(dtype: np.dtype[Any]) -> bool:
    """Whether an element type is one of integers, those of 2 and 4 bits included."""
    return dtype.name in _RANGES


def stored_range(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Smallest and largest value of an integer element type."""
    return _RANGES[dtype.name]


def range_of_type(node: Node, kind: str) -> tuple[int, int]:
    """The range of stored states of element type `kind`, such as INT4.

    Raises NodeError for types that states cannot have: more than 8 bits, or no integers.
    """
    bounds = _RANGES.get(kind.lower())
    if bounds is None or bounds[1] - bounds[0] >= 1 << MAX_BITS:
        raise node.error(f"states must be stored as integers of up to 8 bits, found {kind}")
    return bounds


def output_type(node: Node, zero_point: Array | None) -> str:
    """Element type that a QuantizeLinear stores: its zero point's, or `output_dtype`, or UINT8.

    Raises NodeError.
    """
    stated = node.given.get("output_dtype", 0)
    if zero_point is None:
        return element_type(stated) if stated else "UINT8"
    kind = element_type(helper.np_dtype_to_tensor_dtype(zero_point.dtype))
    if stated and element_type(stated) != kind:
        raise node.error(
            f"output_dtype must be its zero point's type, found {element_type(stated)} and {kind}"
        )
    return kind


def check_precision(node: Node) -> None:
    """Refuses a QuantizeLinear or DequantizeLinear that computes in other floats than float32."""
    node.only("precision", 0, TensorProto.FLOAT)
    node.flag("saturate", 1)
    if node.operator == "DequantizeLinear":
        node.only("output_dtype", 0, TensorProto.FLOAT)


def quantise_linear(node: Node, real: Array, scale: Array, zero_point: Array | None) -> Array:
    """`QuantizeLinear` of constants: saturate(round(real / scale) + zero point), ties to even.

    Raises NodeError.
    """
    check_precision(node)
    kind = output_type(node, zero_point).lower()
    if kind not in _RANGES:
        raise ValueError(f"quantised values of type {kind}")
    if real.dtype != np.float32:
        raise ValueError(f"a quantiser of {real.dtype}")
    offset = np.zeros_like(scale) if zero_point is None else zero_point.astype(np.float64)
    steps = np.round(real / _spread(node, scale, real.shape))
    low, high = _RANGES[kind]
    shifted = steps.astype(np.float64) + _spread(node, offset, real.shape)
    if not np.isfinite(shifted).all():
        raise ValueError("weights that are no numbers")
    stored = np.clip(shifted, low, high).astype(np.int64)
    return np.asarray(stored.astype(_dtype(kind, zero_point)))


def dequantise_linear(node: Node, stored: Array, scale: Array, zero_point: Array | None) -> Array:
    """`DequantizeLinear` of constants: (stored - zero point) scale, in the scale's type.

    Raises NodeError.
    """
    check_precision(node)
    if not is_integer(stored.dtype) or is_integer(scale.dtype):
        raise ValueError(f"dequantised values of type {stored.dtype} by {scale.dtype}")
    steps = stored.astype(np.int64)
    if zero_point is not None:
        if zero_point.dtype != stored.dtype:
            raise ValueError(f"a zero point of type {zero_point.dtype}, not {stored.dtype}")
        steps = steps - _spread(node, zero_point.astype(np.int64), stored.shape)
    return np.asarray(steps.astype(scale.dtype) * _spread(node, scale, stored.shape))


def quant_values(node: Node, real: Array, scale: Array, zero_point: Array, bits: Array) -> Array:
    """QONNX's `Quant` of constants: (round(clip(real / scale + zero point)) - zero point) scale.

    Weights of one signed bit are left out: QONNX itself says that they are not exported right.
    Raises NodeError.
    """
    rounding = rounding_of(node)
    signed, narrow = quant_flags(node)
    low, high = quant_range(node, bits, signed, narrow, MAX_CONSTANT_BITS)
    if {part.dtype for part in (real, scale, zero_point)} != {np.dtype(np.float32)}:
        raise ValueError("a quantiser of other values than float32")
    if np.broadcast_shapes(real.shape, scale.shape, zero_point.shape) != real.shape:
        raise ValueError(f"a scale of shape {scale.shape} for values of shape {real.shape}")
    steps = np.clip(real / scale + zero_point, np.float32(low), np.float32(high))
    return np.asarray((rounding(steps) - zero_point) * scale)


def quant_flags(node: Node) -> tuple[bool, bool]:
    """`signed` and `narrow` of a `Quant` node, which has to state both. Raises NodeError."""
    for name in ("signed", "narrow"):
        if name not in node.given:
            raise node.error(f"must state {name}")
    return node.flag("signed"), node.flag("narrow")


def quant_range(
    node: Node, bits: Array, signed: bool, narrow: bool, most: int = MAX_BITS
) -> tuple[int, int]:
    """Smallest and largest step of a `Quant` node of at most `most` bits. Raises NodeError."""
    fewest = 1 + signed
    if bits.size != 1 or float(bits.reshape(())) not in range(fewest, most + 1):
        found = float(bits.reshape(())) if bits.size == 1 else f"{bits.size} numbers"
        raise node.error(f"states must have {fewest}..{most} whole bits, not {found}")
    width = int(bits.reshape(()))
    if signed:
        return -(1 << (width - 1)) + narrow, (1 << (width - 1)) - 1
    return 0, (1 << width) - 1 - narrow


def _dtype(kind: str, zero_point: Array | None) -> np.dtype[Any]:
    if zero_point is not None:
        return np.dtype(zero_point.dtype)
    found: np.dtype[Any] = helper.tensor_dtype_to_np_dtype(TensorProto.DataType.Value(kind.upper()))
    return found


def _spread(node: Node, parameter: Array, shape: tuple[int, ...]) -> Array:
    """A scale or zero point in a shape that meets values of `shape`: one, per axis, or blocks."""
    block = int(node.given.get("block_size", 0))
    if parameter.size == 1 and block == 0:
        return parameter.reshape(())
    axis = int(node.given.get("axis", 1))
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"an axis {axis} of {len(shape)} dimensions")
    axis %= len(shape)
    if block == 0:
        if parameter.shape != (shape[axis],):
            raise ValueError(f"scales of shape {parameter.shape} for axis {axis} of {shape}")
        return parameter.reshape([-1 if k == axis else 1 for k in range(len(shape))])
    expected = [-(-size // block) if k == axis else size for k, size in enumerate(shape)]
    if block < 0 or list(parameter.shape) != expected:
        raise ValueError(f"scales of shape {parameter.shape} for blocks of {block} in {shape}")
    return np.repeat(parameter, block, axis=axis).take(range(shape[axis]), axis=axis)
