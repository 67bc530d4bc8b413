"""The word `attention` of a description: five populations and two trilinear terms."""

from toreq_hw.errors import NetworkError
from toreq_hw.network.attention import attention
from toreq_hw.network.budget_rows import BudgetRows, causal_mask
from toreq_hw.network.budget_table import Normalisation
from toreq_hw.network.description.parts import Parts
from toreq_hw.network.description.words import LayerWords


def add_attention(parts: Parts, word: LayerWords, fraction_bits: int, state_bits: int) -> None:
    """Adds a block that reads the last layer. Raises NetworkError."""
    source, heads, width = parts.last, word.whole("heads"), word.sizes[0]
    if len(source.shape) != 2:
        raise NetworkError(
            f"layer {word.text!r} must follow positions and channels, such as 8x16, found "
            f"{source.size} neurons"
        )
    positions, channels = source.shape
    parts.grow(3 * channels * heads * width)
    block = attention(
        source,
        width=width,
        heads=heads,
        weight_format=parts.weight_format,
        fraction_bits=fraction_bits,
        term_bits=word.whole("bits"),
        rows=_rows(word, positions),
        state_bits=state_bits,
        number=len(parts.layers) if parts.terms else None,
    )
    parts.populations += block.populations
    parts.couplings += block.couplings
    parts.terms += block.terms


def budget_rows(word: LayerWords) -> BudgetRows:
    """Of a layer `rows`. Raises NetworkError."""
    return BudgetRows(
        word.whole("length"),
        word.whole("budget"),
        Normalisation(word.choice("normalisation", tuple(one.value for one in Normalisation))),
        word.ratio("temperature"),
        at_most=word.choice("at-most", ("no", "yes")) == "yes",
    )


def _rows(word: LayerWords, positions: int) -> BudgetRows:
    normalisation = word.choice("rows", tuple(one.value for one in Normalisation))
    mask = word.choice("mask", ("none", "causal"))
    return BudgetRows(
        positions,
        word.whole("budget"),
        Normalisation(normalisation),
        word.ratio("temperature"),
        mask=causal_mask(positions) if mask == "causal" else (),
    )
