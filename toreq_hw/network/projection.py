"""A projection: one direction of one coupling, from a source population to a target population.

No other code knows which end of a coupling a population is, or when the matrix is transposed. No
other code knows by how much a sum is shifted, or that nothing flows back to the clamped input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.network.couplings import Coupling, DenseCoupling, WeightFormat, lowered
from toreq_hw.network.couplings.coupling import Range
from toreq_hw.network.population import Population, Role

if TYPE_CHECKING:
    from toreq_hw.network.network import Network

Neurons = npt.NDArray[np.intp]
_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Projection:
    """Adds `2^shift sum_j W[j, i] s_j` to accumulator i of `target`, s the states of `source`.

    index: position of the coupling in file order. W is the matrix of its default lowering.
    backward: from post to pre, by the transpose. Then `coupling` is the one of the way back, which
    is another where a coupling has feedback of its own.
    shift: F - f, F the target's accumulator fraction bits, f the projection's (docs/numerics.md,
    section 3).
    """

    coupling: Coupling
    index: int
    source: Population
    target: Population
    backward: bool
    shift: int

    @property
    def name(self) -> str:
        """`source->target`, unique in a network."""
        return f"{self.source.name}->{self.target.name}"

    @property
    def dense(self) -> DenseCoupling:
        """The coupling's default lowering, made when first asked for."""
        return lowered(self.coupling)

    @property
    def from_input(self) -> bool:
        """Whether the source is the clamped input, whose states stand during a phase."""
        return self.source.role is Role.INPUT

    @property
    def is_self_projection(self) -> bool:
        """Whether source and target are one population."""
        return self.coupling.is_self_coupling

    @property
    def fraction_bits(self) -> int:
        """The real weight of this direction is the stored integer / 2^this."""
        return self.coupling.back_fraction_bits if self.backward else self.coupling.fraction_bits

    @property
    def weight_format(self) -> WeightFormat:
        """The integers that a weight may be."""
        return self.coupling.weight_format

    @cached_property
    def matrix(self) -> npt.NDArray[np.int8]:
        """The weights, int8 (source.size, target.size), read-only, rows contiguous."""
        if not self.backward:
            return self.dense.weight
        matrix = np.array(self.dense.weight.T, order="C")
        matrix.flags.writeable = False
        return matrix

    def row(self, neuron: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int8]]:
        """Target neurons that an event of source neuron `neuron` reaches, and their weights.

        Returns intp (n,) and int8 (n,); stored zeros are among them.
        """
        weight = self.dense.weight
        return np.arange(self.target.size), weight[:, neuron] if self.backward else weight[neuron]

    def orient(self, values: npt.NDArray[_Value]) -> npt.NDArray[_Value]:
        """A view of one value a pair of neurons, (n_pre, n_post), as (source.size, target.size)."""
        return values.T if self.backward else values

    def ends(self, pre: Neurons, post: Neurons) -> list[tuple[Neurons, Neurons]]:
        """Which source and target neurons cells [pre, post] of the coupling's matrix join.

        pre, post: intp (n,), or two numbers. One pair of arrays; a self-projection has two, since
        it holds both mirrors.
        """
        if self.is_self_projection:
            return [(pre, post), (post, pre)]
        return [(post, pre)] if self.backward else [(pre, post)]

    def apply(self, states: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """What source states add to the accumulators of the target.

        states: int64 (..., source.size). Returns int64 (..., target.size), LSB 2^-F. Float64 holds
        every partial sum, which is below 2^53: numpy has no fast products of integers.
        """
        weight = self.dense.weight.astype(np.float64)
        added = states.astype(np.float64) @ (weight.T if self.backward else weight)
        return added.astype(np.int64) << self.shift

    @cached_property
    def fan_outs(self) -> npt.NDArray[np.int64]:
        """Stored weights, zeros included, that one event of each source neuron walks.

        int64 (source.size,).
        """
        return self.coupling.degrees(backward=self.backward)

    def sum_range(self, *, any_weights: bool = False) -> Range:
        """Smallest and largest value that it can add, two int64 (target.size,), LSB 2^-F.

        Reached at a corner of the source's state box. With `any_weights` the range holds for
        every weight of the format.
        """
        low, high = self.coupling.sum_range(
            self.source, backward=self.backward, any_weights=any_weights
        )
        return low << self.shift, high << self.shift


@named_type_errors
def projections(network: "Network") -> tuple[Projection, ...]:
    """Every projection of a network: couplings in file order, forward before backward.

    Nothing runs to the input, nor to what is clamped beside it in a phase. A self-coupling is one
    projection, since its matrix is its own transpose.
    """
    held = {network.input.name, *network.clamped}
    found: list[Projection] = []
    for index, coupling in enumerate(network.couplings):
        pre, post = network.population(coupling.pre), network.population(coupling.post)
        ways: Sequence[tuple[Population, Population, bool]] = [(pre, post, False)]
        if not coupling.is_self_coupling:
            ways = [*ways, (post, pre, True)]
        for source, target, backward in ways:
            if target.name in held:
                continue
            own_way = coupling.way_back if backward else coupling
            own = coupling.back_fraction_bits if backward else coupling.fraction_bits
            shift = network.accumulator_fraction_bits(target.name) - own
            found.append(
                Projection(
                    coupling=own_way,
                    index=index,
                    source=source,
                    target=target,
                    backward=backward,
                    shift=shift,
                )
            )
    return tuple(found)
