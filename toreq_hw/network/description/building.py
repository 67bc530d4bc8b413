"""Blank networks from the words of their layers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

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
from toreq_hw.network.description.attention import add_attention
from toreq_hw.network.description.parts import Parts
from toreq_hw.network.description.words import MAX_LAYERS, LayerWords, layer_words, sizes_of
from toreq_hw.network.feedback import blank_feedback
from toreq_hw.network.network import Network
from toreq_hw.network.population import Population, Role
from toreq_hw.network.readout import ClampedReadout
from toreq_hw.network.schedule import Colouring, Schedule
from toreq_hw.network.term_colours import colour_by_terms
from toreq_hw.network.trilinear import Trilinear

MAX_NEURONS = 1 << 22
"""Its neurons, the input among them."""

DEFAULT_FRACTION_BITS = {WeightFormat.INT8: 7, WeightFormat.TERNARY: 4}
"""Of every layer, where none are given."""


@dataclass(frozen=True)
class Skip:
    """A dense coupling past the next layer. start, stop: numbers of layers, the input is 0."""

    start: int
    stop: int
    fraction_bits: int


@named_type_errors
def described(
    input: str,  # noqa: A002  # the word of the description
    layers: Sequence[str],
    *,
    weight_format: WeightFormat = WeightFormat.INT8,
    fraction_bits: Sequence[int] | None = None,
    feedback_shifts: Sequence[int] | None = None,
    feedback: FeedbackKind = FeedbackKind.SYMMETRIC,
    skips: Sequence[Skip] = (),
    state_bits: int = 8,
    input_bits: int = 8,
    signed: bool = False,
    bias_per_channel: bool = True,
    schedule: Schedule | None = None,
    readout: ClampedReadout | None = None,
    beta_shift: int = 0,
    seed: int = 1,
) -> Network:
    """The network of these words, all weights and biases zero.

    input: sizes joined by x, channels last. layers: see `words.FORMS`; the last is the output.
    fraction_bits, feedback_shifts: one a layer; pooling is none. feedback: of every coupling with a
    way back; weights of its own are zeros too. seed: of `random` layers.
    schedule: if not given, parity, or a colouring where a layer has couplings of its own. readout:
    makes the output one of 8 signed bits; its feedback shift is then minus the drive.
    Raises NetworkError.
    """
    words = _checked_words(layers)
    shape = sizes_of(input, "input", 3)
    kept = shape if len(shape) > 1 else ()
    start = Population("input", prod(shape), Role.INPUT, input_bits, shape=kept)
    parts = Parts(weight_format, [start], seed, layers=[start])
    hidden = Population("hidden", 1, Role.HIDDEN, state_bits, signed)
    _add_all(parts, words, hidden, fraction_bits, feedback_shifts)
    couplings = [*parts.couplings, *(_skip(parts, skip) for skip in skips)]
    couplings = blank_feedback(couplings, start.name, feedback)
    populations = tuple(_settled(p, couplings, shared=bias_per_channel) for p in parts.populations)
    blank = _Blank(populations, couplings, parts.terms, readout, beta_shift)
    return blank.under(schedule)


def _add_all(
    parts: Parts,
    words: list[LayerWords],
    hidden: Population,
    fraction_bits: Sequence[int] | None,
    feedback_shifts: Sequence[int] | None,
) -> None:
    """Adds every layer; `hidden` has the states of all."""
    own = [word for word in words if not word.is_pooling]
    default = DEFAULT_FRACTION_BITS[parts.weight_format]
    bits = _one_a_layer("fraction_bits", fraction_bits, own, default)
    shifts = _one_a_layer("feedback_shifts", feedback_shifts, own, 0)
    remaining = iter(zip(_names(len(own)), bits, shifts, strict=True))
    for word in words:
        if word.is_pooling:
            parts.pooling = word
            continue
        name, own_bits, shift = next(remaining)
        role = Role.OUTPUT if name == "output" else Role.HIDDEN
        if word.kind == "attention":
            add_attention(parts, word, own_bits, hidden.state_bits)
        else:
            _add(parts, word, replace(hidden, name=name, role=role), own_bits)
        parts.layers.append(parts.last)
        neurons = sum(p.size for p in parts.populations)
        if neurons > MAX_NEURONS:
            raise NetworkError(f"layers must have at most {MAX_NEURONS} neurons, found {neurons}")
        if shift and word.kind == "attention":
            raise NetworkError(f"layer {word.text!r} must have feedback shift 0, not {shift}")
        if shift:
            parts.couplings[-1] = replace(parts.couplings[-1], feedback_shift=shift)
        if word.kind in ("lattice", "ring"):
            parts.couplings.append(_lateral(parts, word, own_bits))


@dataclass
class _Blank:
    """All of a network but its schedule; a clamped output is yet to get its format."""

    populations: tuple[Population, ...]
    couplings: list[Coupling]
    terms: list[Trilinear]
    readout: ClampedReadout | None
    beta_shift: int

    def under(self, schedule: Schedule | None) -> Network:
        """The network, coloured if need be; a clamped output gets no colour."""
        populations, updating = self.populations, self.populations[1:]
        if self.readout is not None:
            updating = populations[1:-1]
            populations = (*populations[:-1], self.readout.format_of(populations[-1]))
        chosen: Schedule | Colouring = schedule or Schedule.PARITY
        if schedule is None and self.terms:
            chosen = colour_by_terms(updating, self.couplings, self.terms)
        elif schedule is None and any(c.is_self_coupling for c in self.couplings):
            chosen = Colouring.greedy(updating, self.couplings)
        return Network(
            populations,
            tuple(self.couplings),
            {},
            chosen,
            self.beta_shift,
            readout=self.readout,
            terms=tuple(self.terms),
        )


def _checked_words(layers: Sequence[str]) -> list[LayerWords]:
    if isinstance(layers, str) or not 1 <= len(layers) <= MAX_LAYERS:
        raise NetworkError(f"layers must be a list of 1 to {MAX_LAYERS}, found {len(layers)}")
    words = [layer_words(text) for text in layers]
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word.is_pooling and (following is None or following.kind not in ("conv", "dense")):
            raise NetworkError(
                f"layer {word.text!r} must come before a conv or dense layer, into which it is "
                "folded"
            )
    return words


def _one_a_layer(
    name: str, given: Sequence[int] | None, own: list[LayerWords], default: int
) -> list[int]:
    found = [default] * len(own) if given is None else list(given)
    if len(found) != len(own):
        raise NetworkError(f"{name} must be {len(own)} numbers, one a layer, not {len(found)}")
    return found


def _names(layers: int) -> list[str]:
    hidden = layers - 1
    return [*(["hidden"] if hidden == 1 else [f"hidden{k + 1}" for k in range(hidden)]), "output"]


def _add(parts: Parts, word: LayerWords, post: Population, fraction_bits: int) -> None:
    """Adds a layer's population and its coupling from the one before."""
    if word.kind == "conv" or parts.pooling:
        made = _convolution(parts, word, post, fraction_bits)
        shape = made.output_shape if word.kind == "conv" else ()
        parts.populations.append(replace(post, size=made.shape[1], shape=shape))
        parts.couplings.append(made)
    else:
        shape = word.sizes if word.kind == "lattice" else ()
        parts.populations.append(replace(post, size=prod(word.sizes), shape=shape))
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
        return _dense(pre, post, fraction_bits, weight_format)
    return SparseCoupling.of_pairs(
        pre.name,
        post.name,
        pairs,
        (pre.size, post.size),
        fraction_bits=fraction_bits,
        weight_format=weight_format,
    )


def _lateral(parts: Parts, word: LayerWords, fraction_bits: int) -> SparseCoupling:
    """The coupling of a lattice or a ring to itself."""
    own = parts.last
    lattice = word.kind == "lattice"
    pairs = (
        patterns.lattice(word.sizes) if lattice else patterns.ring(own.size, word.whole("reach"))
    )
    return SparseCoupling.of_pairs(
        own.name,
        own.name,
        pairs,
        (own.size, own.size),
        fraction_bits=fraction_bits,
        weight_format=parts.weight_format,
    )


def _skip(parts: Parts, skip: Skip) -> DenseCoupling:
    last = len(parts.layers) - 1
    if not 0 <= skip.start < skip.stop - 1 <= last - 1:
        raise NetworkError(
            f"a skip must pass at least one layer of 0..{last}, found {skip.start} to {skip.stop}"
        )
    pre, post = parts.layers[skip.start], parts.layers[skip.stop]
    parts.grow(pre.size * post.size)
    return _dense(pre, post, skip.fraction_bits, parts.weight_format)


def _dense(
    pre: Population, post: Population, fraction_bits: int, weight_format: WeightFormat
) -> DenseCoupling:
    weight = np.zeros((pre.size, post.size), dtype=np.int8)
    return DenseCoupling(pre.name, post.name, weight, fraction_bits, weight_format)


def _settled(population: Population, couplings: list[Coupling], *, shared: bool) -> Population:
    """The population with its shape, if a convolution or a lattice needs it; and shared biases."""
    folded = [c for c in couplings if isinstance(c, ConvolutionCoupling)]
    if not folded and population.role is Role.INPUT:
        return population.plain
    if population.rows is not None:
        return population
    of_maps = any(c.post == population.name for c in folded) and bool(population.shape)
    of_maps |= population.bias_per_channel  # of what attention has read
    return replace(population, bias_per_channel=shared and of_maps)
