"""The random numbers of on-chip learning: xorshift32, small enough for any FPGA.

docs/numerics.md, section 6, fixes the generator, its seeding and the order of random words.
So hardware and simulator agree on every weight after a whole training run.
"""

import numpy as np
import numpy.typing as npt

from toreq_hw.network.generator import Stream, seed_state
from toreq_hw.sim.compiled import compiled


@compiled
def advance(state):  # type: ignore[no-untyped-def]
    """The next state of xorshift32 (Marsaglia 2003: 13, 17, 5), which is the random word."""
    x = np.uint32(state)
    x ^= np.uint32(x << np.uint32(13))
    x ^= np.uint32(x >> np.uint32(17))
    x ^= np.uint32(x << np.uint32(5))
    return x


@compiled
def fill_uniform(values, limit, state):  # type: ignore[no-untyped-def]
    """Fills int16 `values` with -limit..limit at random, in order; returns the last state."""
    span = np.uint64(2 * limit + 1)
    for index in range(len(values)):
        state = advance(state)
        values[index] = np.int64((np.uint64(state) * span) >> np.uint64(32)) - limit
    return state


@compiled
def _shuffle(order, state):  # type: ignore[no-untyped-def]
    """Fisher-Yates from the last position down, one random word a position."""
    for last in range(len(order) - 1, 0, -1):
        state = advance(state)
        other = np.int64((np.uint64(state) * np.uint64(last + 1)) >> np.uint64(32))
        order[last], order[other] = order[other], order[last]
    return state


@compiled
def _fill(words, state):  # type: ignore[no-untyped-def]
    """Fills `words` with successive random words."""
    for index in range(len(words)):
        state = advance(state)
        words[index] = state


def random_words(count: int, state: int) -> npt.NDArray[np.uint64]:
    """The next `count` random words after `state`, each 0 .. 2^32 - 1. Returns uint64 (count,)."""
    words = np.empty(count, dtype=np.uint64)
    _fill(words, np.uint32(state))
    return words


def epoch_seed(seed: int, epoch: int) -> int:
    """The seed of one epoch's own streams, so that an epoch can be resumed by its number."""
    return (seed + epoch * 0x9E3779B9) & 0xFFFFFFFF


def sample_order(count: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The order in which an epoch (0 is the first) presents its samples, int64 (count,)."""
    order = np.arange(count, dtype=np.int64)
    _shuffle(order, np.uint32(seed_state(epoch_seed(seed, epoch), Stream.SAMPLE_ORDER)))
    return order
