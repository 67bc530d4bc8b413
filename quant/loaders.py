"""Torch's Dataset and DataLoader, read as pixels and classes of this project."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader

from toreq_hw.data import Dataset, Split
from toreq_hw.errors import InputError
from toreq_hw.reading import shown

_BATCH = 1000
"""Samples of a torch Dataset that are read at once."""

Shape = tuple[int, int, int]
"""Rows, columns, channels."""


@dataclass(frozen=True, eq=False)
class LoadedData:
    """A first pass over torch's data. loader: what trains, where it was a DataLoader."""

    dataset: Dataset
    loader: "DataLoader[Any] | None"


def is_torch_data(value: object) -> bool:
    """Whether a value is a torch DataLoader, or has samples by number as a torch Dataset."""
    loads = isinstance(value, DataLoader)
    return loads or (hasattr(value, "__getitem__") and hasattr(value, "__len__"))


def load_torch(train: Any, test: Any) -> LoadedData:
    """The data set of two torch Datasets or DataLoaders, read once.

    A sample is (image, class). Images are (channels, rows, columns) or (rows, columns), or features
    (n,). They hold bytes, or floats in 0..1, which become pixels 0..255. Classes are whole numbers
    from 0 on. Raises InputError for anything else.
    """
    images, labels, shape = _read("dataset", train)
    others, answers, same = _read("test", test)
    if same != shape:
        raise InputError(f"test must have samples of shape {shape}, as dataset, found {same}")
    classes = int(labels.max()) + 1
    dataset = Dataset(
        name=type(getattr(train, "dataset", train)).__name__,
        shape=shape[:2],
        pixel_max=255,
        classes=classes,
        split=f"{len(labels):,} training and {len(answers):,} test samples, as given",
        train=Split(images, labels),
        test=Split(others, answers),
        channels=shape[2],
    )
    return LoadedData(dataset, train if isinstance(train, DataLoader) else None)


def read_batch(item: Any) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], Shape]:
    """Pixels (batch, pixels) and labels (batch,) of a batch, and the shape of a sample.

    Raises InputError where it is no pair of images and classes.
    """
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise InputError(f"a batch must be images and classes, found {type(item).__name__}")
    images, labels = torch.as_tensor(item[0]).detach().cpu(), torch.as_tensor(item[1]).cpu()
    if labels.ndim != 1 or labels.is_floating_point() or not 1 <= images.ndim - 1 <= 3:
        raise InputError(
            "a batch must be images (batch, ..) of 1 to 3 axes and whole classes (batch,), found "
            f"shapes {tuple(images.shape)} and {tuple(labels.shape)}"
        )
    if len(labels) and int(labels.min()) < 0:
        raise InputError(f"classes must be whole numbers from 0 on, found {int(labels.min())}")
    pixels = _pixels(images)
    if pixels.ndim == 4:
        pixels = pixels.permute(0, 2, 3, 1)
    shape = _shape(tuple(pixels.shape[1:]))
    flat = pixels.reshape(len(pixels), -1).numpy()
    return flat, labels.numpy().astype(np.int64), shape


def _shape(found: tuple[int, ...]) -> Shape:
    if len(found) == 1:
        return (1, found[0], 1)
    return (found[0], found[1], found[2] if len(found) == 3 else 1)


def _pixels(images: torch.Tensor) -> torch.Tensor:
    """Bytes of bytes, or of floats in 0..1. Raises InputError for others."""
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise InputError(f"images must be bytes or floats in 0..1, found {shown(images.dtype)}")
    low, high = (float(images.min()), float(images.max())) if images.numel() else (0.0, 0.0)
    if not (low >= 0 and high <= 1):
        raise InputError(f"images must be bytes or floats in 0..1, found {low:.6g}..{high:.6g}")
    return torch.floor(images.to(torch.float64) * 255 + 0.5).to(torch.uint8)


def _read(what: str, source: Any) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], Shape]:
    """All samples of a source, in its order. Raises InputError where there is none."""
    if not is_torch_data(source):
        raise InputError(f"{what} must be a torch Dataset or DataLoader, found {shown(source)}")
    parts = [read_batch(item) for item in _batches(source)]
    if not parts:
        raise InputError(f"{what} must have samples, found none")
    shapes = {shape for _, _, shape in parts}
    if len(shapes) > 1:
        raise InputError(f"{what} must have samples of one shape, found {sorted(shapes)[:3]}")
    images, labels, _ = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels), shapes.pop()


def _batches(source: Any) -> Iterator[Any]:
    loader = source if isinstance(source, DataLoader) else DataLoader(source, _BATCH)
    yield from loader
