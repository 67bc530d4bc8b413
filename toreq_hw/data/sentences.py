"""Sentences whose sentiment is to be named: SST-2, of which words are there.

The files are looked for as other data sets are (`sources.search_folders`), and are not downloaded.
Socher et al., Recursive deep models for semantic compositionality, EMNLP 2013.
"""

import csv
import gzip
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.data.dataset import Dataset, Split
from toreq_hw.data.sources import search_folders
from toreq_hw.errors import DataError

NAME = "sst2"
FILES = {
    "train": (
        "train.tsv.gz",
        "dc4a10637729af71aeb11f573482b10031ba7ffe53159403599d06759e484e30",
    ),
    "test": (
        "dev.tsv.gz",
        "84207e6be5873fb18db798cc6faec86871f5a426554650ff64a1c34e87665f6f",
    ),
}
"""Of each part its file, and the SHA-256 of the uncompressed content."""

WORDS = 2048
"""Of the vocabulary: the most frequent in training. A parse gives words and signs, with spaces."""


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences and their sentiment: 0 negative, 1 positive, int64 (n,)."""

    texts: tuple[str, ...]
    labels: npt.NDArray[np.int64]


def load_sentences() -> tuple[Sentences, Sentences]:
    """Training and test. The published development sentences are the test: others lack labels.

    Raises DataError where the files are absent or not those of the published sums.
    """
    folders = search_folders(NAME)
    for folder in folders:
        if all((folder / file).is_file() for file, _ in FILES.values()):
            return _read(folder, "train"), _read(folder, "test")
    files = " and ".join(file for file, _ in FILES.values())
    places = ", ".join(str(folder) for folder in folders)
    raise DataError(f"{NAME}: must lie as {files} in one of {places}, found none")


def bag_of_words(train: Sentences, test: Sentences, words: int = WORDS) -> Dataset:
    """A data set whose pixels say which of the most frequent words a sentence holds.

    words: of the vocabulary, which training sentences alone choose; ties by the alphabet.
    """
    counts = Counter(word for text in train.texts for word in set(text.split()))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[:words]
    places = {word: place for place, word in enumerate(ranked)}
    return Dataset(
        name=NAME,
        shape=(1, len(places)),
        pixel_max=1,
        classes=2,
        split="the published training sentences train, the development sentences test",
        train=_split(train, places),
        test=_split(test, places),
    )


def _split(part: Sentences, places: dict[str, int]) -> Split:
    images = np.zeros((len(part.texts), len(places)), dtype=np.uint8)
    for row, text in zip(images, part.texts, strict=True):
        row[[places[word] for word in text.split() if word in places]] = 1
    return Split(images, part.labels)


def _read(folder: Path, part: str) -> Sentences:
    file, expected = FILES[part]
    path = folder / file
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: must be a readable gzip file, found {error}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(f"{path}: content must have SHA-256 {expected}, found {found}")
    return _parsed(io.StringIO(content.decode()))


def _parsed(lines: io.StringIO) -> Sentences:
    rows: Sequence[Sequence[str]] = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    labels = np.array([int(row[0]) for row in rows[1:]], dtype=np.int64)
    return Sentences(tuple(row[1] for row in rows[1:]), labels)
