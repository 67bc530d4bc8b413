"""Arrays out of `.safetensors` and `.npy` files: no code runs, no more memory than the file."""

import lzma
import math
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize

from toreq_hw.errors import ToreqError
from toreq_hw.json_values import JsonObject
from toreq_hw.memory import check_memory
from toreq_hw.reading.content import decode, read_bytes
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
_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|](?:b1|[iu][1248]|f[248]))', "
    rb"'fortran_order': (True|False), 'shape': "
    rb"\(((?:[0-9]{1,15},|(?:[0-9]{1,15}, ){0,7}[0-9]{1,15})?)\), \}[ ]*\n",
    re.DOTALL,
)
"""What NumPy writes before plain numbers (numpy.lib.format, version 1.0)."""


@dataclass(frozen=True, eq=False)
class Tensors:
    """What a safetensors file holds. metadata: texts by name. arrays: by name, writable."""

    metadata: dict[str, str]
    arrays: dict[str, npt.NDArray[Any]]


_BROKEN = (
    *(OSError, ValueError, EOFError, KeyError, OverflowError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError),
)
"""What Python raises for an archive that is damaged."""

_ODD = (NotImplementedError, RuntimeError, SyntaxError, TypeError, MemoryError)
"""What it raises for one that holds something else than arrays of numbers."""


def read_npz(
    path: Path, error: type[ToreqError], most: int | None = None
) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an `.npz` file by name, of any shapes; no pickled objects.

    most: bytes that they may have, unpacked; any without. Raises `error` naming the file,
    InputError where memory does not hold them.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        check_memory(size, str(path))
        if most is not None and size > most:
            raise error(f"{path}: arrays must have at most {most} bytes, found {size}")
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except FileNotFoundError as failure:
        raise error(f"{path}: must be a file, found none") from failure
    except _BROKEN as failure:
        reason = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
        raise error(f"{path}: must be an .npz file of arrays, found: {reason:.100}") from failure
    except _ODD as failure:
        raise error(f"{path}: must be an .npz file of arrays of numbers") from failure
    if not all(isinstance(one, np.ndarray) for one in arrays.values()):  # bytes without a header
        raise error(f"{path}: must be an .npz file of arrays, found another file in it")
    return arrays


def read_tensors(path: Path, limit: int, error: type[ToreqError]) -> Tensors:
    """The content of a safetensors file of at most `limit` bytes; raises `error` naming it.

    Shapes and dtypes are the file's.
    """
    return parse_tensors(read_bytes(path, limit, error), str(path), error)


def parse_tensors(content: bytes, where: str, error: type[ToreqError]) -> Tensors:
    """The content of a safetensors file. bfloat16 is given as float32, which holds it exactly.

    Raises `error`, beginning with `where`: cut, tampered with, an element type that NumPy lacks.
    Shapes and dtypes are the file's.
    """
    try:
        entries: list[tuple[str, JsonObject]] = deserialize(content)  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, TypeError, OverflowError) as failure:
        raise error(
            f"{where}: must be a whole safetensors file, found: {failure!s:.200}"
        ) from failure
    (length,) = struct.unpack("<Q", content[:8])
    if length > _MAX_HEADER_BYTES:
        raise error(f"{where}: header must have at most {_MAX_HEADER_BYTES} bytes, not {length}")
    header = parse_json(decode(content[8 : 8 + length], where, error), where, error)
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
    """The array in a `.npy` file of at most `limit` bytes; raises `error` naming the file.

    Shape and dtype are the file's.
    """
    return parse_npy(read_bytes(path, limit, error), str(path), error)


def parse_npy(content: bytes, where: str, error: type[ToreqError]) -> npt.NDArray[Any]:
    """The array that the bytes of a `.npy` file hold, of plain numbers only.

    Raises `error`, beginning with `where`, unless the header states exactly what follows it. Shape
    and dtype are the header's.
    """
    header = _NPY_HEADER.match(content)
    if header is None:
        raise error(f"{where}: must be a whole .npy file of numbers, found {shown(content[:40])}")
    dtype = np.dtype(header[1].decode("ascii"))
    shape = tuple(int(size) for size in header[3].split(b",") if size.strip())
    start = 10 + int.from_bytes(content[8:10], "little")
    size = math.prod(shape) * dtype.itemsize
    if start < header.end() or len(content) - start != size:
        raise error(
            f"{where}: must hold {size} bytes for {dtype} of shape {shown(shape)}, "
            f"found {len(content) - start}"
        )
    flat = np.frombuffer(content, dtype=dtype, offset=start).copy()
    if header[2] == b"True":
        return reshape(flat, shape[::-1], where, error).T
    return reshape(flat, shape, where, error)


def reshape(
    flat: npt.NDArray[Any], shape: Sequence[int], where: str, error: type[ToreqError]
) -> npt.NDArray[Any]:
    """`flat` in this shape. Raises `error`, beginning with `where`, where NumPy has no such shape.

    A file can state more dimensions than NumPy has, or huge ones beside a dimension of 0.
    """
    try:
        return flat.reshape(shape)
    except (ValueError, OverflowError) as failure:
        raise error(
            f"{where}: must have a shape that NumPy holds, found {len(shape)} dimensions, "
            f"the largest {max(shape, default=0)}"
        ) from failure


def _array(
    name: str, entry: Mapping[str, Any], where: str, error: type[ToreqError]
) -> npt.NDArray[Any]:
    kind, shape = entry["dtype"], entry["shape"]
    tensor = f"{where}: tensor {shown(name)}"
    if kind == "BF16":
        halves = np.frombuffer(entry["data"], dtype="<u2").astype(np.uint32)
        return reshape((halves << 16).view(np.float32), shape, tensor, error)
    if kind not in _DTYPES:
        known = ", ".join([*_DTYPES, "BF16"])
        raise error(
            f"{where}: tensor {shown(name)} must have an element type of {known}, found {kind}"
        )
    flat = np.frombuffer(entry["data"], dtype=_DTYPES[kind])
    return reshape(flat, shape, tensor, error)
