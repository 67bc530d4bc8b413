"""Arrays out of `.safetensors` and `.npy` files: no code runs, no more memory than the file."""

import io
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize

from toreq_hw.errors import ToreqError
from toreq_hw.reading.content import decoded, read_bytes
from toreq_hw.reading.fields import Fields, shown
from toreq_hw.reading.structure import parse_json

_MAX_HEADER_BYTES = 1 << 24
"""Of a safetensors file: names, shapes and metadata."""

_DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
_NPY_HEADERS: dict[tuple[int, int], Callable[[io.BytesIO], Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True, eq=False)
class Tensors:
    """What a safetensors file holds. metadata: texts by name. arrays: by name, writable."""

    metadata: dict[str, str]
    arrays: dict[str, npt.NDArray[Any]]


def read_tensors(path: Path, limit: int, error: type[ToreqError]) -> Tensors:
    """The content of a safetensors file of at most `limit` bytes; raises `error` naming it."""
    return parse_tensors(read_bytes(path, limit, error), str(path), error)


def parse_tensors(content: bytes, where: str, error: type[ToreqError]) -> Tensors:
    """The content of a safetensors file. bfloat16 is given as float32, which holds it exactly.

    Raises `error`, beginning with `where`: cut, tampered with, an element type that NumPy lacks.
    """
    try:
        entries: list[tuple[str, dict[str, Any]]] = deserialize(content)  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, TypeError, OverflowError) as failure:
        raise error(
            f"{where}: must be a whole safetensors file, found: {failure!s:.200}"
        ) from failure
    (length,) = struct.unpack("<Q", content[:8])
    if length > _MAX_HEADER_BYTES:
        raise error(f"{where}: header must have at most {_MAX_HEADER_BYTES} bytes, not {length}")
    header = parse_json(decoded(content[8 : 8 + length], where, error), where, error)
    metadata = Fields(header, where, error).content.get("__metadata__", {})
    texts = Fields(metadata, where, error)
    arrays = {name: _array(name, entry, where, error) for name, entry in entries}
    return Tensors({name: texts.text(name) for name in texts.names()}, arrays)


def checked_array(
    arrays: Mapping[str, npt.NDArray[Any]],
    name: str,
    dtype: npt.DTypeLike,
    shape: Sequence[int | None],
    where: str,
    error: type[ToreqError],
) -> npt.NDArray[Any]:
    """`arrays[name]`, of this dtype and shape (None: any size). Raises `error` naming it."""
    if name not in arrays:
        raise error(f"{where}: tensor {shown(name)} must be there, found none")
    found = arrays[name]
    fits = len(found.shape) == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, found.shape, strict=True)
    )
    if found.dtype != np.dtype(dtype) or not fits:
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise error(
            f"{where}: tensor {shown(name)} must be {np.dtype(dtype)} of shape {wanted}, "
            f"found {found.dtype} {shown(found.shape)}"
        )
    return found


def read_npy(path: Path, limit: int, error: type[ToreqError]) -> npt.NDArray[Any]:
    """The array in a `.npy` file of at most `limit` bytes; raises `error` naming the file."""
    return parse_npy(read_bytes(path, limit, error), str(path), error)


def parse_npy(content: bytes, where: str, error: type[ToreqError]) -> npt.NDArray[Any]:
    """The array that the bytes of a `.npy` file hold, of plain numbers only.

    Raises `error`, beginning with `where`, unless the header states exactly what follows it.
    """
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
        shape, fortran, dtype = _NPY_HEADERS[version](file)
    except (ValueError, KeyError, EOFError, TypeError, RecursionError, MemoryError) as failure:
        found = " ".join(str(failure).split())[:200]
        raise error(f"{where}: must be a whole .npy file, found: {found}") from failure
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in "biuf" or min(shape, default=0) < 0 or len(content) - file.tell() != size:
        raise error(
            f"{where}: must hold numbers of the stated shape {shown(shape)}, found {dtype} and "
            f"{len(content) - file.tell()} bytes"
        )
    flat = np.frombuffer(content, dtype=dtype, offset=file.tell()).copy()
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def _array(
    name: str, entry: Mapping[str, Any], where: str, error: type[ToreqError]
) -> npt.NDArray[Any]:
    kind, shape = entry["dtype"], entry["shape"]
    if kind == "BF16":
        halves = np.frombuffer(entry["data"], dtype="<u2").astype(np.uint32)
        return (halves << 16).view(np.float32).reshape(shape)
    if kind not in _DTYPES:
        known = ", ".join([*_DTYPES, "BF16"])
        raise error(
            f"{where}: tensor {shown(name)} must have an element type of {known}, found {kind}"
        )
    return np.frombuffer(entry["data"], dtype=_DTYPES[kind]).reshape(shape)
