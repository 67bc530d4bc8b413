"""How many bits numbers need."""

from collections.abc import Iterable


def signed_bits(values: Iterable[int]) -> int:
    """Bits of the narrowest two's complement format that holds all values."""
    return max((v if v >= 0 else -v - 1).bit_length() for v in values) + 1


def index_bits(count: int) -> int:
    """Bits that number `count` things from 0, at least one."""
    return max(1, (count - 1).bit_length())
