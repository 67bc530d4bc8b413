"""Products with constants."""

from amaranth import Cat, Const, Value


def times(value: Value, factor: int) -> Value:
    """The product value * factor as shifts and adds, so that no multiplier cell appears."""
    terms = [Cat(Const(0, k), value) for k in range(factor.bit_length()) if factor >> k & 1]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
