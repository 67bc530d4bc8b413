"""Baselines of text: how many bits a character costs a model that counts the last few.

Interpolated Witten-Bell: say a context was seen N times, before T different characters. It gives a
share T / (N + T) to the context one shorter, and the rest to its own counts. Below all contexts
lies the uniform distribution. Nothing is tuned.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.errors import InputError

MOST_ORDER = 8

Symbols = npt.NDArray[np.int64]


@named_type_errors
def bits_per_character(
    train: npt.ArrayLike, test: npt.ArrayLike, symbols: int, orders: int
) -> tuple[float, ...]:
    """Mean -log2 of the probability of a character of `test`, for models of order 1 .. orders.

    Order n looks at n characters, the one to be predicted among them; every order predicts the same
    characters, those from number orders - 1 on. train, test: integers (n,), 0 .. symbols - 1.
    Raises InputError.
    """
    if not 1 <= orders <= MOST_ORDER or symbols**orders >= 1 << 62:
        raise InputError(f"orders must be in 1..{MOST_ORDER} and few symbols, found {orders}")
    known = whole_numbers("training characters", train, ("characters",), 0, symbols - 1)
    asked = whole_numbers("test characters", test, ("characters",), 0, symbols - 1)
    if min(len(known), len(asked)) < orders:
        raise InputError(f"characters must number at least {orders} for orders up to {orders}")
    shares = np.full(len(asked) - orders + 1, 1 / symbols)
    found = []
    for length in range(orders):
        counts = _Counts(known.astype(np.int64), symbols, length)
        shares = counts.interpolated(_pairs(asked.astype(np.int64), symbols, length), shares)
        found.append(float(-np.log2(shares).mean()))
    return tuple(found)


class _Counts:
    """How often a character followed a context of one length."""

    def __init__(self, train: Symbols, symbols: int, length: int) -> None:
        self._symbols = symbols
        self._pairs, self._times = np.unique(_pairs(train, symbols, length), return_counts=True)
        self._contexts, first, self._types = np.unique(
            self._pairs // symbols, return_index=True, return_counts=True
        )
        self._totals = np.add.reduceat(self._times, first)

    def interpolated(
        self, pairs: Symbols, shorter: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Probabilities of the pairs, (n,), from those by the context one shorter.

        pairs: of more places than `shorter` has; the last ones count.
        """
        asked = pairs[len(pairs) - len(shorter) :]
        place = _places(self._contexts, asked // self._symbols)
        seen = place >= 0
        totals, types = self._totals[place], self._types[place]
        pair = _places(self._pairs, asked)
        own = np.where(pair >= 0, self._times[pair], 0)
        mixed = (own + types * shorter) / (totals + types)
        return np.asarray(np.where(seen, mixed, shorter))


def _pairs(text: Symbols, symbols: int, length: int) -> Symbols:
    """A context of `length` characters and what follows it, as one number a place."""
    found = np.zeros(len(text) - length, dtype=np.int64)
    for start in range(length + 1):
        found = found * symbols + text[start : start + len(found)]
    return found


def _places(known: Symbols, asked: Symbols) -> npt.NDArray[np.intp]:
    """Where each number stands in a sorted array, -1 for one that does not."""
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[place] == asked, place, -1)
