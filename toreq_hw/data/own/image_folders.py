"""Folders of images: a subfolder a class, or folders train and test with a subfolder a class."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toreq_hw.data.own.arrays import Parts
from toreq_hw.data.own.samples import Samples
from toreq_hw.data.own.spec import Spec
from toreq_hw.errors import DataError
from toreq_hw.reading import shown

if TYPE_CHECKING:
    from PIL.Image import Image

ENDS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
MAX_SIDE = 4096
TRAIN, TEST = "train", "test"


def read_folder(path: Path, spec: Spec) -> Parts:
    """All images below a folder. Raises DataError naming the file.

    Grey images have one channel and others three; all must have the same size and channels.
    """
    if spec.target or spec.drop:
        raise DataError(
            f"{path}: target and drop must be left out, a class is the name of a folder"
        )
    parts = [path / TRAIN, path / TEST]
    if all(part.is_dir() for part in parts):
        train, test = (_samples(part) for part in parts)
        return train, test
    return _samples(path), None


def _samples(folder: Path) -> Samples:
    files = [
        (entry.name, image)
        for entry in _entries(folder)
        if entry.is_dir()
        for image in _entries(entry)
        if image.suffix.lower() in ENDS
    ]
    if not files:
        raise DataError(
            f"{folder}: must hold a folder a class with images ({', '.join(ENDS)}), found none"
        )
    images = [_pixels(image) for _, image in files]
    for (_, path), image in zip(files, images, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"{path}: must have rows, columns and channels {images[0].shape} as "
                f"{files[0][1]}, found {image.shape}"
            )
    rows, columns, channels = images[0].shape
    return Samples(
        what=str(folder),
        features=np.stack(images).reshape(len(images), -1).astype(np.float64),
        targets=tuple(name for name, _ in files),
        shape=(rows, columns),
        channels=channels,
        bytes_=True,
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: must be readable, found: {error.strerror}") from error


def _pixels(path: Path) -> npt.NDArray[np.uint8]:
    """One image, uint8 (rows, columns, channels). Raises DataError."""
    from PIL.Image import DecompressionBombError  # takes a moment, and few data sets are folders
    from PIL.Image import open as open_image

    try:
        with open_image(path) as image:
            if max(image.size) > MAX_SIDE:
                raise DataError(f"{path}: must have sides up to {MAX_SIDE}, found {image.size}")
            _check_mode(path, image)
            grey = image.mode in ("1", "L", "LA")
            found = np.asarray(image.convert("L" if grey else "RGB"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, DecompressionBombError, EOFError) as error:
        raise DataError(f"{path}: must be an image, found: {shown(str(error))}") from error
    return found.reshape(*found.shape[:2], -1)


def _check_mode(path: Path, image: "Image") -> None:
    """Raises DataError for pixels that 8 bits a channel cannot hold, or that one sees through."""
    if image.mode.startswith(("I", "F")):
        raise DataError(
            f"{path}: must have 8 bits a channel, found mode {image.mode}; save it with 8, or the "
            "numbers in an .npz file"
        )
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise DataError(
            f"{path}: must be opaque, found transparent pixels; save it on a background"
        )
