"""Tasks on sequences of symbols: reversal, copy and recall, made from a seed.

A position has a one-hot symbol and a one-hot place, as pixels 0 and 1. Every sequence is in the
data set once, so what is tested was never learned.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data.dataset import Dataset, Split
from toreq_hw.errors import InputError
from toreq_hw.network.generator import Stream, next_word, seed_state

Sequences = npt.NDArray[np.int64]

MOST_SEQUENCES = 1 << 20
MOST_TRIES = 16
"""How many sequences may be drawn for one that is new."""


@named_type_errors
def reversal(
    length: int, symbols: int, *, seed: int = 1, train: int = 4000, test: int = 2000
) -> Dataset:
    """The label of position i is the symbol of position length - 1 - i.

    Labels are (samples, length). Raises InputError where there are not enough sequences.
    """
    drawn = _distinct(lambda words: _uniform(words, length, symbols), seed, train + test)
    return _dataset(f"reversal-{length}", drawn, drawn[:, ::-1], symbols, test)


@named_type_errors
def copy(
    length: int, symbols: int, *, seed: int = 1, train: int = 4000, test: int = 2000
) -> Dataset:
    """The label of a position is its own symbol; otherwise as `reversal`."""
    drawn = _distinct(lambda words: _uniform(words, length, symbols), seed, train + test)
    return _dataset(f"copy-{length}", drawn, drawn, symbols, test)


@named_type_errors
def recall(
    pairs: int, keys: int, values: int, *, seed: int = 1, train: int = 4000, test: int = 2000
) -> Dataset:
    """Positions hold a key and a value, the last one a key again; the label is its value.

    Keys of a sequence differ. A position is a one-hot key, a one-hot value, none in the last, and a
    one-hot place. Labels are (samples,). Raises InputError.
    """
    if not 1 <= pairs <= keys:
        raise InputError(f"pairs of a sequence must be in 1..{keys}, not {pairs}")

    def make(words: Iterator[int]) -> tuple[int, ...]:
        left = list(range(keys))
        chosen = [left.pop(next(words) * len(left) >> 32) for _ in range(pairs)]
        own = [next(words) * values >> 32 for _ in range(pairs)]
        return (*chosen, *own, next(words) * pairs >> 32)

    drawn = _distinct(make, seed, train + test)
    asked = drawn[:, -1]
    rows = np.arange(len(drawn))
    labels = drawn[rows, pairs + asked]
    at_keys = np.concatenate([drawn[:, :pairs], drawn[rows, asked][:, None]], axis=1)
    at_values = np.concatenate([drawn[:, pairs:-1], np.full((len(drawn), 1), -1)], axis=1)
    pixels = np.concatenate([_one_hot(at_keys, keys), _one_hot(at_values, values)], axis=2)
    return _joined(f"recall-{pairs}", pixels, labels, values, test)


def _dataset(
    name: str, sequences: Sequences, labels: Sequences, symbols: int, test: int
) -> Dataset:
    return _joined(name, _one_hot(sequences, symbols), labels, symbols, test)


def _joined(
    name: str, pixels: npt.NDArray[np.uint8], labels: Sequences, classes: int, test: int
) -> Dataset:
    """pixels: uint8 (samples, positions, channels), to which places are added."""
    samples, positions, channels = pixels.shape
    places = np.broadcast_to(np.eye(positions, dtype=np.uint8), (samples, positions, positions))
    images = np.concatenate([pixels, places], axis=2).reshape(samples, -1)
    return Dataset(
        name=name,
        shape=(positions, channels + positions),
        pixel_max=1,
        classes=classes,
        split=f"{samples - test:,} training and {test:,} test sequences, all different",
        train=Split(images[test:], labels[test:]),
        test=Split(images[:test], labels[:test]),
    )


def _one_hot(numbers: Sequences, size: int) -> npt.NDArray[np.uint8]:
    """uint8 (..., size); all 0 for a number below 0."""
    found: npt.NDArray[np.uint8] = (numbers[..., None] == np.arange(size)).astype(np.uint8)
    return found


def _uniform(words: Iterator[int], length: int, symbols: int) -> tuple[int, ...]:
    return tuple(next(words) * symbols >> 32 for _ in range(length))


def _words(seed: int) -> Iterator[int]:
    word = seed_state((1 << 32) - 1 - seed, Stream.SAMPLE_ORDER)
    while True:
        word = next_word(word)
        yield word


def _distinct(make: Callable[[Iterator[int]], tuple[int, ...]], seed: int, count: int) -> Sequences:
    """The first `count` different sequences, int64 (count, numbers). Raises InputError."""
    if not 2 <= count <= MOST_SEQUENCES:
        raise InputError(f"sequences must number 2..{MOST_SEQUENCES}, not {count}")
    if not 0 <= seed < 1 << 32:
        raise InputError(f"seed must be in 0..{(1 << 32) - 1}, not {seed}")
    words, found = _words(seed), dict[tuple[int, ...], None]()
    for _ in range(MOST_TRIES * count):
        found[make(words)] = None
        if len(found) == count:
            return np.array(list(found), dtype=np.int64)
    raise InputError(f"sequences must be {count} different ones, found {len(found)}")
