"""The first training images of a data set, for tracks with many trainings of it."""

from toreq_hw.data import Dataset
from toreq_hw.studies.tracks.measuring import load

MOST = 20_000
"""Training images: so one seed of such a track takes minutes on MNIST too."""


def first_images(name: str) -> Dataset:
    """A data set with at most `MOST` training samples, the first; all of it where it has fewer."""
    return load(name).first(MOST)
