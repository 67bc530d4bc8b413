"""Payloads of the requests that carry much: the words of a network, the values of an image."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.boards.link.protocol import IMAGE_HEADER, SPARSE_BYTES, WORDS_HEADER, ImageFlag
from toreq_hw.boards.link.wire_format import row_bytes
from toreq_hw.network import Network
from toreq_hw.rtl.images import load_words
from toreq_hw.rtl.parameters import CoreParameters


def words(network: Network, parameters: CoreParameters, room: int) -> Iterator[bytes]:
    """Payloads of WORDS of `room` bytes at most: rows of one space at rising addresses.

    Raises NetworkError where `network` does not fit the core.
    """
    lengths = row_bytes(parameters)
    chunk, follows = b"", (-1, 0)
    for word in load_words(network, parameters):
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
    indices = np.flatnonzero(inputs)
    if sparse := SPARSE_BYTES * len(indices) < len(inputs):
        entries = indices.astype(np.int64) << 8 | inputs[indices].astype(np.int64) & 0xFF
        items = [int(entry).to_bytes(SPARSE_BYTES, "big") for entry in entries]
        items = items or [bytes(SPARSE_BYTES)]
    else:
        items = [bytes([int(value) & 0xFF]) for value in inputs]
    most = (room - IMAGE_HEADER) // len(items[0])
    parts = [b"".join(items[k : k + most]) for k in range(0, len(items), most)]
    flags = [ImageFlag.SPARSE * sparse | ImageFlag.REPORT * report for _ in parts]
    flags[0] |= ImageFlag.FIRST
    flags[-1] |= ImageFlag.LAST
    limit = parameters.max_sweeps.to_bytes(2, "big")
    return [bytes([flag]) + limit + part for flag, part in zip(flags, parts, strict=True)]


def nudge(command: int, label: int, *, report: bool) -> bytes:
    """The payload of NUDGE; command: a `Command`."""
    flags = int(command) | ImageFlag.REPORT * report
    return bytes([flags]) + label.to_bytes(2, "big")
