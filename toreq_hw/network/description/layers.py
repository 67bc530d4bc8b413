"""The population of a layer, and its coupling from the layer before."""

from dataclasses import replace
from math import prod

import numpy as np

from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import (
    ConvolutionCoupling,
    DenseCoupling,
    SparseCoupling,
    patterns,
)
from toreq_hw.network.description.attention import budget_rows
from toreq_hw.network.description.joins import Loop, add_loop, dense, sparse
from toreq_hw.network.description.parts import Parts
from toreq_hw.network.description.words import LayerWords
from toreq_hw.network.population import Population


def add_layer(parts: Parts, word: LayerWords, post: Population, fraction_bits: int) -> None:
    """Adds a layer's population and its coupling from the one before. Raises NetworkError."""
    if word.kind == "conv" or parts.pooling:
        made = _convolution(parts, word, post, fraction_bits)
        shape = made.output_shape if word.kind == "conv" else ()
        parts.populations.append(replace(post, size=made.shape[1], shape=shape))
        parts.couplings.append(made)
    else:
        shape = word.sizes if word.kind == "lattice" else ()
        made_rows = budget_rows(word) if word.kind == "rows" else None
        size = prod(word.sizes)
        parts.populations.append(replace(post, size=size, shape=shape, rows=made_rows))
        parts.couplings.append(_joined(parts, word, parts.layers[-1], fraction_bits))
    parts.pooling = None


def _convolution(
    parts: Parts, word: LayerWords, post: Population, fraction_bits: int
) -> ConvolutionCoupling:
    """Of a conv layer, or of a dense one behind pooling: then its kernel sees every position."""
    pre, pooling = parts.last, parts.pooling
    axes = len(pre.shape) - 1
    if axes not in (1, 2):
        raise NetworkError(
            f"layer {word.text!r} must follow positions and channels, such as 28x28x1, found "
            f"{pre.size} neurons without"
        )
    pool = pooling.sizes[0] if pooling else 1
    if pooling and pooling.kind == "average":
        if pool & (pool - 1):
            raise NetworkError(f"layer {pooling.text!r} must be over a power of 2, not {pool}")
        fraction_bits += axes * (pool.bit_length() - 1)
    kernel = word.kernel or tuple(max(1, size // pool) for size in pre.shape[:-1])
    if len(kernel) != axes:
        raise NetworkError(
            f"layer {word.text!r} must have a kernel of {axes} sizes, found {len(kernel)}"
        )
    shape = (*kernel, pre.shape[-1], word.sizes[0])
    parts.grow(prod(shape))
    return ConvolutionCoupling(
        pre.name,
        post.name,
        np.zeros(shape, np.int8),
        fraction_bits,
        parts.weight_format,
        input_shape=pre.shape,
        stride=word.whole("stride") if word.kind == "conv" else 1,
        padding=word.whole("pad") if word.kind == "conv" else 0,
        pool=pool,
    )


def _joined(
    parts: Parts, word: LayerWords, pre: Population, fraction_bits: int
) -> DenseCoupling | SparseCoupling:
    """The coupling into a layer that has no convolution."""
    post, weight_format = parts.last, parts.weight_format
    parts.grow(pre.size * post.size)
    if word.kind == "random":
        pairs = patterns.random(pre.size, post.size, word.density, parts.seed)
    elif word.kind == "block":
        pairs = patterns.block(pre.size, post.size, word.whole("blocks"))
    else:
        return dense(pre, post, fraction_bits, weight_format)
    return sparse(pre, post, pairs, fraction_bits, weight_format)


def add_lateral(parts: Parts, word: LayerWords, fraction_bits: int) -> None:
    """The coupling of a lattice or a ring to itself."""
    kind = "lattice" if word.kind == "lattice" else f"ring reach {word.whole('reach')}"
    add_loop(parts, Loop(len(parts.layers) - 1, fraction_bits, kind))
