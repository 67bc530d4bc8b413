"""The first training images of a data set, for tracks with many trainings of it."""

from dataclasses import replace

from toreq_hw.data import Dataset
from toreq_hw.studies.tracks.measuring import load

MOST = 20_000
"""Training images: so one seed of such a track takes minutes on MNIST too."""


def first_images(name: str) -> Dataset:
    """A data set with at most `MOST` training samples, the first; all of it where it has fewer."""
    whole = load(name)
    if len(whole.train) <= MOST:
        return whole
    split = f"{whole.split}; of the training images the first {MOST:,}"
    return replace(whole, train=whole.train.take(slice(0, MOST)), split=split)
