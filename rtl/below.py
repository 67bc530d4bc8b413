"""Comparison with a constant, without a carry chain."""

from amaranth import Const, Value


def below(value: Value, limit: int) -> Value:
    """Whether the unsigned `value` is less than `limit`.

    A tool makes a subtraction of `<`, a cell a bit or more; this is a table for three bits.
    """
    bits = len(value)
    if limit >> bits:
        return Const(1, 1)
    found: Value = Const(0, 1)
    for bit in range(bits):
        found = ~value[bit] | found if limit >> bit & 1 else ~value[bit] & found
    return found
