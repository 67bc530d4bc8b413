"""Tasks on sequences: what they ask, that nothing is tested that was learned, one seed one set."""

import numpy as np
import pytest

from toreq_hw.data import Dataset, Split
from toreq_hw.data.sequences import copy, named, recall, reversal, sums
from toreq_hw.errors import InputError
from toreq_hw.network.generator import Stream, next_word, seed_state


def symbols_of(images: np.ndarray, dataset: Dataset, channels: slice) -> np.ndarray:
    """The one-hot number of each position, -1 for none."""
    pixels = images.reshape(len(images), *dataset.shape)[:, :, channels]
    assert pixels.sum(axis=2).max() <= 1
    return np.where(pixels.any(axis=2), pixels.argmax(axis=2), -1)


@pytest.mark.parametrize("task", [reversal, copy])
def test_reversal_and_copy(task) -> None:
    dataset = task(5, 4, train=60, test=30)
    assert dataset.shape == (5, 4 + 5)
    assert (dataset.classes, dataset.rows, dataset.outputs) == (4, 5, 20)
    for part, count in ((dataset.train, 60), (dataset.test, 30)):
        found = symbols_of(part.images, dataset, slice(4))
        assert len(part) == count
        assert np.array_equal(part.labels, found[:, ::-1] if task is reversal else found)
        places = symbols_of(part.images, dataset, slice(4, 9))
        assert np.array_equal(places, np.tile(np.arange(5), (count, 1)))


def test_sums_are_thermometers() -> None:
    dataset = sums(5, 4, train=60, test=30)
    assert dataset.shape == (5, 4 + 5)
    assert (dataset.classes, dataset.rows, dataset.outputs) == (2, 15, 30)
    totals = symbols_of(dataset.train.images, dataset, slice(4)).sum(axis=1)
    assert len(set(totals.tolist())) > 5
    for total, labels in zip(totals, dataset.train.labels, strict=True):
        assert labels.tolist() == [1] * total + [0] * (15 - total)


def test_lengths_are_part_of_the_name() -> None:
    sizes = {"reversal-4": 40, "copy-16": 160, "sums-7": 42, "recall-3": 8}
    for name, outputs in sizes.items():
        make = named(name)
        assert make is not None
        found = make()
        assert (found.name, found.outputs, len(found.train)) == (name, outputs, 4000)
    assert named("digits") is None
    with pytest.raises(InputError, match=r"must be sums-N with N in 7..64, found 'sums-6'"):
        named("sums-6")


def test_recall() -> None:
    dataset = recall(3, 5, 4, train=60, test=30)
    assert dataset.shape == (4, 5 + 4 + 4)
    assert (dataset.classes, dataset.rows) == (4, 1)
    keys = symbols_of(dataset.test.images, dataset, slice(5))
    values = symbols_of(dataset.test.images, dataset, slice(5, 9))
    for key, value, label in zip(keys, values, dataset.test.labels, strict=True):
        assert len(set(key[:3].tolist())) == 3
        assert value[3] == -1
        assert label == value[key[:3].tolist().index(key[3])]


@pytest.mark.parametrize(
    "make",
    [
        lambda s: reversal(4, 4, seed=s, train=150, test=90),
        lambda s: recall(2, 4, 3, seed=s, train=100, test=50),
    ],
)
def test_nothing_is_tested_that_was_learned(make) -> None:
    dataset = make(3)
    everything = np.concatenate([dataset.train.images, dataset.test.images])
    assert len(np.unique(everything, axis=0)) == len(everything)
    assert make(3).sha256 == dataset.sha256
    assert make(4).sha256 != dataset.sha256


def test_symbols_are_even() -> None:
    labels = reversal(8, 10, train=3000, test=1000).train.labels
    counts = np.bincount(labels.ravel(), minlength=10)
    assert abs(counts / counts.sum() - 0.1).max() < 0.01


def test_symbols_are_words_of_the_generator() -> None:
    word, wanted = seed_state((1 << 32) - 1 - 5, Stream.SAMPLE_ORDER), []
    for _ in range(16):
        word = next_word(word)
        wanted.append(word * 10 >> 32)
    found = copy(8, 10, seed=5, train=3, test=2).test.labels
    assert found.ravel().tolist() == wanted


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="must be 20 different ones, found 16"):
        reversal(2, 4, train=10, test=10)
    with pytest.raises(InputError, match=r"pairs of a sequence must be in 1..2, not 3"):
        recall(3, 2, 2)
    with pytest.raises(InputError, match=r"sequences must number 2.."):
        copy(2, 2, train=0, test=1)
    with pytest.raises(InputError, match="seed must be in"):
        copy(2, 2, seed=-1, train=1, test=1)


def test_labels_of_both_parts_have_the_same_rows() -> None:
    images = np.zeros((2, 4), np.uint8)
    one, two = Split(images, np.zeros(2, np.int64)), Split(images, np.zeros((2, 3), np.int64))
    with pytest.raises(InputError, match="must have as many rows as those of training"):
        Dataset("x", (2, 2), 1, 2, "none", one, two)
    with pytest.raises(InputError, match="labels"):
        Split(images, np.zeros((3, 3), np.int64))
