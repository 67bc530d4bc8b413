"""Two kinds of coupling that only the tests know: whatever reads a network must work with them.

`Banded` stores the diagonals of a band, each weight once; `Circulant` stores one row that every
pre neuron shares, moved by one column a neuron. `toy_case` makes networks of both, and next to each
the dense network that `dense_weights` writes by hand, without `edges`.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from testbench.networks import Case, Weights
from toreq_hw.network import Coupling, DenseCoupling, Edges, Network, Population, Role, Schedule
from toreq_hw.network import WeightFormat as Format
from toreq_hw.network.couplings.coupling import Tensors
from toreq_hw.network.couplings.weights import check_format, checked_weights
from toreq_hw.reading import Fields


@dataclass(frozen=True, eq=False)
class Toy(Coupling):
    """One array of weights and a few integers, which a file holds under their names."""

    pre: str
    post: str
    weight: Weights
    fraction_bits: int
    weight_format: Format

    integers: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        check_format(self.name, self.weight_format, self.fraction_bits)
        weight = checked_weights(self.name, self.weight, self.parameter_axes, self.weight_format)
        object.__setattr__(self, "weight", weight)

    @property
    def parameters(self) -> Weights:
        return self.weight

    def with_parameters(self, parameters: Weights) -> Self:
        return replace(self, weight=parameters)

    def settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.integers}

    @classmethod
    def from_file(cls, entry: Fields, tensors: Tensors) -> Self:
        return cls(
            entry.text("pre"),
            entry.text("post"),
            tensors["weight"],
            entry.integer("fraction_bits"),
            entry.choice("weight_format", Format),
            **{name: entry.integer(name) for name in cls.integers},
        )


@dataclass(frozen=True, eq=False)
class Banded(Toy):
    """`weight[k, i]` couples pre neuron i to post neuron i + first + k, where there is one."""

    columns: int
    first: int

    kind = "banded"
    parameter_axes = 2
    integers = ("columns", "first")

    @property
    def shape(self) -> tuple[int, int]:
        return self.weight.shape[1], self.columns

    def edges(self) -> Edges:
        diagonal, pre = np.indices(self.weight.shape).reshape(2, -1)
        post = pre + self.first + diagonal
        inside = (post >= 0) & (post < self.columns)
        return Edges(pre[inside], post[inside], np.flatnonzero(inside))


@dataclass(frozen=True, eq=False)
class Circulant(Toy):
    """`weight[k]` couples every pre neuron i to post neuron (i + k) modulo their number."""

    rows: int
    columns: int

    kind = "circulant"
    parameter_axes = 1
    integers = ("rows", "columns")

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    def edges(self) -> Edges:
        pre, tap = np.indices((self.rows, len(self.weight))).reshape(2, -1)
        return Edges(pre, (pre + tap) % self.columns, tap)


KINDS = {kind.kind: kind for kind in (Banded, Circulant)}


def dense_weights(coupling: Coupling) -> Weights:
    """The matrix of a toy coupling, cell by cell."""
    rows, columns = coupling.shape
    weight = np.zeros((rows, columns), dtype=np.int8)
    for i in range(rows):
        for j in range(columns):
            if isinstance(coupling, Circulant):
                tap = (j - i) % columns
                weight[i, j] = coupling.weight[tap] if tap < len(coupling.weight) else 0
            else:
                assert isinstance(coupling, Banded)
                k = j - i - coupling.first
                weight[i, j] = coupling.weight[k, i] if 0 <= k < len(coupling.weight) else 0
                if coupling.pre == coupling.post and weight[i, j]:
                    weight[j, i] = weight[i, j]
    return weight if coupling.pre != coupling.post else np.triu(weight) + np.triu(weight, 1).T


def by_hand(network: Network) -> Network:
    """The dense equivalent of a network of toy couplings."""
    couplings = [
        DenseCoupling(c.pre, c.post, dense_weights(c), c.fraction_bits, c.weight_format)
        for c in network.couplings
    ]
    return replace(network, couplings=tuple(couplings))


@dataclass(frozen=True)
class ToyCase(Case):
    """network: of toy couplings; dense: the same by hand, of dense ones."""

    dense: Network


def toy_case(
    seed: int,
    weight_format: Format = Format.INT8,
    schedule: Schedule = Schedule.PARITY,
    batch: int = 3,
    state_bits: int = 4,
) -> ToyCase:
    """input -banded- hidden -circulant- output; without parity hidden has a band to itself too."""
    rng = np.random.default_rng(seed)
    limit = 40 if weight_format is Format.INT8 else 1

    def drawn(*shape: int) -> Weights:
        return rng.integers(-limit, limit + 1, shape).astype(np.int8)

    sizes = (9, 11, 5)
    names = (("input", Role.INPUT), ("hidden", Role.HIDDEN), ("output", Role.OUTPUT))
    populations = tuple(
        Population(name, size, role, state_bits)
        for (name, role), size in zip(names, sizes, strict=True)
    )
    f = 5 if weight_format is Format.INT8 else 1
    couplings: list[Coupling] = [
        Banded("input", "hidden", drawn(6, 9), f, weight_format, columns=11, first=-1),
        Circulant("hidden", "output", drawn(4), f + 1, weight_format, rows=11, columns=5),
    ]
    if schedule is not Schedule.PARITY:
        band = Banded("hidden", "hidden", drawn(2, 11), f, weight_format, columns=11, first=1)
        couplings.append(band)
    biases = {
        name: rng.integers(-60, 61, size).astype(np.int32)
        for (name, _), size in zip(names[1:], sizes[1:], strict=True)
    }
    network = Network(populations, tuple(couplings), biases, schedule)
    return ToyCase(
        network=network,
        inputs=rng.integers(0, network.input.state_max + 1, (batch, 9)).astype(np.int16),
        labels=rng.integers(0, 5, batch),
        dense=by_hand(network),
    )
