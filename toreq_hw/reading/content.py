"""The bytes and the text of a file, never more of them than a limit."""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from toreq_hw.errors import ToreqError
from toreq_hw.memory import check_memory

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_CHECKED_BYTES = 1 << 24
"""Memory is looked at only for contents larger than this: looking takes time."""

_PARSED_RATIO = 24
"""Bytes that the objects of a text may take for each of its bytes: small lists take the most."""

_CHUNK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def read_bytes(path: Path, limit: int, error: type[ToreqError]) -> bytes:
    """The whole content of a regular file.

    Raises `error` naming the file: absent, unreadable, a folder, pipe or device (which is never
    waited for), larger than `limit` bytes. Raises InputError where memory does not hold it.
    """
    with _open(path, error) as (file, size):
        _check_size(size, limit, str(path), error)
        content = file.read(size + 1)
    if len(content) > size:
        raise error(f"{path}: must have the {size} bytes that its folder states, found more")
    return content


def read_beginning(path: Path, count: int, error: type[ToreqError]) -> tuple[bytes, int]:
    """The first `count` bytes of a regular file (or all), and its size; raises as `read_bytes`."""
    with _open(path, error) as (file, size):
        return file.read(count), size


@contextmanager
def _open(path: Path, error: type[ToreqError]) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file and its size; everything that the system says against it is an `error`."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                found = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "?")
                raise error(f"{path}: must be a regular file, found {found}")
            yield file, status.st_size
    except OSError as failure:
        raise error(f"{path}: must be readable, found: {failure.strerror or failure}") from failure
    except ValueError as failure:
        raise error(f"{str(path)!r}: must be the name of a file, found: {failure}") from failure


def read_text(path: Path, limit: int, error: type[ToreqError]) -> str:
    """The text of a UTF-8 file; raises as `read_bytes` and `decoded` do."""
    return decode(read_bytes(path, limit, error), str(path), error)


def read_log(path: Path, limit: int, error: type[ToreqError]) -> str:
    """What a tool printed into a file, bytes that are no UTF-8 replaced; raises as `read_bytes`."""
    return read_bytes(path, limit, error).decode("utf-8", "replace")


def decode(content: bytes, where: str, error: type[ToreqError]) -> str:
    """`content` as UTF-8 text. A byte order mark at its start is accepted and dropped.

    Raises `error`, beginning with `where`, for other encodings. Raises InputError where memory
    would not hold what can be parsed from the text.
    """
    if len(content) * _PARSED_RATIO > _CHECKED_BYTES:
        check_memory(len(content) * _PARSED_RATIO, where)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        found = content[failure.start]
        raise error(
            f"{where}: must be UTF-8 text, found byte {found:#04x} at offset {failure.start}"
        ) from failure


def unpack(content: bytes, limit: int, where: str, error: type[ToreqError]) -> bytes:
    """`content`, decompressed if it is gzip; never more than `limit` bytes of it are unpacked.

    Raises `error`, beginning with `where`, for damaged or cut gzip and for more than `limit` bytes.
    """
    if not content.startswith(_GZIP_MAGIC):
        _check_size(len(content), limit, where, error)
        return content
    parts: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            while part := file.read(min(_CHUNK_BYTES, limit - size + 1)):
                parts.append(part)
                size += len(part)
                if size > limit:
                    raise error(f"{where}: must unpack to at most {limit} bytes, found more")
    except (OSError, EOFError, zlib.error) as failure:
        raise error(f"{where}: must be a whole gzip file, found: {failure}") from failure
    return b"".join(parts)


def _check_size(size: int, limit: int, where: str, error: type[ToreqError]) -> None:
    if size > limit:
        raise error(f"{where}: file must be at most {limit} bytes, not {size}")
    if size > _CHECKED_BYTES:
        check_memory(2 * size, where)


def _open_without_waiting(name: str, flags: int) -> int:
    """Opens a pipe that nobody writes to at once, so that it can be refused."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
