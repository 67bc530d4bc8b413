"""Reads ONNX files from anywhere without trusting them: nothing outside the file is opened,
nothing is allocated that the file does not hold.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from toreq_hw.errors import NetworkFileError
from toreq_hw.files import replacing

MAX_FILE_BYTES = (1 << 31) - 1
"""Protobuf's own limit."""

_MAX_DEPTH = 8
"""Graphs within graphs; ours go two deep."""


def write_model(model: onnx.ModelProto, path: Path) -> None:
    """Checks a model against the standard and writes it in one step."""
    onnx.checker.check_model(model)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def read_model(path: Path) -> onnx.ModelProto:
    """Parses and checks `path`; every tensor in it is whole and inside the file.

    Raises NetworkFileError (without the path) for files that are cut, too large, or refer to
    data elsewhere.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise NetworkFileError(f"file must be at most {MAX_FILE_BYTES} bytes, not {size}")
        content = path.read_bytes()
    except OSError as error:
        raise NetworkFileError(f"must be a readable file, found: {error.strerror}") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RecursionError) as error:
        raise NetworkFileError("must be a whole ONNX file, found a cut or foreign one") from error
    if not model.graph.node:
        raise NetworkFileError("must be an ONNX file with a graph of nodes, found none")
    for tensor in _tensors(model.graph):
        _check_tensor(tensor)
    _check_standard(model)
    return model


def array(tensor: onnx.TensorProto) -> npt.NDArray[Any]:
    """A checked tensor's values."""
    return np.asarray(numpy_helper.to_array(tensor))


def _tensors(graph: onnx.GraphProto, depth: int = 1) -> Iterator[onnx.TensorProto]:
    """Every tensor of a graph and of the graphs within its nodes."""
    if depth > _MAX_DEPTH:
        raise NetworkFileError(f"graphs must nest at most {_MAX_DEPTH} deep, found more")
    if graph.sparse_initializer:
        name = graph.sparse_initializer[0].values.name
        raise NetworkFileError(f"tensor {name!r:.80}: must be dense, found a sparse one")
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in (*((attribute.g,) if attribute.HasField("g") else ()), *attribute.graphs):
                yield from _tensors(inner, depth + 1)


def _check_tensor(tensor: onnx.TensorProto) -> None:
    name = f"tensor {tensor.name!r:.80}"
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        where = next((e.value for e in tensor.external_data if e.key == "location"), "?")
        raise NetworkFileError(
            f"{name}: must be inside the file, found external data {where!r:.80}"
        )
    if min(tensor.dims, default=0) < 0:
        raise NetworkFileError(f"{name}: must have sizes of at least 0, found {list(tensor.dims)}")
    try:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except (KeyError, ValueError) as error:
        raise NetworkFileError(
            f"{name}: must have a known element type, found {tensor.data_type}"
        ) from error
    expected = math.prod(tensor.dims)
    found = _stored(tensor, dtype)
    if expected != found:
        raise NetworkFileError(
            f"{name}: must hold {expected} values for shape {list(tensor.dims)}, found {found}"
        )


def _stored(tensor: onnx.TensorProto, dtype: np.dtype[Any]) -> int:
    """How many values the file holds for a tensor; sub-byte types are not counted here."""
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data) // dtype.itemsize
    fields = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")
    return sum(len(getattr(tensor, field)) for field in fields)


def _check_standard(model: onnx.ModelProto) -> None:
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise NetworkFileError(f"must be a valid ONNX graph, found: {reason:.160}") from error
