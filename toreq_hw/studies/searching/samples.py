"""Which images a search sees: held-out training images until its front stands, then the test set.

This is the one place where a search takes images, and `test_images` is called once, at its end.
"""

from functools import lru_cache

from toreq_hw import data
from toreq_hw.data import Dataset

_SMALL = 10_000
"""Training images below which a fifth of them is held out."""

_LARGE_HOLDOUT = 5_000


@lru_cache(maxsize=2)
def training_images(name: str) -> Dataset:
    """The training images of a data set; it has no test images. Raises DataError."""
    return data.load_training(name)


@lru_cache(maxsize=2)
def held_out(name: str, holdout: int) -> Dataset:
    """Its training images, `holdout` of them in place of the test set. Raises DataError."""
    return training_images(name).holding_out(holdout)


def test_images(name: str) -> Dataset:
    """The whole data set, with its test images. Raises DataError."""
    return data.load(name)


def usual_holdout(dataset: Dataset) -> int:
    """How many training images are held out unless somebody says so."""
    count = len(dataset.train)
    return count // 5 if count < _SMALL else min(_LARGE_HOLDOUT, count // 5)
