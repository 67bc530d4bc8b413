"""Tasks on sequences of symbols: reversal, copy, sums and recall, made from a seed.

A position has a one-hot symbol and a one-hot place, as pixels 0 and 1. Every sequence is in the
data set once, so what is tested was never learned.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data.dataset import Dataset, Split
from toreq_hw.errors import InputError
from toreq_hw.network.generator import Stream, next_word, seed_state
from toreq_hw.reading import shown

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
def sums(
    length: int, symbols: int, *, seed: int = 1, train: int = 4000, test: int = 2000
) -> Dataset:
    """Labels are a thermometer: number t is 1 where the symbols add up to more than t, else 0.

    Labels are (samples, length (symbols - 1)), otherwise as `reversal`.
    """
    drawn = _distinct(lambda words: _uniform(words, length, symbols), seed, train + test)
    steps = np.arange(length * (symbols - 1))
    labels = (drawn.sum(axis=1)[:, None] > steps).astype(np.int64)
    return _joined(f"sums-{length}", _one_hot(drawn, symbols), labels, 2, test)


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


@dataclass(frozen=True)
class Task:
    """A task of any length. make: its data set of one length. least, most: lengths it may have."""

    make: Callable[[int], Dataset]
    least: int
    most: int


TASKS = {
    "reversal": Task(lambda length: reversal(length, 10), 4, 64),
    "copy": Task(lambda length: copy(length, 10), 4, 64),
    "sums": Task(lambda length: sums(length, 4), 7, 64),
    "recall": Task(lambda pairs: recall(pairs, 8, 8), 2, 8),
}
"""By their names, with their usual numbers of symbols. `recall-4` has four pairs."""

FORMS = tuple(f"{name}-N" for name in TASKS)
"""How their data sets are called, N the length."""

_NAMED = re.compile(f"({'|'.join(TASKS)})-(.*)")


def named(name: str) -> Callable[[], Dataset] | None:
    """What makes the data set of a name such as `reversal-8`; None for names of other forms.

    Raises InputError for a length that the task does not have.
    """
    found = _NAMED.fullmatch(name)
    if found is None:
        return None
    task = TASKS[found[1]]
    length = int(found[2]) if re.fullmatch("[1-9][0-9]{0,2}", found[2]) else 0
    if not task.least <= length <= task.most:
        raise InputError(
            f"must be {found[1]}-N with N in {task.least}..{task.most}, found {shown(name)}"
        )
    return lambda: task.make(length)


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
