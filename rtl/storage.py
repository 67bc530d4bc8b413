"""Where each coupling's weights lie, and how events walk them.

Two kinds of store, and one decision per coupling:

*Rows*: the weights of a neuron side by side, `lanes` a word, one address. Serves one
direction. Couplings from the input (nothing flows back) and self-couplings (symmetric) need
no more; a small coupling between relaxing populations gets a second, transposed copy.

*Skewed*: one copy that serves both directions, in banks of their own addresses, for the large
couplings between relaxing populations. `SkewedStore` says how.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toreq_hw.errors import NetworkError
from toreq_hw.network import DenseCoupling, Network, Projection, WeightFormat

LARGE_COUPLING = 1 << 14
"""Weights from which on a coupling between relaxing populations is kept once, skewed."""

MAX_WORDS = 1 << 20
"""Most words of `lanes` weights in one store."""

INPUT = -1
"""Index of the input population in a `Walk`."""


@dataclass(frozen=True)
class Store:
    """All weights of one format and kind: `words` words of `lanes` fields of `width` bits.

    skewed: each field is a bank with an address of its own, and word i of tile t is word
    t * lanes + i. initialised: holds weights at power-up; otherwise it is a memory with one
    port and undefined contents, and must be loaded before the first image. latent_bits: of a core
    that learns, whose fields are latents; None where they are weights.
    """

    weight_format: WeightFormat
    skewed: bool
    initialised: bool
    words: int
    latent_bits: int | None = None

    @property
    def weight_bits(self) -> int:
        """Bits of a weight."""
        return 2 if self.weight_format is WeightFormat.TERNARY else 8

    @property
    def width(self) -> int:
        """Bits of a field."""
        return self.weight_bits if self.latent_bits is None else self.latent_bits

    @property
    def limit(self) -> int:
        """The largest weight of the format."""
        return int(self.weight_format.limit)


@dataclass(frozen=True)
class Walk:
    """One direction of one coupling: what an event of `source` walks into `target`.

    source, target: indices into `CoreParameters.relaxing`, or `INPUT`. beats: accumulator rows
    visited, `lanes` neurons each. shift: the fraction-bit difference F - f_c, applied to each
    product. by_column: the event is a column of the coupling's matrix.

    In rows, neuron n has the words first + n * beats and the `beats - 1` after it. Skewed,
    tile (q_pre, q_post) is tile first + q_post * pre_groups + q_pre.
    """

    coupling: str
    source: int
    target: int
    store: int
    skewed: bool
    by_column: bool
    first: int
    pre_groups: int
    beats: int
    neighbours: int
    shift: int


class _Plan:
    """Stores under construction: the words taken so far, by format and kind.

    latent_bits: of each coupling by name, None of a core that does not learn.
    """

    def __init__(self, latent_bits: Mapping[str, int] | None) -> None:
        self._latent_bits = latent_bits
        self.kinds: list[tuple[WeightFormat, bool, int | None]] = []
        self.words: list[int] = []

    def place(self, coupling: DenseCoupling, *, skewed: bool, words: int) -> tuple[int, int]:
        """Store number and first word of `words` new words."""
        latent_bits = self._latent_bits[coupling.name] if self._latent_bits else None
        kind = (coupling.weight_format, skewed, latent_bits)
        if kind not in self.kinds:
            self.kinds.append(kind)
            self.words.append(0)
        store = self.kinds.index(kind)
        first = self.words[store]
        self.words[store] += words
        if self.words[store] > MAX_WORDS:
            raise NetworkError(
                f"coupling {coupling.name!r}: {coupling.weight_format.value} weights must fit "
                f"into {MAX_WORDS} words of a store, found {self.words[store]}; use more lanes or "
                "a smaller layer"
            )
        return store, first


def stores_and_walks(
    network: Network,
    lanes: int,
    large: int,
    latent_bits: Mapping[str, int] | None = None,
    *,
    initialised: bool,
) -> tuple[tuple[Store, ...], tuple[Walk, ...]]:
    """Packs couplings into stores; couplings of `large` weights or more are kept once.

    initialised: whether stores of rows hold weights at power-up; skewed ones always do.
    latent_bits: of each coupling by name, where latents are kept in place of weights. What is
    learned must be seen from both ends, so `large` is 0 then; a self-coupling learns in rows and in
    columns.
    """
    plan = _Plan(latent_bits)
    walks: list[Walk] = []
    for index, coupling in enumerate(network.dense_couplings):
        projections = [p for p in network.projections if p.index == index]
        both_ways = len(projections) == 2
        both_ways |= latent_bits is not None and not projections[0].from_input
        place = _skewed_walks if both_ways and coupling.weight.size >= large else _rows
        walks += place(network, projections, lanes, plan)
    stores = tuple(
        Store(
            weight_format=weight_format,
            skewed=skewed,
            initialised=skewed or initialised,
            words=words,
            latent_bits=bits,
        )
        for (weight_format, skewed, bits), words in zip(plan.kinds, plan.words, strict=True)
    )
    return stores, tuple(walks)


def _rows(
    network: Network, projections: Sequence[Projection], lanes: int, plan: _Plan
) -> list[Walk]:
    walks = []
    for projection in projections:
        words = projection.source.size * -(-projection.target.size // lanes)
        store, first = plan.place(projection.dense, skewed=False, words=words)
        walks.append(_walk(network, projection, lanes, store, first, skewed=False))
    return walks


def _skewed_walks(
    network: Network, projections: Sequence[Projection], lanes: int, plan: _Plan
) -> list[Walk]:
    coupling = projections[0].dense
    pre_groups, post_groups = (-(-n // lanes) for n in coupling.weight.shape)
    store, word = plan.place(coupling, skewed=True, words=pre_groups * post_groups * lanes)
    return [
        _walk(network, projection, lanes, store, word // lanes, skewed=True)
        for projection in projections
    ]


def _walk(
    network: Network, projection: Projection, lanes: int, store: int, first: int, *, skewed: bool
) -> Walk:
    names = [p.name for p in network.relaxing]
    neighbours = projection.target.size
    return Walk(
        coupling=projection.coupling.name,
        source=INPUT if projection.from_input else names.index(projection.source.name),
        target=names.index(projection.target.name),
        store=store,
        skewed=skewed,
        by_column=projection.backward,
        first=first,
        pre_groups=-(-projection.dense.weight.shape[0] // lanes),
        beats=-(-neighbours // lanes),
        neighbours=neighbours,
        shift=projection.shift,
    )
