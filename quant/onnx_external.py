"""Tensor data that an ONNX file keeps in a file beside itself, as torch writes it by default.

Only regular files in the very folder of the ONNX file are opened, and only what they hold is read.
"""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import onnx

from toreq_hw.errors import NetworkFileError
from toreq_hw.quant.onnx_tensor import stored_size, title

_KEYS = frozenset({"location", "offset", "length", "checksum"})


def take_in(tensors: Iterable[onnx.TensorProto], folder: Path, most_bytes: int) -> None:
    """Moves the data of tensors that lie in files of `folder` into the tensors.

    most_bytes: all of them together, and each file that has a checksum. Raises NetworkFileError
    naming the tensor whose data are elsewhere, shorter than its shape, or too large.
    """
    left, sums = most_bytes, _CheckSums(most_bytes)
    for tensor in tensors:
        if tensor.data_location != onnx.TensorProto.EXTERNAL and not tensor.external_data:
            continue
        _, size = stored_size(tensor)
        if size > left:
            raise NetworkFileError(
                f"{title(tensor)}: external data must be at most {most_bytes} bytes in all, "
                "found more"
            )
        left -= size
        content = _content(tensor, folder, size, sums)
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
        tensor.raw_data = content


def _content(tensor: onnx.TensorProto, folder: Path, size: int, sums: "_CheckSums") -> bytes:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    unknown = [entry.key for entry in tensor.external_data if entry.key not in _KEYS]
    if unknown or len(entries) != len(tensor.external_data):
        raise NetworkFileError(
            f"{title(tensor)}: external data must have one each of {', '.join(sorted(_KEYS))}, "
            f"found {(unknown or ['repeated ones'])[0]!r:.60}"
        )
    location = entries.get("location", "")
    path = _beside(tensor, location, folder)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NetworkFileError(
                    f"{title(tensor)}: external data {location!r:.80} must be a regular file"
                )
            offset = _number(tensor, entries, "offset", 0)
            length = _number(tensor, entries, "length", max(0, status.st_size - offset))
            if length != size or offset + length > status.st_size:
                raise NetworkFileError(
                    f"{title(tensor)}: must hold {size} bytes for shape {list(tensor.dims)}, found "
                    f"{length} at {offset} of the {status.st_size} bytes of {location!r:.80}"
                )
            if "checksum" in entries:
                sums.check(tensor, entries["checksum"], file)
            file.seek(offset)
            content = file.read(length)
    except OSError as error:
        raise NetworkFileError(
            f"{title(tensor)}: external data {location!r:.80} must be a readable file beside the "
            f"ONNX file, found: {error.strerror}"
        ) from None
    return content


def _beside(tensor: onnx.TensorProto, location: str, folder: Path) -> Path:
    """The file of external data, links followed; it must lie in the very folder."""
    plain = location not in ("", ".", "..") and not set(location) & set("/\\:\0")
    try:
        if plain:
            path = (folder / location).resolve(strict=True)
            if path.parent == folder.resolve():
                return path
    except FileNotFoundError:
        raise NetworkFileError(
            f"{title(tensor)}: external data {location!r:.80} must lie beside the ONNX file, "
            "found no such file"
        ) from None
    except (OSError, RuntimeError, ValueError):
        plain = False
    raise NetworkFileError(
        f"{title(tensor)}: must have its data in the folder of the ONNX file, found external data "
        f"{location!r:.80}" + (", a link that leaves it" if plain else "")
    )


def _number(tensor: onnx.TensorProto, entries: dict[str, str], key: str, otherwise: int) -> int:
    text = entries.get(key)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise NetworkFileError(
            f"{title(tensor)}: {key} of external data must be a number, not {text!r:.40}"
        )
    return int(text)


class _CheckSums:
    """The standard's optional SHA-1 of a whole file, which is read once for all its tensors.

    most_bytes: of a file; what is larger is refused before it is read.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._found: dict[tuple[int, int], str] = {}

    def check(self, tensor: onnx.TensorProto, promised: str, file: IO[bytes]) -> None:
        """Raises NetworkFileError for another sum, or a file too large to sum up."""
        status = os.fstat(file.fileno())
        if status.st_size > self._most_bytes:
            raise NetworkFileError(
                f"{title(tensor)}: external data with a checksum must lie in a file of at most "
                f"{self._most_bytes} bytes, found {status.st_size}"
            )
        key = (status.st_dev, status.st_ino)
        if key not in self._found:
            self._found[key] = hashlib.file_digest(file, "sha1").hexdigest()  # type: ignore[arg-type]
        if self._found[key] != promised.lower():
            raise NetworkFileError(
                f"{title(tensor)}: external data must have the SHA-1 {promised!r:.60}, found "
                f"{self._found[key]}"
            )
