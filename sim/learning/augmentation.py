"""Moving training images by a pixel or so: a fresh, repeatable draw each epoch.

Done by whoever feeds the chip, not by the chip; test images are never touched.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.reading.fields import integer
from toreq_hw.sim.learning.generator import Stream, draws, epoch_seed, seeded

_MOST = 1024
"""Pixels that an image is moved by; room for as many is made around it."""


def shifted(
    images: npt.NDArray[np.int16], shape: tuple[int, int], reach: int, seed: int, epoch: int
) -> npt.NDArray[np.int16]:
    """Each image moved by up to `reach` pixels down and right (or up and left), zeros moving in.

    images: (samples, rows * columns), in order. Sample i takes draw i of its stream: the row
    offset from the high, the column offset from the low 16 bits. Returns a new array.
    Raises InputError.
    """
    integer(reach, 0, _MOST, "reach of moved images", InputError)
    if reach == 0:
        return images
    rows, columns = shape
    if images.ndim != 2 or images.shape[1] != rows * columns:
        raise InputError(
            f"images must be {rows} x {columns} pixels to be moved, found shape {images.shape}"
        )
    words = draws(len(images), seeded(epoch_seed(seed, epoch), Stream.AUGMENTATION))
    span = 2 * reach + 1
    down = ((words >> 16) * span >> 16).astype(np.int64)
    right = ((words & 0xFFFF) * span >> 16).astype(np.int64)
    padded = np.pad(images.reshape(-1, rows, columns), ((0, 0), (reach, reach), (reach, reach)))
    moved = np.empty((len(images), rows, columns), dtype=images.dtype)
    for y in range(span):
        for x in range(span):
            which = (down == y) & (right == x)
            top, left = span - 1 - y, span - 1 - x
            moved[which] = padded[which, top : top + rows, left : left + columns]
    return moved.reshape(images.shape)
