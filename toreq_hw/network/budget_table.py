"""Thresholds of budget rows: which staircase shares out the units of a row (docs/numerics.md).

A table is strictly increasing integers theta_0, theta_1, ...; a cell that has k units takes one
more where its accumulator, less what all cells of the row give up, reaches theta_k. Everything here
is exact, so that every machine gets the same integers.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Context, Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache

from toreq_hw.errors import NetworkError
from toreq_hw.reading import shown

MAX_TEMPERATURE = (1 << 15) - 1
"""Of the numerator and of the denominator."""


class Normalisation(Enum):
    """What a budget row of accumulators stands for."""

    SOFTMAX = "softmax"
    SPARSEMAX = "sparsemax"


_DIGITS = 60
_MARGIN = Decimal(10) ** -30
"""A threshold is taken from a logarithm of `_DIGITS` digits, which must show that it is no nearer
than this to a whole number. (It is irrational, so more digits would always show it.)"""

_LIMIT = (1 << 31) - 1


@lru_cache(maxsize=64)
def softmax_table(scale: Fraction, budget: int) -> tuple[int, ...]:
    """`budget` thresholds ceil(scale ln((k + 1/2) / budget)): rows near budget softmax(c / scale).

    scale: what one unit of the exponent is in accumulator LSBs. Raises NetworkError for a table
    that does not rise strictly, or that leaves 32 bits.
    """
    context = Context(prec=_DIGITS)
    found = []
    for k in range(budget):
        ratio = context.divide(Decimal(2 * k + 1), Decimal(2 * budget))
        product = context.multiply(context.ln(ratio), Decimal(scale.numerator))
        exact = context.divide(product, Decimal(scale.denominator))
        if abs(exact - exact.to_integral_value()) < _MARGIN:
            raise NetworkError(f"threshold {k} of scale {scale} must not be so near to an integer")
        found.append(int(exact.to_integral_value(rounding=ROUND_CEILING)))
    return checked_table(found)


@lru_cache(maxsize=64)
def sparsemax_table(scale: Fraction, budget: int) -> tuple[int, ...]:
    """`budget` thresholds ceil(scale (k + 1/2) / budget): rows are budget sparsemax(c / scale).

    With scale = budget 2^F these are the thresholds at which a state is rounded (F fraction bits).
    Raises NetworkError as `softmax_table`.
    """
    steps = (scale * Fraction(2 * k + 1, 2 * budget) for k in range(budget))
    return checked_table([-(-step.numerator // step.denominator) for step in steps])


def table_of(
    normalisation: Normalisation, temperature: tuple[int, int], unit: int, budget: int
) -> tuple[int, ...]:
    """`budget` thresholds of a row at scale temperature times unit. Raises NetworkError.

    temperature: numerator and denominator. unit: what 1 is in accumulator LSBs.
    """
    soft = normalisation is Normalisation.SOFTMAX
    make = softmax_table if soft else sparsemax_table
    return make(Fraction(*temperature) * unit, budget)


def check_normalisation(what: str, temperature: object, normalisation: object) -> None:
    """Raises NetworkError unless both are what a row of `what` ("a readout") may have."""
    parts = temperature
    if not isinstance(parts, tuple) or [type(part) for part in parts] != [int, int]:
        raise NetworkError(f"temperature of {what} must be two whole numbers, not {shown(parts)}")
    if not all(1 <= part <= MAX_TEMPERATURE for part in parts):
        raise NetworkError(
            f"temperature of {what} must have parts in 1..{MAX_TEMPERATURE}, not {shown(parts)}"
        )
    if not isinstance(normalisation, Normalisation):
        raise NetworkError(
            f"normalisation of {what} must be a Normalisation, not {shown(normalisation)}"
        )


def checked_table(table: Sequence[int]) -> tuple[int, ...]:
    """`table` as a tuple. Raises NetworkError unless it rises strictly within 32 bits."""
    for k in range(1, len(table)):
        if table[k] <= table[k - 1]:
            raise NetworkError(
                f"thresholds of a budget row must rise strictly, found {table[k - 1]} and then "
                f"{table[k]} at {k}"
            )
    if table and max(-table[0], table[-1]) > _LIMIT:
        raise NetworkError(
            f"thresholds of a budget row must stay within +-{_LIMIT}, found {table[0]} to "
            f"{table[-1]}"
        )
    return tuple(table)
