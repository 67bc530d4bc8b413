"""A coupling: what carries a change of one neuron's state to its neighbours.

All that relaxation needs of a coupling is which neighbours an event of a neuron reaches, on
either side, and with which integer weight: `neighbours_of_pre` and `neighbours_of_post`.
Here one matrix answers; a convolutional or lattice coupling would answer from a kernel, and
the network file's `kind` leaves room for it.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.reading import shown

MAX_FRACTION_BITS = 15
"""Bounds the shift between couplings of one population, so that sums stay in 32 bits."""


class WeightFormat(Enum):
    """The integers a weight may be: {-1, 0, +1}, or -127..127 (-128 is not a weight)."""

    TERNARY = "ternary"
    INT8 = "int8"

    @property
    def limit(self) -> int:
        """Largest magnitude of a weight."""
        return 1 if self is WeightFormat.TERNARY else 127


@named_type_errors
@dataclass(frozen=True, eq=False)
class Coupling:
    """One integer matrix used in both directions: the real weight is `weight / 2^fraction_bits`.

    weight: int8 array, shape (pre.size, post.size), copied and made read-only. A population
    coupled to itself (pre == post) needs a symmetric matrix with a zero diagonal.
    """

    pre: str
    post: str
    weight: npt.NDArray[np.int8]
    fraction_bits: int
    weight_format: WeightFormat

    def __post_init__(self) -> None:
        name = self.name
        if not isinstance(self.weight_format, WeightFormat):
            raise NetworkError(
                f"coupling {shown(name)}: weight_format must be a WeightFormat, "
                f"not {shown(self.weight_format)}"
            )
        if type(self.fraction_bits) is not int or not 0 <= self.fraction_bits <= MAX_FRACTION_BITS:
            raise NetworkError(
                f"coupling {shown(name)}: fraction_bits must be an integer in "
                f"0..{MAX_FRACTION_BITS}, not {shown(self.fraction_bits)}"
            )
        if isinstance(self.weight, np.ma.MaskedArray):
            raise NetworkError(f"coupling {shown(name)}: weight must be an array without a mask")
        if not isinstance(self.weight, np.ndarray) or self.weight.dtype != np.int8:
            found = getattr(self.weight, "dtype", type(self.weight).__name__)
            raise NetworkError(f"coupling {shown(name)}: weight must be an int8 array, not {found}")
        if self.weight.ndim != 2:
            raise NetworkError(
                f"coupling {shown(name)}: weight must have 2 dimensions, not {self.weight.ndim}"
            )
        weight = np.array(self.weight, dtype=np.int8, order="C")
        weight.flags.writeable = False
        object.__setattr__(self, "weight", weight)
        self._check_range()
        if self.is_self_coupling:
            self._check_symmetry()

    def _check_range(self) -> None:
        if self.weight.size == 0:
            return
        limit = self.weight_format.limit
        low, high = int(self.weight.min()), int(self.weight.max())
        if low < -limit or high > limit:
            wrong = (self.weight < -limit) | (self.weight > limit)
            i, j = (int(k) for k in np.argwhere(wrong)[0])
            raise NetworkError(
                f"coupling {shown(self.name)}: {self.weight_format.value} weights must be in "
                f"{-limit}..{limit}, found {self.weight[i, j]} at [{i}, {j}]"
            )

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
    def name(self) -> str:
        """`pre-post`, unique in a network."""
        return f"{self.pre}-{self.post}"

    @property
    def is_self_coupling(self) -> bool:
        """Whether it couples a population to itself."""
        return self.pre == self.post

    def neighbours_of_pre(self, neuron: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int8]]:
        """Post neurons that an event of pre neuron `neuron` reaches, and their weights."""
        return np.arange(self.weight.shape[1]), self.weight[neuron]

    def neighbours_of_post(self, neuron: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int8]]:
        """Pre neurons that an event of post neuron `neuron` reaches, and their weights."""
        return np.arange(self.weight.shape[0]), self.weight[:, neuron]
