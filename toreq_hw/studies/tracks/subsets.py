"""Parts of a data set by classes, for tracks that learn one thing after another."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toreq_hw.data import Dataset, Split


def of_classes(dataset: Dataset, classes: Sequence[int], *, renumber: bool = False) -> Dataset:
    """Only the samples of these classes. renumber: they become 0, 1, .. in their order."""
    numbers = np.full(dataset.classes, -1, dtype=np.int64)
    numbers[list(classes)] = np.arange(len(classes)) if renumber else list(classes)

    def part(whole: Split) -> Split:
        kept = whole.take(np.isin(whole.labels, classes))
        return replace(kept, labels=numbers[kept.labels])

    return replace(
        dataset,
        classes=len(classes) if renumber else dataset.classes,
        split=f"{dataset.split}; classes {', '.join(map(str, classes))}",
        train=part(dataset.train),
        test=part(dataset.test),
    )


def few_of_each(dataset: Dataset, count: int, seed: int) -> Dataset:
    """`count` training samples of each class, chosen by the seed."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(dataset.train), dtype=np.bool_)
    for number in np.unique(dataset.train.labels):
        own = np.flatnonzero(dataset.train.labels == number)
        chosen[rng.permutation(own)[:count]] = True
    split = f"{dataset.split}; {count} training samples a class, seed {seed}"
    return replace(dataset, split=split, train=dataset.train.take(chosen))


def joined(dataset: Dataset, other: Dataset) -> Dataset:
    """With the training samples of another one behind its own."""
    images = np.concatenate([dataset.train.images, other.train.images])
    labels = np.concatenate([dataset.train.labels, other.train.labels])
    split = f"{dataset.split}; and {other.split}"
    return replace(dataset, split=split, train=Split(images, labels))
