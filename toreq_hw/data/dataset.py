"""What a data set is here, and how its images become input states."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import DataError, InputError
from toreq_hw.network import STATE_DTYPE, Population


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes.

    images: uint8, shape (samples, pixels), 0..`Dataset.pixel_max`. labels: int64 (samples,).
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, which: slice | npt.NDArray[np.bool_]) -> "Split":
        """Some of the samples: a slice of them, or those marked in a bool array (samples,)."""
        return Split(self.images[which], self.labels[which])


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named set with the split that every figure in this project refers to.

    shape: of one image, rows by columns. split: one sentence that says which images are which.
    """

    name: str
    shape: tuple[int, int]
    pixel_max: int
    classes: int
    split: str
    train: Split
    test: Split

    @property
    def pixels(self) -> int:
        """Values per image."""
        return self.shape[0] * self.shape[1]

    def holding_out(self, count: int) -> "Dataset":
        """`count` evenly spaced training images in place of the test set, to choose settings by.

        Raises DataError unless 0 < count < the number of training images.
        """
        total = len(self.train)
        if not 0 < count < total:
            raise DataError(f"held-out images must number 1..{total - 1}, not {count}")
        index = np.arange(total)
        held = (index + 1) * count // total > index * count // total
        split = f"validation on {count} evenly spaced training images, none of the test set"
        return replace(self, split=split, train=self.train.take(~held), test=self.train.take(held))


def encode(
    images: npt.NDArray[np.uint8], pixel_max: int, population: Population
) -> npt.NDArray[np.int16]:
    """Input states of images: round(pixel * s_max / pixel_max), halves up, in integers.

    images: uint8 (samples, pixels). Returns int16, same shape; black is 0, white is s_max, so
    the negative half of a signed input stays unused. Raises InputError on a wrong width.
    """
    if images.ndim != 2 or images.shape[1] != population.size:
        raise InputError(
            f"images must have {population.size} pixels for population {population.name!r}, "
            f"found shape {images.shape}"
        )
    twice = 2 * images.astype(np.int32) * population.state_max + pixel_max
    return (twice // (2 * pixel_max)).astype(STATE_DTYPE)
