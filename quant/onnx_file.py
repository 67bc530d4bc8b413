"""Reads ONNX files from anywhere without trusting them: nothing outside the file's folder is
opened, nothing is allocated that the files do not hold.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError, Message

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkFileError
from toreq_hw.files import replacing
from toreq_hw.quant.onnx_external import take_in
from toreq_hw.quant.onnx_tensor import check_tensor
from toreq_hw.reading import read_bytes

MAX_FILE_BYTES = (1 << 31) - 1
"""Protobuf's own limit."""

_BAD_NODE = re.compile(r"Bad node spec for node\. Name: (.*?) OpType: (\w*)")
"""How onnx's checker names a node."""

_MAX_DEPTH = 8
"""Graphs within graphs; ours go two deep."""


@named_type_errors
def write_model(model: onnx.ModelProto, path: Path) -> None:
    """Checks a model against the standard and writes it in one step."""
    onnx.checker.check_model(model)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


@named_type_errors
def read_model(path: Path) -> onnx.ModelProto:
    """Parses and checks `path`; every tensor in it is whole and inside the model.

    Data that lie in a file beside `path` are read from there. Raises NetworkFileError naming the
    file for one that is cut, too large, no valid ONNX, or refers to data elsewhere.
    """
    content = read_bytes(path, MAX_FILE_BYTES, NetworkFileError)
    try:
        return _parse(content, path.parent)
    except NetworkFileError as error:
        raise NetworkFileError(f"{path}: {error}") from error


def _parse(content: bytes, folder: Path) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RecursionError) as error:
        raise NetworkFileError("must be a whole ONNX file, found a cut or foreign one") from error
    if not model.graph.node:
        raise NetworkFileError("must be an ONNX file with a graph of nodes, found none")
    _check_text(model)
    if model.functions:
        raise NetworkFileError(
            "must use standard operators only, found a function "
            f"{model.functions[0].name!r:.80} of its own"
        )
    tensors = list(_tensors(model.graph))
    take_in(tensors, folder, MAX_FILE_BYTES)
    for tensor in tensors:
        check_tensor(tensor)
    _check_standard(model)
    return model


def _check_text(message: Message) -> None:
    """Refuses names that are no UTF-8: protobuf gives them as bytes, or not at all."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        for field, value in part.ListFields():
            values = [value] if isinstance(value, Message | str | bytes) else value
            if field.type == field.TYPE_MESSAGE:
                waiting.extend(values)
            elif field.type == field.TYPE_STRING:
                for text in values:
                    if not isinstance(text, str):
                        raise NetworkFileError(f"names must be UTF-8, found {text!r:.60}")


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


def _check_standard(model: onnx.ModelProto) -> None:
    """Refuses what the standard does not allow; the node at fault is named where there is one."""
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, TypeError, RuntimeError) as error:
        text = " ".join(str(error).split())
        reason, _, context = text.partition(" ==> Context: ")
        node = _BAD_NODE.search(context)
        if node:
            where = f"node {node[1]!r:.80} ({node[2]:.40})"
            raise NetworkFileError(f"{where}: must be valid ONNX, found: {reason:.160}") from error
        raise NetworkFileError(f"must be a valid ONNX graph, found: {reason:.160}") from error
