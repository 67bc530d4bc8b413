"""Couplings beside those of the chain: skips from layer to layer, and loops of a layer."""

from dataclasses import dataclass, replace

import numpy as np

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import (
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    FeedbackKind,
    SparseCoupling,
    WeightFormat,
    patterns,
)
from toreq_hw.network.description.parts import Parts
from toreq_hw.network.description.words import LayerWords, join_words
from toreq_hw.network.feedback import blank_feedback
from toreq_hw.network.population import Population


@named_type_errors
@dataclass(frozen=True)
class Skip:
    """A coupling past the next layer. start, stop: numbers of layers, the input is 0.

    kind: `dense`, `conv KERNEL`, `random density P` or `block blocks N`. weights, feedback: as of
    the layers if None. feedback_shift: of the way back.
    """

    start: int
    stop: int
    fraction_bits: int
    kind: str = "dense"
    weights: WeightFormat | str | None = None
    feedback: FeedbackKind | str | None = None
    feedback_shift: int = 0


@named_type_errors
@dataclass(frozen=True)
class Loop:
    """A coupling of a layer to itself. layer: its number, 1 is the first behind the input.

    kind: `dense`, `lattice` (of a layer with a shape), `ring [reach N]` or `random density P`.
    """

    layer: int
    fraction_bits: int
    kind: str = "dense"
    weights: WeightFormat | str | None = None


def add_skip(parts: Parts, skip: Skip, feedback: FeedbackKind) -> None:
    """Adds the coupling of a skip. feedback: what it has where it says nothing.

    Raises NetworkError.
    """
    last = len(parts.layers) - 1
    if not 0 <= skip.start < skip.stop - 1 <= last - 1:
        raise NetworkError(
            f"a skip must pass at least one layer of 0..{last}, found {skip.start} to {skip.stop}"
        )
    pre, post = parts.layers[skip.start], parts.layers[skip.stop]
    word = join_words(skip.kind, ("dense", "conv", "random", "block"), "skip")
    made = _between(
        parts,
        (pre, post),
        word,
        skip.fraction_bits,
        WeightFormat(skip.weights or parts.weight_format),
    )
    if skip.feedback_shift:
        made = replace(made, feedback_shift=skip.feedback_shift)
    kind = FeedbackKind(skip.feedback or feedback)
    parts.couplings += blank_feedback([made], parts.layers[0].name, kind)


def add_loop(parts: Parts, loop: Loop) -> None:
    """Adds the coupling of a layer to itself. Raises NetworkError."""
    last = len(parts.layers) - 1
    if not 1 <= loop.layer <= last:
        raise NetworkError(f"a loop must be of a layer of 1..{last}, found {loop.layer}")
    own = parts.layers[loop.layer]
    word = join_words(loop.kind, ("dense", "lattice", "ring", "random"), "loop")
    parts.grow(own.size * own.size)
    weight_format = WeightFormat(loop.weights or parts.weight_format)
    made: Coupling
    if word.kind == "dense":
        made = dense(own, own, loop.fraction_bits, weight_format)
    else:
        pairs = _pairs_within(parts, own, word)
        made = sparse(own, own, pairs, loop.fraction_bits, weight_format)
    parts.couplings.append(made)


def _pairs_within(parts: Parts, own: Population, word: LayerWords) -> patterns.Pairs:
    if word.kind == "ring":
        return patterns.ring(own.size, word.whole("reach"))
    if word.kind == "random":
        return patterns.random(own.size, None, word.density, parts.seed)
    if not own.shape:
        raise NetworkError(f"a loop {word.text!r} must be of a layer with a shape, found none")
    return patterns.lattice(own.shape)


def _between(
    parts: Parts,
    ends: tuple[Population, Population],
    word: LayerWords,
    fraction_bits: int,
    weight_format: WeightFormat,
) -> Coupling:
    pre, post = ends
    if word.kind == "conv":
        return _convolution(parts, ends, word, fraction_bits, weight_format)
    parts.grow(pre.size * post.size)
    if word.kind == "dense":
        return dense(pre, post, fraction_bits, weight_format)
    if word.kind == "random":
        pairs = patterns.random(pre.size, post.size, word.density, parts.seed)
    else:
        pairs = patterns.block(pre.size, post.size, word.whole("blocks"))
    return sparse(pre, post, pairs, fraction_bits, weight_format)


def _convolution(
    parts: Parts,
    ends: tuple[Population, Population],
    word: LayerWords,
    fraction_bits: int,
    weight_format: WeightFormat,
) -> ConvolutionCoupling:
    """Whose positions must be those that both layers have."""
    pre, post = ends
    if len(pre.shape) < 2 or len(post.shape) != len(pre.shape):
        raise NetworkError(
            f"a skip {word.text!r} must join layers of positions and channels, found "
            f"{pre.shape or pre.size} and {post.shape or post.size}"
        )
    if len(word.kernel) != len(pre.shape) - 1:
        raise NetworkError(
            f"a skip {word.text!r} must have a kernel of {len(pre.shape) - 1} sizes, found "
            f"{len(word.kernel)}"
        )
    shape = (*word.kernel, pre.shape[-1], post.shape[-1])
    parts.grow(int(np.prod(shape)))
    return ConvolutionCoupling(
        pre.name,
        post.name,
        np.zeros(shape, np.int8),
        fraction_bits,
        weight_format,
        input_shape=pre.shape,
        stride=word.whole("stride"),
        padding=word.whole("pad"),
    )


def dense(
    pre: Population, post: Population, fraction_bits: int, weight_format: WeightFormat
) -> DenseCoupling:
    """Each neuron with each, all weights zero."""
    weight = np.zeros((pre.size, post.size), dtype=np.int8)
    return DenseCoupling(pre.name, post.name, weight, fraction_bits, weight_format)


def sparse(
    pre: Population,
    post: Population,
    pairs: patterns.Pairs,
    fraction_bits: int,
    weight_format: WeightFormat,
) -> SparseCoupling:
    """Some pairs of neurons, two intp (synapses,), all weights zero."""
    return SparseCoupling.of_pairs(
        pre.name,
        post.name,
        pairs,
        (pre.size, post.size),
        fraction_bits=fraction_bits,
        weight_format=weight_format,
    )
