"""IDX files, the form in which MNIST and its relatives are published (possibly gzipped)."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw import reading
from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import DataError

MAX_BYTES = 1 << 28
"""Of a file, packed or unpacked; the largest of MNIST's has 47 MB."""

_UNSIGNED_BYTES = 0x08
_MAX_DIMENSIONS = 8


def unpack(path: Path) -> bytes:
    """The bytes of a file, decompressed if it is gzipped. Raises DataError naming the file."""
    content = reading.read_bytes(path, MAX_BYTES, DataError)
    return reading.unpack(content, MAX_BYTES, str(path), DataError)


@named_type_errors
def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Reads one IDX file of unsigned bytes; the array has the shape that the header states.

    Raises DataError naming the file, for a wrong magic number and for a cut file.
    """
    return parse_idx(unpack(path), str(path))


def parse_idx(content: bytes, what: str) -> npt.NDArray[np.uint8]:
    """The uint8 array that uncompressed IDX bytes hold, in the shape that they state.

    Raises DataError, beginning with `what`, for other element types and sizes.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTES:
        raise DataError(f"{what}: must be an IDX file of bytes, found header {content[:4].hex()!r}")
    if content[3] > _MAX_DIMENSIONS:
        raise DataError(f"{what}: must have at most {_MAX_DIMENSIONS} dimensions, not {content[3]}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{what}: must have a header of {start} bytes, found {len(content)}")
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], dtype=">u4"))
    size = math.prod(shape)
    if len(content) != start + size:
        raise DataError(
            f"{what}: must hold {size} bytes after its header for shape {shape}, "
            f"found {len(content) - start}"
        )
    flat = np.frombuffer(content, dtype=np.uint8, offset=start)
    return reading.reshape(flat, shape, what, DataError)
