"""Texts whose next character is to be predicted: Shakespeare's plays, split by position.

The file is looked for as other data sets are (`sources.search_folders`), and is not downloaded.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.data.sources import search_folders
from toreq_hw.errors import DataError
from toreq_hw.reading import read_bytes

NAME, FILE = "tinyshakespeare", "input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SIZE = 1_115_394

Symbols = npt.NDArray[np.int64]


@named_type_errors
@dataclass(frozen=True, eq=False)
class Text:
    """Characters as numbers, int64 (n,), 0 .. size of the alphabet less 1, in three parts."""

    name: str
    alphabet: bytes
    train: Symbols
    validation: Symbols
    test: Symbols

    @classmethod
    def of_bytes(cls, name: str, content: bytes) -> "Text":
        """Split by position: the first 90 % train, the next 5 % validate, the last 5 % test."""
        alphabet = bytes(sorted(set(content)))
        numbers = np.zeros(256, dtype=np.int64)
        numbers[list(alphabet)] = np.arange(len(alphabet))
        symbols = numbers[np.frombuffer(content, dtype=np.uint8)]
        ends = (len(symbols) * 9 // 10, len(symbols) * 19 // 20)
        return cls(name, alphabet, *np.split(symbols, ends))

    @property
    def split(self) -> str:
        """Which characters are which, in a sentence."""
        return (
            f"by position: the first {len(self.train):,} characters train, the next "
            f"{len(self.validation):,} validate, the last {len(self.test):,} test"
        )

    @cached_property
    def sha256(self) -> str:
        """Of the alphabet and all characters, hexadecimal."""
        digest = hashlib.sha256(self.alphabet)
        for part in (self.train, self.validation, self.test):
            digest.update(f"{len(part)}:".encode() + part.astype("<i8").tobytes())
        return digest.hexdigest()

    def windows(self, part: Symbols, places: npt.ArrayLike, context: int) -> npt.NDArray[np.uint8]:
        """One-hot images of the `context` characters before each of `places`, oldest first.

        places: integers (n,) in context .. len(part) - 1. Returns uint8 (n, context len(alphabet)),
        0 and 1. Raises InputError.
        """
        ends = whole_numbers("places", places, ("places",), context, len(part) - 1)
        before = part[ends.astype(np.int64)[:, None] + np.arange(-context, 0)]
        hot = before[:, :, None] == np.arange(len(self.alphabet))
        found: npt.NDArray[np.uint8] = hot.reshape(len(ends), -1).astype(np.uint8)
        return found


def load_text() -> Text:
    """The plays. Raises DataError where they are absent or not those of the published sum."""
    for folder in search_folders(NAME):
        path = folder / FILE
        if path.is_file():
            return Text.of_bytes(NAME, _checked(path))
    places = ", ".join(str(folder) for folder in search_folders(NAME))
    raise DataError(f"{NAME}: must lie as {FILE} in one of {places}, found none")


def _checked(path: Path) -> bytes:
    content = read_bytes(path, SIZE, DataError)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DataError(f"{path}: content must have SHA-256 {SHA256}, found {found}")
    return content
