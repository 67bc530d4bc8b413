"""Blank networks from the words of their layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings import (
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    FeedbackKind,
    WeightFormat,
)
from toreq_hw.network.description.attention import add_attention
from toreq_hw.network.description.joins import Loop, Skip, add_loop, add_skip
from toreq_hw.network.description.layers import add_lateral, add_layer
from toreq_hw.network.description.parts import Parts
from toreq_hw.network.description.settings import (
    LayerSettings,
    about,
    layer_settings,
    one_a_layer,
)
from toreq_hw.network.description.words import MAX_LAYERS, LayerWords, layer_words, sizes_of
from toreq_hw.network.feedback import blank_feedback
from toreq_hw.network.network import Network
from toreq_hw.network.population import Population, Role
from toreq_hw.network.readout import ClampedReadout, Readout, readout_named
from toreq_hw.network.schedule import Colouring, Schedule
from toreq_hw.network.term_colours import colour_by_terms
from toreq_hw.network.trilinear import Trilinear
from toreq_hw.suggestions import none_of

_BIASES = ("channel", "neuron")
"""Of a convolution: one a channel, or one a neuron."""

MAX_NEURONS = 1 << 22
"""Its neurons, the input among them."""


@named_type_errors
def build(
    input: str,  # noqa: A002  # the word of the description
    layers: Sequence[str],
    *,
    weights: WeightFormat | str | Sequence[WeightFormat | str] | None = None,
    weight_format: WeightFormat | str | Sequence[WeightFormat | str] | None = None,
    fraction_bits: Sequence[int] | None = None,
    feedback_shifts: Sequence[int] | None = None,
    feedback: FeedbackKind | str | Sequence[FeedbackKind | str] = FeedbackKind.SYMMETRIC,
    skips: Sequence[Skip] = (),
    loops: Sequence[Loop] = (),
    state_bits: int | Sequence[int] = 8,
    input_bits: int = 8,
    signed: bool | Sequence[bool] = False,
    biases: str | None = None,
    bias_per_channel: bool = True,
    schedule: Schedule | str | None = None,
    readout: Readout = None,
    beta_shift: int = 0,
    seed: int = 1,
) -> Network:
    """The network of these words, all weights and biases zero.

    input: sizes joined by x, channels last. layers: see `words.FORMS`; the last is the output.
    weights, feedback, state_bits, signed: of all layers, or one a layer; words such as "int8" (the
    default) stand for members. weight_format, bias_per_channel: weights and biases otherwise said.
    fraction_bits, feedback_shifts: one a layer; pooling is none. feedback: of each coupling with a
    way back; its own weights are zeros. skips, loops: couplings beside the layers'. seed: of random
    ones. schedule: if None, parity where it can be; sequential with a dense loop; else a colouring.
    readout: "clamped", or a `ClampedReadout`; its feedback shift is then minus the drive.
    Raises NetworkError, which says as `where` what of this it is about.
    """
    words = _checked_words(layers)
    formats = _formats(weights, weight_format, _layers_of(words))
    shifts = {"fraction_bits": fraction_bits, "feedback_shifts": feedback_shifts}
    states: Mapping[str, Any] = {"feedback": feedback, "state_bits": state_bits, "signed": signed}
    settings = layer_settings(len(formats), formats, **shifts, **states)
    parts = Parts(formats[0], [_start(input, input_bits)], seed)
    parts.layers.append(parts.last)
    _add_all(parts, words, settings)
    parts.weight_format = formats[0]
    _add_joins(parts, skips, loops, feedback)
    shared = bias_per_channel if biases is None else _shared(biases)
    populations = tuple(_settled(p, parts.couplings, shared=shared) for p in parts.populations)
    clamped, order = readout_named(readout), None if schedule is None else Schedule(schedule)
    return _Blank(populations, parts.couplings, parts.terms, clamped, beta_shift).under(order)


def _formats(weights: Any, weight_format: Any, layers: int) -> list[WeightFormat]:
    """Of every layer. Raises NetworkError where they are given twice."""
    if weights is not None and weight_format is not None:
        raise NetworkError("weights must be given once, found weight_format beside it")
    given = weight_format if weights is None else weights
    found = one_a_layer("weights", WeightFormat.INT8 if given is None else given, layers)
    return [WeightFormat(one) for one in found]


def _shared(biases: str) -> bool:
    """Whether positions share biases. Raises NetworkError."""
    if biases not in _BIASES:
        raise NetworkError(none_of("biases", biases, _BIASES))
    return biases == "channel"


def _layers_of(words: Sequence[LayerWords]) -> int:
    """Layers with neurons of their own."""
    return sum(not word.is_pooling for word in words)


def _start(sizes: str, state_bits: int) -> Population:
    """The input."""
    with about("input"):
        shape = sizes_of(sizes, "input", 3)
        kept = shape if len(shape) > 1 else ()
        return Population("input", prod(shape), Role.INPUT, state_bits, shape=kept)


def _add_joins(
    parts: Parts,
    skips: Sequence[Skip],
    loops: Sequence[Loop],
    feedback: FeedbackKind | str | Sequence[FeedbackKind | str],
) -> None:
    """Adds couplings beside those of the layers; skips have the feedback of all layers, if any."""
    alike = isinstance(feedback, FeedbackKind | str)
    default = FeedbackKind(feedback) if alike else FeedbackKind.SYMMETRIC
    for number, skip in enumerate(skips):
        with about(f"skips[{number}]"):
            add_skip(parts, skip, default)
    for number, loop in enumerate(loops):
        with about(f"loops[{number}]"):
            add_loop(parts, loop)


def _add_all(parts: Parts, words: Sequence[LayerWords], settings: Sequence[LayerSettings]) -> None:
    """Adds every layer."""
    remaining = iter(zip(_names(len(settings)), settings, strict=True))
    for number, word in enumerate(words):
        if word.is_pooling:
            parts.pooling = word
            continue
        with about(f"layers[{number}]"):
            _add_layer(parts, word, *next(remaining))
            neurons = sum(p.size for p in parts.populations)
            if neurons > MAX_NEURONS:
                raise NetworkError(
                    f"layers must have at most {MAX_NEURONS} neurons, found {neurons}"
                )


def _add_layer(parts: Parts, word: LayerWords, name: str, own: LayerSettings) -> None:
    """Adds a layer's populations and couplings."""
    role = Role.OUTPUT if name == "output" else Role.HIDDEN
    parts.weight_format = own.weights
    before = len(parts.couplings)
    if word.kind == "attention":
        add_attention(parts, word, own.fraction_bits, own.state_bits)
        if own.feedback_shift:
            raise NetworkError(
                f"layer {word.text!r} must have feedback shift 0, not {own.feedback_shift}"
            )
    else:
        add_layer(
            parts, word, Population(name, 1, role, own.state_bits, own.signed), own.fraction_bits
        )
    parts.layers.append(parts.last)
    made = parts.couplings[before:]
    if own.feedback_shift:
        made[-1] = replace(made[-1], feedback_shift=own.feedback_shift)
    parts.couplings[before:] = blank_feedback(made, parts.layers[0].name, own.feedback)
    if word.kind in ("lattice", "ring"):
        add_lateral(parts, word, own.fraction_bits)


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
        chosen: Schedule | Colouring = schedule or self._default(updating)
        return Network(
            populations,
            tuple(self.couplings),
            {},
            chosen,
            self.beta_shift,
            readout=self.readout,
            terms=tuple(self.terms),
        )

    def _default(self, updating: Sequence[Population]) -> Schedule | Colouring:
        """Parity where it can be, sequential with a dense loop, else a colouring."""
        if self.terms or any(p.rows is not None for p in updating):
            return colour_by_terms(updating, self.couplings, self.terms)
        loops = [c for c in self.couplings if c.is_self_coupling]
        if any(isinstance(c, DenseCoupling) for c in loops):
            return Schedule.SEQUENTIAL
        places = {p.name: k for k, p in enumerate(self.populations)}
        names = {p.name for p in updating}
        within = [c for c in self.couplings if c.pre in names and c.post in names]
        even = any((places[c.post] - places[c.pre]) % 2 == 0 for c in within)
        return Colouring.greedy(updating, self.couplings) if even else Schedule.PARITY


def _checked_words(layers: Sequence[str]) -> list[LayerWords]:
    if isinstance(layers, str) or not 1 <= len(layers) <= MAX_LAYERS:
        raise NetworkError(f"layers must be a list of 1 to {MAX_LAYERS}, found {len(layers)}")
    words = []
    for number, text in enumerate(layers):
        with about(f"layers[{number}]"):
            words.append(layer_words(text))
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word.is_pooling and (following is None or following.kind not in ("conv", "dense")):
            raise NetworkError(
                f"layer {word.text!r} must come before a conv or dense layer, into which it is "
                "folded"
            )
    return words


def _names(layers: int) -> list[str]:
    hidden = layers - 1
    return [*(["hidden"] if hidden == 1 else [f"hidden{k + 1}" for k in range(hidden)]), "output"]


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
