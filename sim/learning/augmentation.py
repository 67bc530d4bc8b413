"""Moving training images by a pixel or so, and mirroring them: new, repeatable, each epoch.

Done by whoever feeds the chip, not by the chip; test images are never touched.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.network.generator import Stream, seed_state
from toreq_hw.reading.fields import integer
from toreq_hw.sim.learning.generator import epoch_seed, random_words

_MOST = 1024
"""Pixels that an image is moved by; room for as many is made around it."""


def shift_images(
    images: npt.NDArray[np.int16], shape: tuple[int, int], most_pixels: int, seed: int, epoch: int
) -> npt.NDArray[np.int16]:
    """Moves each image by up to `most_pixels` down and right (or up and left); zeros move in.

    images: (samples, rows * columns * channels), in order; channels of a pixel move together.
    Sample i takes random word i of its stream: the row offset from the high, the column offset from
    the low 16 bits. Returns a new array.
    Raises InputError.
    """
    integer(most_pixels, 0, _MOST, "pixels that images are moved by", InputError)
    if most_pixels == 0:
        return images
    rows, columns = shape
    if images.ndim != 2 or not images.shape[1] or images.shape[1] % (rows * columns):
        raise InputError(
            f"images must be {rows} x {columns} pixels to be moved, found shape {images.shape}"
        )
    words = _words(len(images), seed, epoch)
    span = 2 * most_pixels + 1
    down = ((words >> 16) * span >> 16).astype(np.int64)
    right = ((words & 0xFFFF) * span >> 16).astype(np.int64)
    border = (most_pixels, most_pixels)
    channels = images.shape[1] // (rows * columns)
    pictures = images.reshape(len(images), rows, columns, channels)
    padded = np.pad(pictures, ((0, 0), border, border, (0, 0)))
    moved = np.empty_like(pictures)
    for y in range(span):
        for x in range(span):
            which = (down == y) & (right == x)
            top, left = span - 1 - y, span - 1 - x
            moved[which] = padded[which, top : top + rows, left : left + columns]
    return moved.reshape(images.shape)


def mirror_images(
    images: npt.NDArray[np.int16], shape: tuple[int, int], seed: int, epoch: int
) -> npt.NDArray[np.int16]:
    """Turns about half of the images left to right: image i where word i of its stream is odd.

    images: (samples, rows * columns * channels), in order; channels stay in place. Returns a new
    array.
    """
    pictures = images.reshape(len(images), *shape, -1)
    odd = (_words(len(images), seed, epoch) & 1).astype(np.bool_)
    mirrored = np.where(odd[:, None, None, None], pictures[:, :, ::-1], pictures)
    return mirrored.reshape(images.shape)


def _words(count: int, seed: int, epoch: int) -> npt.NDArray[np.uint64]:
    """One word an image: where it is moved, and whether it is mirrored."""
    return random_words(count, seed_state(epoch_seed(seed, epoch), Stream.AUGMENTATION))
