"""Damage to stored weights: flipped bits, stuck cells, cut synapses, dead lines.

A cell holds one parameter. All its edges read it, both ways, so damage is symmetric. The energy
argument of docs/numerics.md, section 4, holds for the damaged network, and every relaxation still
ends by itself.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.network import Coupling, Network, WeightFormat
from toreq_hw.sim.perturbation.layer import WeightLayer
from toreq_hw.sim.perturbation.lines import lines_of
from toreq_hw.sim.perturbation.random_values import exactly, pick
from toreq_hw.sim.perturbation.reprogram import with_weights

Weights = npt.NDArray[np.int8]


def flip_words(weight: Weights, mask: npt.NDArray[np.uint8], kind: WeightFormat) -> Weights:
    """Stored words XOR mask, as the machine reads them back.

    INT8: two's complement; -128 is not a weight and reads as -127. Ternary: two bits; 00 is 0, 01
    is +1, 11 is -1 (two's complement). The word 10 reads as 0, because the low bit says whether
    there is a weight at all. weight, mask: int8 and uint8 of one shape; returns int8 of that shape.
    """
    if kind is WeightFormat.INT8:
        words = (weight.view(np.uint8) ^ mask).view(np.int8)
        return np.maximum(words, np.int8(-127))
    words = (weight.view(np.uint8) & 3) ^ mask
    return np.array([0, 1, 0, -1], dtype=np.int8)[words]


def cells(coupling: Coupling) -> npt.NDArray[np.int64]:
    """Flat indices of the stored cells, one a parameter; none is a copy of another.

    Returns int64 (cells,).
    """
    return coupling.free_parameters().astype(np.int64)


def put(coupling: Coupling, where: npt.NDArray[np.int64], values: Weights | int) -> Weights:
    """The coupling's parameters with `values` at flat cells `where`, and in all copies of them.

    where: (cells,); values: int8 (cells,) or one. Returns int8 of the parameters' shape.
    """
    weight = coupling.parameters.copy()
    weight.flat[where] = values
    return coupling.mirrored(weight)


class WeightDamage(WeightLayer):
    """A layer that changes stored words, coupling by coupling in file order, from one stream."""

    def program(self, network: Network) -> Network:
        """The network as its damaged memory reads."""
        rng = self.generator()
        couplings = self.couplings(network)
        return with_weights(network, {c.name: self.damage(c, rng) for c in couplings})

    def damage(self, coupling: Coupling, rng: np.random.Generator) -> Weights:
        """What one coupling's cells read, int8 of its parameters' shape."""
        raise NotImplementedError


@dataclass(frozen=True)
class WeightBitFlip(WeightDamage):
    """Every stored bit (8 a weight in INT8, 2 in ternary) flips with probability `level`.

    bit: only this bit of each word (0 is the lowest); -1 is all of them.
    """

    bit: int = -1

    kind: ClassVar[str] = "weight_bit_flip"
    unit: ClassVar[str] = "probability per stored bit"
    full_damage: ClassVar[float | None] = 0.5

    def damage(self, coupling: Coupling, rng: np.random.Generator) -> Weights:
        """Words XOR a map of flips, of the parameters' shape."""
        width = 8 if coupling.weight_format is WeightFormat.INT8 else 2
        if not -1 <= self.bit < width:
            raise InputError(
                f"bit of {self.kind} must be in -1..{width - 1} for {coupling.name}, "
                f"not {self.bit!r}"
            )
        stored = cells(coupling)
        bits = width if self.bit < 0 else 1
        hits = pick(rng, bits * len(stored), self.level)
        mask = np.zeros(coupling.parameters.size, dtype=np.uint8)
        shift = hits % bits if self.bit < 0 else np.full(len(hits), self.bit)
        np.bitwise_xor.at(mask, stored[hits // bits], np.left_shift(1, shift).astype(np.uint8))
        where = np.flatnonzero(mask)
        stored_words = coupling.parameters.ravel()[where]
        words = flip_words(stored_words, mask[where], coupling.weight_format)
        return put(coupling, where, words)


@dataclass(frozen=True)
class StuckWeights(WeightDamage):
    """A fraction `level` of the cells always reads the same word, whatever was programmed.

    value: "zero", "plus" (+1), "minus" (-1), or "extreme" (the format's largest magnitude, with a
    random sign).
    """

    value: str = "extreme"

    kind: ClassVar[str] = "stuck_weights"
    unit: ClassVar[str] = "fraction of weights"
    full_damage: ClassVar[float | None] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value not in ("zero", "plus", "minus", "extreme"):
            raise InputError(
                f"value of {self.kind} must be zero, plus, minus or extreme, not {self.value!r}"
            )

    def damage(self, coupling: Coupling, rng: np.random.Generator) -> Weights:
        """round(level * cells) cells overwritten; the parameters' shape."""
        return put(coupling, *self._stuck(coupling, rng))

    def stuck_cells(
        self, network: Network
    ) -> list[tuple[Coupling, npt.NDArray[np.int64], Weights]]:
        """Per coupling the flat cells and what they read as.

        Cells: int64 (cells,); weights: int8 (cells,).
        """
        rng = self.generator()
        return [(c, *self._stuck(c, rng)) for c in self.couplings(network)]

    def _stuck(
        self, coupling: Coupling, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], Weights]:
        stored = cells(coupling)
        where = stored[exactly(rng, len(stored), self.level)]
        limit = coupling.weight_format.limit
        signs = rng.integers(0, 2, len(stored)).astype(np.int8)[: len(where)] * 2 - 1
        words = {"zero": 0, "plus": 1, "minus": -1, "extreme": limit * signs}[self.value]
        return where, np.full(len(where), words, dtype=np.int8)


@dataclass(frozen=True)
class MissingSynapses(StuckWeights):
    """A fraction `level` of the synapses is cut: they read 0."""

    value: str = "zero"

    kind: ClassVar[str] = "missing_synapses"
    unit: ClassVar[str] = "fraction of weights"


@dataclass(frozen=True)
class DeadRows(WeightDamage):
    """A fraction `level` of each coupling's rows of cells (its word lines) reads 0."""

    kind: ClassVar[str] = "dead_rows"
    unit: ClassVar[str] = "fraction of rows"
    full_damage: ClassVar[float | None] = 1.0
    axis: ClassVar[int] = 0

    def damage(self, coupling: Coupling, rng: np.random.Generator) -> Weights:
        """Whole lines read 0 (in a self-coupling those that mirror them too)."""
        lines = lines_of(coupling)
        ends = (lines.row, lines.column)
        dead = exactly(rng, (lines.rows, lines.columns)[self.axis], self.level)
        gone = np.isin(ends[self.axis], dead)
        if coupling.is_self_coupling:
            gone |= np.isin(ends[1 - self.axis], dead)
        weight = coupling.parameters.copy()
        weight.flat[np.flatnonzero(gone)] = 0
        return weight


@dataclass(frozen=True)
class DeadColumns(DeadRows):
    """A fraction `level` of each coupling's columns of cells (its bit lines) reads 0."""

    kind: ClassVar[str] = "dead_columns"
    unit: ClassVar[str] = "fraction of columns"
    axis: ClassVar[int] = 1
