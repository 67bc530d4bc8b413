"""Which of all samples are test samples: as given, a fraction with a seed, or another file's."""

import re
from collections import Counter

import numpy as np
import numpy.typing as npt

from toreq_hw.data.own.samples import Samples
from toreq_hw.errors import DataError
from toreq_hw.network.generator import Stream, next_word, seed_state
from toreq_hw.reading import shown

FRACTION, SEED = "0.2", 1
"""Of test samples where nothing is said, and the seed that chooses them."""

FORMS = "FRACTION[:SEED], given, column:NAME or file:FILE"

_FRACTION = re.compile(r"(0?\.[0-9]{1,6})(?::([0-9]{1,10}))?")


def split_by_column(samples: Samples) -> tuple[Samples, Samples, str]:
    """Training and test samples by what a column says, and a sentence. Raises DataError."""
    wrong = [text for text in samples.parts if text.lower() not in ("train", "test")]
    if wrong:
        raise DataError(
            f"{samples.what}: the column of split must hold train or test, found {shown(wrong[0])}"
        )
    tests = np.array([text.lower() == "test" for text in samples.parts])
    return samples.take(~tests), samples.take(tests), "as a column says"


def split_by_fraction(samples: Samples, text: str) -> tuple[Samples, Samples, str]:
    """A fraction, drawn by a seed, tests; each class gives its share. Raises DataError."""
    found = _FRACTION.fullmatch(text)
    seed = int(found[2]) if found and found[2] else SEED
    if found is None or seed >> 32 or float(found[1]) == 0:
        raise DataError(f"split must be {FORMS}, found {shown(text)}")
    tests = chosen(samples.targets, float(found[1]), seed)
    if not tests.any() or tests.all():
        raise DataError(
            f"{samples.what}: split {text} must leave training and test samples, found "
            f"{len(tests)} samples"
        )
    said = f"{found[1]} of the samples, drawn by seed {seed}, of each class its share, test"
    return samples.take(~tests), samples.take(tests), said


def chosen(targets: tuple[str, ...], fraction: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which samples test, bool (samples,): a shuffle, in which each class gives its share.

    The only sample of a class trains.
    """
    order = list(range(len(targets)))
    word = seed_state(seed, Stream.SAMPLE_ORDER)
    for last in range(len(order) - 1, 0, -1):
        word = next_word(word)
        other = word * (last + 1) >> 32
        order[last], order[other] = order[other], order[last]
    order.sort(key=lambda i: targets[i])  # stable: shuffled within a class
    count = round(fraction * len(order))
    marks, sizes = np.zeros(len(order), dtype=np.bool_), Counter(targets)
    for place, sample in enumerate(order):
        tests = (place + 1) * count // len(order) > place * count // len(order)
        marks[sample] = tests and sizes[targets[sample]] > 1
    return marks
