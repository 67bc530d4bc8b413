"""The dense coupling: one matrix with a weight for every pair of neurons."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.network.couplings.coupling import Coupling, Edges, Range, Tensors, Weights
from toreq_hw.network.couplings.weights import WeightFormat, check_format, checked_weights
from toreq_hw.network.population import Population
from toreq_hw.reading import Fields, shown


@named_type_errors
@dataclass(frozen=True, eq=False)
class DenseCoupling(Coupling):
    """One integer matrix used in both directions: the real weight is `weight / 2^fraction_bits`.

    weight: int8 array, shape (pre.size, post.size), copied and made read-only. A population
    coupled to itself (pre == post) needs a symmetric matrix with a zero diagonal.
    """

    pre: str
    post: str
    weight: Weights
    fraction_bits: int
    weight_format: WeightFormat

    kind: ClassVar[str] = "dense"
    file_version: ClassVar[int] = 1
    parameter_axes: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_format(self.name, self.weight_format, self.fraction_bits)
        weight = checked_weights(self.name, self.weight, self.parameter_axes, self.weight_format)
        object.__setattr__(self, "weight", weight)
        if self.is_self_coupling:
            self._check_symmetry()

    def _check_symmetry(self) -> None:
        rows, columns = self.weight.shape
        if rows != columns:
            raise NetworkError(
                f"coupling {shown(self.name)}: a self-coupling must be square, "
                f"not {rows} x {columns}"
            )
        if not np.array_equal(self.weight, self.weight.T):
            i, j = (int(k) for k in np.argwhere(self.weight != self.weight.T)[0])
            raise NetworkError(
                f"coupling {shown(self.name)}: a self-coupling must be symmetric, found "
                f"{self.weight[i, j]} at [{i}, {j}] and {self.weight[j, i]} at [{j}, {i}]"
            )
        if np.any(np.diagonal(self.weight)):
            i = int(np.flatnonzero(np.diagonal(self.weight))[0])
            raise NetworkError(
                f"coupling {shown(self.name)}: a self-coupling must have a zero diagonal, found "
                f"{self.weight[i, i]} at [{i}, {i}]"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Neurons of pre, neurons of post."""
        rows, columns = self.weight.shape
        return rows, columns

    @property
    def turned(self) -> "DenseCoupling":
        """The coupling from post to pre, whose matrix is the transpose: its rows are post."""
        return DenseCoupling(
            self.post, self.pre, self.weight.T, self.fraction_bits, self.weight_format
        )

    @property
    def parameters(self) -> Weights:
        """The matrix itself; a self-coupling stores both mirrors and the zero diagonal."""
        return self.weight

    def with_parameters(self, parameters: Weights) -> "DenseCoupling":
        """The same coupling with another matrix. Raises NetworkError."""
        return replace(self, weight=parameters)

    def edges(self) -> Edges:
        """Every pair of neurons; of a self-coupling those right of the diagonal."""
        parameter = self.free_parameters()
        pre, post = np.divmod(parameter, self.weight.shape[1])
        return Edges(pre, post, parameter)

    def matrix_of(self, parameters: npt.NDArray[np.integer]) -> Weights:
        """`parameters` as int8."""
        return parameters.astype(np.int8)

    def check_ends(self, pre: Population, post: Population) -> None:
        """Raises NetworkError where the matrix does not fit its populations."""
        if self.weight.shape != (pre.size, post.size):
            raise NetworkError(
                f"coupling {shown(self.name)}: weight must have shape {(pre.size, post.size)}, "
                f"not {self.weight.shape}"
            )

    def sum_range(self, source: Population, *, backward: bool, any_weights: bool = False) -> Range:
        """As for every kind; see `Coupling.sum_range`."""
        weight = self.weight.T if backward else self.weight
        if any_weights:
            terms = len(weight) - self.is_self_coupling
            largest_state = max(source.state_max, -source.state_min)
            worst_case = terms * self.weight_format.limit * largest_state
            full = np.full(weight.shape[1], worst_case, dtype=np.int64)
            return -full, full
        positive = np.maximum(weight, 0).sum(axis=0, dtype=np.int64)
        negative = np.minimum(weight, 0).sum(axis=0, dtype=np.int64)
        low = positive * source.state_min + negative * source.state_max
        high = positive * source.state_max + negative * source.state_min
        return low, high

    def degrees(self, *, backward: bool) -> npt.NDArray[np.int64]:
        """All neurons of the other end, int64 (n,); of a self-coupling the neuron itself too."""
        mine, other = self.shape[::-1] if backward else self.shape
        return np.full(mine, other, dtype=np.int64)

    def free_parameters(self) -> npt.NDArray[np.intp]:
        """Flat indices of the cells; of a self-coupling those right of the diagonal."""
        if not self.is_self_coupling:
            return np.arange(self.weight.size)
        rows, columns = np.triu_indices(len(self.weight), 1)
        return rows * len(self.weight) + columns

    def mirrored(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A self-coupling's values with what is right of the diagonal copied to its left."""
        if not self.is_self_coupling:
            return values
        upper = np.triu(values, 1)
        both: npt.NDArray[Any] = upper + upper.T
        return both

    @classmethod
    def from_file(cls, entry: Fields, tensors: Tensors) -> "DenseCoupling":
        """The coupling of a file's entry and its tensor `weight`. Raises NetworkError."""
        return cls(
            pre=entry.text("pre"),
            post=entry.text("post"),
            weight=tensors["weight"],
            fraction_bits=entry.integer("fraction_bits"),
            weight_format=entry.choice("weight_format", WeightFormat),
        )
