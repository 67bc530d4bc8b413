"""Payloads of the requests that carry much: the words of a network, the values of an image."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.link.protocol import (
    COUNT_BYTES,
    IMAGE_HEADER,
    MOST_ZEROS,
    READ_HEADER,
    SPARSE_BYTES,
    TRAIN_HEADER,
    WORDS_HEADER,
    ImageFlag,
)
from toreq_hw.boards.link.wire_format import row_bytes, setting_bytes
from toreq_hw.network import Network
from toreq_hw.rtl.images import load_words
from toreq_hw.rtl.load_spaces import LoadWord
from toreq_hw.rtl.parameters import CoreParameters


def words(network: Network, parameters: CoreParameters, room: int) -> Iterator[bytes]:
    """Payloads of WORDS of `room` bytes at most that load `network`.

    Raises NetworkError where it does not fit the core.
    """
    return rows(load_words(network, parameters), parameters, room)


def rows(load: Iterable[LoadWord], parameters: CoreParameters, room: int) -> Iterator[bytes]:
    """Payloads of WORDS or SET, `room` bytes at most: words of one space at rising addresses."""
    lengths = row_bytes(parameters) | setting_bytes(parameters)
    chunk, follows = b"", (-1, 0)
    for word in load:
        length = lengths[word.space]
        if (word.space, word.address) != follows or len(chunk) + length > room:
            if chunk:
                yield chunk
            chunk = (word.space << 24 | word.address).to_bytes(WORDS_HEADER, "big")
        chunk += word.data.to_bytes(length, "big")
        follows = (word.space, word.address + 1)
    yield chunk


def image(
    inputs: npt.NDArray[np.int16], parameters: CoreParameters, room: int, *, report: bool
) -> list[bytes]:
    """Payloads of IMAGE: every value, or those that are not zero, whichever is shorter.

    inputs: int16 (input.size,).
    """
    if parameters.learning is not None:
        form, items = _shorter(inputs)
    else:
        form, items = (_sparse if _is_sparse(inputs) else _dense)(inputs)
    parts = _parts(items, room - IMAGE_HEADER)
    flags = [form | ImageFlag.REPORT * report for _ in parts]
    flags[0] |= ImageFlag.FIRST
    flags[-1] |= ImageFlag.LAST
    limit = _limit(parameters)
    return [bytes([flag]) + limit + part for flag, part in zip(flags, parts, strict=True)]


def train(
    inputs: npt.NDArray[np.int16], label: int, number: int, parameters: CoreParameters, room: int
) -> tuple[list[bytes], bytes]:
    """Payloads of IMAGE, none where one request has room for all, and that of the TRAIN behind
    them: the image dense or packed, whichever is shorter.

    inputs: int16 (input.size,). number: of the sample since the load; it is taken modulo 256.
    """
    form, items = _shorter(inputs)
    *parts, last = _parts(items, room - TRAIN_HEADER)
    flags = [form for _ in (*parts, last)]
    flags[0] |= ImageFlag.FIRST
    limit = _limit(parameters)
    images = [bytes([flag]) + limit + part for flag, part in zip(flags, parts, strict=False)]
    number = number % (1 << 8 * COUNT_BYTES)
    head = bytes([flags[-1], number]) + label.to_bytes(2, "big") + limit
    return images, head + last


def _limit(parameters: CoreParameters) -> bytes:
    return parameters.max_sweeps.to_bytes(2, "big")


def _parts(items: list[bytes], room: int) -> list[bytes]:
    """The items one behind another, in parts of `room` bytes at most."""
    parts = [b""]
    for item in items:
        if parts[-1] and len(parts[-1]) + len(item) > room:
            parts.append(b"")
        parts[-1] += item
    return parts


def _is_sparse(inputs: npt.NDArray[np.int16]) -> bool:
    return SPARSE_BYTES * int(np.count_nonzero(inputs)) < len(inputs)


def _dense(inputs: npt.NDArray[np.int16]) -> tuple[ImageFlag, list[bytes]]:
    """The flag and the items of an image of which every value is sent."""
    return ImageFlag(0), [bytes([int(value) & 0xFF]) for value in inputs]


def _sparse(inputs: npt.NDArray[np.int16]) -> tuple[ImageFlag, list[bytes]]:
    """The same of one whose values come with their indices."""
    indices = np.flatnonzero(inputs)
    entries = indices.astype(np.int64) << 8 | inputs[indices].astype(np.int64) & 0xFF
    items = [int(entry).to_bytes(SPARSE_BYTES, "big") for entry in entries]
    return ImageFlag.SPARSE, items or [bytes(SPARSE_BYTES)]


def _shorter(inputs: npt.NDArray[np.int16]) -> tuple[ImageFlag, list[bytes]]:
    """The same, dense or packed."""
    return min(_dense(inputs), _packed(inputs), key=lambda form: sum(map(len, form[1])))


def _packed(inputs: npt.NDArray[np.int16]) -> tuple[ImageFlag, list[bytes]]:
    """The same of one whose zeros are counted; those behind its last value are left out."""
    present = np.flatnonzero(inputs)
    items, at = [], 0
    for index in map(int, present if len(present) else [1]):
        while at < index:
            zeros = min(index - at, MOST_ZEROS)
            items.append(bytes([0, zeros - 1]))
            at += zeros
        if len(present):
            items.append(bytes([int(inputs[index]) & 0xFF]))
        at += 1
    return ImageFlag.PACKED, items


def read(space: int, address: int, length: int) -> bytes:
    """The payload of READ. length: bytes of rows; the status byte before them counts, too."""
    return (length + 1 << 32 | space << 24 | address).to_bytes(READ_HEADER, "big")


def nudge(command: int, label: int, *, report: bool) -> bytes:
    """The payload of NUDGE; command: a `Command`."""
    flags = int(command) | ImageFlag.REPORT * report
    return bytes([flags]) + label.to_bytes(2, "big")
