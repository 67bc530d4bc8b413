"""CIFAR-10 from its official binary files: six files of 10,000 records.

A record is a label byte and three planes of 32 x 32 bytes: red, green, blue. Here channels come
last, as populations with a shape have them (docs/numerics.md, section 7).
"""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.data.dataset import Dataset, Split
from toreq_hw.errors import DataError
from toreq_hw.reading import read_bytes

FOLDER = "cifar-10-batches-bin"
"""What the official archive unpacks to."""

TRAIN = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST = "test_batch.bin"
SIDE, CHANNELS, CLASSES, RECORDS = 32, 3, 10, 10_000
RECORD_BYTES = 1 + CHANNELS * SIDE * SIDE

JPEG_COPY = "2696e48ae3fe74d50ecaacc0b8092b89bf95cd3f6471d079f4cbd39a956c18c3"
"""SHA-256 of test_batch.bin as made from images that were stored as JPEG."""


def load_cifar(folders: list[Path]) -> Dataset:
    """The set from the first folder that holds all six files, itself or in `FOLDER`.

    Raises DataError where none does, and for files that are not of the official layout.
    """
    places = [place for folder in folders for place in (folder / FOLDER, folder)]
    found = next((p for p in places if all((p / n).is_file() for n in (*TRAIN, TEST))), None)
    if found is None:
        raise DataError(
            f"cifar-10: {', '.join((*TRAIN, TEST))} must lie in one of "
            f"{', '.join(str(folder / FOLDER) for folder in folders)}; they are in "
            "cifar-10-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html"
        )
    parts = [_records(found / name) for name in (*TRAIN, TEST)]
    train = np.concatenate(parts[:-1])
    digest = hashlib.sha256(parts[-1].tobytes()).hexdigest()
    copy = ", JPEG copy" if digest == JPEG_COPY else ""
    return Dataset(
        name="cifar-10",
        shape=(SIDE, SIDE),
        channels=CHANNELS,
        pixel_max=255,
        classes=CLASSES,
        split=f"the published 50,000 training and 10,000 test images{copy}",
        train=_split(train),
        test=_split(parts[-1]),
    )


def _records(path: Path) -> npt.NDArray[np.uint8]:
    """The records of one file, uint8 (records, bytes). Raises DataError."""
    size = RECORDS * RECORD_BYTES
    content = read_bytes(path, size, DataError)
    if len(content) != size:
        raise DataError(f"{path}: must have {size} bytes, found {len(content)}")
    records = np.frombuffer(content, dtype=np.uint8).reshape(RECORDS, RECORD_BYTES)
    if records[:, 0].max() >= CLASSES:
        raise DataError(f"{path}: labels must be below {CLASSES}, found {records[:, 0].max()}")
    return records


def _split(records: npt.NDArray[np.uint8]) -> Split:
    planes = records[:, 1:].reshape(-1, CHANNELS, SIDE * SIDE)
    images = np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(len(records), -1)
    return Split(images, records[:, 0].astype(np.int64))
