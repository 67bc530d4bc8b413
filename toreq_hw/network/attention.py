"""Attention as a block of populations, couplings and two trilinear terms (docs/numerics.md, 8).

block = attention(symbols, width=16, weight_format=WeightFormat.TERNARY, fraction_bits=0)
"""

from dataclasses import dataclass, replace

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.budget_rows import BudgetRows
from toreq_hw.network.couplings import ConvolutionCoupling, WeightFormat
from toreq_hw.network.population import Population, Role
from toreq_hw.network.trilinear import Trilinear
from toreq_hw.reading import shown

DEFAULT_TERM_BITS = 9
"""A product of three states of 8 bits then counts about a quarter: 127 / 2^9."""

DEFAULT_BUDGET = 127
"""Of a row of attention, whose sum stands for 1."""


@dataclass(frozen=True, eq=False)
class Block:
    """populations: query, key, value, scores and attended, the last of which is read by others."""

    populations: tuple[Population, Population, Population, Population, Population]
    couplings: tuple[ConvolutionCoupling, ...]
    terms: tuple[Trilinear, Trilinear]

    @property
    def attended(self) -> Population:
        """What the block gives, signed, of shape (positions, heads times width)."""
        return self.populations[-1]


@named_type_errors
def attention(
    source: Population,
    *,
    width: int,
    weight_format: WeightFormat,
    fraction_bits: int,
    heads: int = 1,
    term_bits: int = DEFAULT_TERM_BITS,
    rows: BudgetRows | None = None,
    state_bits: int = 8,
    bias_per_channel: bool = True,
    number: int | None = None,
) -> Block:
    """Queries, keys and values of `source`, of shape (positions, channels), all weights zero.

    width: channels of a head. term_bits: f of both terms. rows: of the scores; without them
    sparsemax with a budget of 127 at temperature 1. number: follows the names of the populations.
    Raises NetworkError.
    """
    _check(source, heads, width)
    positions = source.shape[0]
    rows = rows or BudgetRows(positions, DEFAULT_BUDGET)
    end = "" if number is None else str(number)
    whole = Population(
        "whole",
        positions * heads * width,
        Role.HIDDEN,
        state_bits,
        signed=True,
        shape=(positions, heads * width),
        bias_per_channel=bias_per_channel,
    )
    query, key, value, attended = (
        replace(whole, name=name + end) for name in ("query", "key", "value", "attended")
    )
    scores = Population(
        "scores" + end,
        heads * positions * positions,
        Role.HIDDEN,
        rows.budget.bit_length(),
        shape=(heads, positions, positions),
        rows=rows,
    )
    couplings = _projected(source, (query, key, value), fraction_bits, weight_format)
    sizes = {"heads": heads, "queries": positions, "keys": positions, "width": width}
    compared = Trilinear(scores.name, query.name, key.name, **sizes, fraction_bits=term_bits)
    read = replace(compared, left=attended.name, right=value.name)
    return Block((query, key, value, scores, attended), couplings, (compared, read))


def _check(source: Population, heads: int, width: int) -> None:
    if len(source.shape) != 2:
        raise NetworkError(
            f"population {shown(source.name)}: attention must follow positions and channels, such "
            f"as 8x16, found shape {shown(list(source.shape))}"
        )
    for name, found in (("heads", heads), ("width", width)):
        if type(found) is not int or found < 1:
            raise NetworkError(f"{name} of attention must be an integer from 1 on, not {found!r}")


def _projected(
    source: Population,
    posts: tuple[Population, ...],
    fraction_bits: int,
    weight_format: WeightFormat,
) -> tuple[ConvolutionCoupling, ...]:
    """One blank matrix into each of `posts`, shared by all positions of `source`."""
    return tuple(
        ConvolutionCoupling(
            source.name,
            post.name,
            np.zeros((1, source.shape[-1], post.shape[-1]), dtype=np.int8),
            fraction_bits,
            weight_format,
            input_shape=source.shape,
        )
        for post in posts
    )
