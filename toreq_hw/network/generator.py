"""The generator of docs/numerics.md, section 6, and its streams: xorshift32, a word at a time."""

from enum import IntEnum


class Stream(IntEnum):
    """Independent uses of one seed."""

    INITIAL_WEIGHTS = 0
    SAMPLE_ORDER = 1
    ROUNDING = 2
    AUGMENTATION = 3


def seed_state(seed: int, stream: Stream) -> int:
    """The generator's first state, never zero: a 32-bit hash of (seed, stream).

    seed: 0 .. 2^32 - 1. Murmur3's finaliser separates neighbouring seeds.
    """
    x = (seed * 4 + stream + 1) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return (x ^ (x >> 16)) or 1


def next_word(state: int) -> int:
    """The next state, which is the word (Marsaglia 2003: 13, 17, 5)."""
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ (state << 5 & 0xFFFFFFFF)
