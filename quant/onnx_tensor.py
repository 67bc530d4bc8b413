"""Tensors of an ONNX file: of a known element type, and each as large as its shape says."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, numpy_helper

from toreq_hw.errors import NetworkFileError

_BITS = {
    "FLOAT": 32,
    "DOUBLE": 64,
    "FLOAT16": 16,
    "BFLOAT16": 16,
    "BOOL": 8,
    "FLOAT4E2M1": 4,
    "FLOAT8E4M3FN": 8,
    "FLOAT8E4M3FNUZ": 8,
    "FLOAT8E5M2": 8,
    "FLOAT8E5M2FNUZ": 8,
    **{f"{sign}INT{bits}": bits for sign in ("", "U") for bits in (2, 4, 8, 16, 32, 64)},
}
"""Bits of an element in `raw_data`, where 2 and 4 bit types are packed."""

_WIDE_FIELDS = {
    "FLOAT": "float_data",
    "DOUBLE": "double_data",
    "INT64": "int64_data",
    "UINT32": "uint64_data",
    "UINT64": "uint64_data",
}
"""Where a type keeps its values without `raw_data`; all others use `int32_data`."""

_FIELDS = (
    "float_data",
    "double_data",
    "int32_data",
    "int64_data",
    "uint64_data",
    "string_data",
)


def element_type(number: int) -> str:
    """The standard's name of an element type, such as INT8; '?' where it has none."""
    try:
        return str(TensorProto.DataType.Name(number))
    except ValueError:
        return "?"


def title(tensor: onnx.TensorProto) -> str:
    """How errors call a tensor."""
    return f"tensor {tensor.name!r:.80}"


def check_tensor(tensor: onnx.TensorProto) -> None:
    """Refuses a tensor whose values are not exactly those its type and shape ask for.

    Nothing is allocated. Raises NetworkFileError naming the tensor.
    """
    count, size = stored_size(tensor)
    filled = [name for name in _FIELDS if len(getattr(tensor, name))]
    if tensor.HasField("raw_data"):
        if filled or len(tensor.raw_data) != size:
            raise NetworkFileError(
                f"{title(tensor)}: must hold {count} values for shape {list(tensor.dims)} in "
                f"{size} bytes, found {len(tensor.raw_data)} bytes"
                + (f" and {filled[0]}" if filled else "")
            )
        return
    kind = element_type(tensor.data_type)
    field = _WIDE_FIELDS.get(kind, "int32_data")
    entries = size if _BITS[kind] < 8 else count
    found = len(getattr(tensor, field))
    if found != entries or set(filled) - {field}:
        raise NetworkFileError(
            f"{title(tensor)}: must hold {count} values for shape {list(tensor.dims)} in {field}, "
            f"found {found} entries" + (f" and {filled[0]}" if set(filled) - {field} else "")
        )
    if field == "int32_data":
        _check_narrow(tensor, kind)


def stored_size(tensor: onnx.TensorProto) -> tuple[int, int]:
    """How many values a tensor's shape asks for, and in how many bytes of `raw_data`.

    Raises NetworkFileError for element types that no network can hold, and negative sizes.
    """
    kind = element_type(tensor.data_type)
    if kind not in _BITS:
        raise NetworkFileError(
            f"{title(tensor)}: must have an element type of integers or floats, "
            f"found {kind} ({tensor.data_type})"
        )
    if tensor.HasField("segment"):
        raise NetworkFileError(f"{title(tensor)}: must be whole, found a segment")
    if min(tensor.dims, default=0) < 0:
        raise NetworkFileError(
            f"{title(tensor)}: must have sizes of at least 0, found {list(tensor.dims)}"
        )
    count = math.prod(tensor.dims)
    return count, -(-count * _BITS[kind] // 8)


def _check_narrow(tensor: onnx.TensorProto, kind: str) -> None:
    """Refuses values that `int32_data` holds and the element type does not."""
    bits = _BITS[kind]
    low, high = 0, (1 << max(bits, 8)) - 1
    if kind == "BOOL":
        high = 1
    elif kind.startswith("INT") and bits >= 8:
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    values = np.array(tensor.int32_data, dtype=np.int64)
    if values.size and (values.min() < low or values.max() > high):
        raise NetworkFileError(
            f"{title(tensor)}: must hold values in {low}..{high} ({kind}), "
            f"found {values.min()}..{values.max()}"
        )


def array(tensor: onnx.TensorProto) -> npt.NDArray[Any]:
    """A checked tensor's values. Raises NetworkFileError where no array has its shape."""
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise NetworkFileError(f"{title(tensor)}: must be an array, found: {reason:.120}") from None
