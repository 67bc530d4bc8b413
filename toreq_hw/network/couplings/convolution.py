"""The convolution: one kernel of weights that every position of the post population shares."""

from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from math import prod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.json_values import FileEntry
from toreq_hw.network.couplings.coupling import Coupling, Edges, Range, Tensors, Weights
from toreq_hw.network.couplings.weights import WeightFormat, check_format, checked_weights
from toreq_hw.network.couplings.window import Window
from toreq_hw.network.population import MAX_NEURONS, Population
from toreq_hw.reading import Fields, shown

MAX_TAPS = 1 << 22
"""Most pairs of an input and an output place along one axis, inside or not."""

MAX_STRIDE = 1 << 12
"""More than any image has pixels in a line."""


@named_type_errors
@dataclass(frozen=True, eq=False)
class ConvolutionCoupling(Coupling):
    """A kernel moved over the positions of pre; docs/numerics.md, section 7, has the sums.

    weight: int8 (ky, kx, ci, co), or (k, ci, co) along one axis; copied and made read-only.
    input_shape: of pre, (y, x, ci) or (x, ci): positions, then channels, channels last. padding:
    positions of zeros around pre (after pooling). pool: pre is first summed over squares of
    pool x pool positions; the weights stay as few, and each joins pool x pool times the neurons.
    Raises NetworkError where kernel, stride and padding leave no position.
    """

    pre: str
    post: str
    weight: Weights
    fraction_bits: int
    weight_format: WeightFormat
    input_shape: tuple[int, ...] = field(kw_only=True)
    stride: int = field(default=1, kw_only=True)
    padding: int = field(default=0, kw_only=True)
    pool: int = field(default=1, kw_only=True)

    kind: ClassVar[str] = "convolution"
    parameter_axes: ClassVar[int] = 4

    def __post_init__(self) -> None:
        check_format(self.name, self.weight_format, self.fraction_bits)
        object.__setattr__(self, "input_shape", self._checked_shape())
        axes = len(self.input_shape) + 1
        weight = checked_weights(self.name, self.weight, axes, self.weight_format)
        object.__setattr__(self, "weight", weight)
        if self.is_self_coupling:
            raise self._error("must join two populations", f"{shown(self.pre)} twice")
        if min(weight.shape) < 1:
            raise self._error("kernel and channels must be at least 1", weight.shape)
        if weight.shape[-2] != self.input_shape[-1]:
            raise self._error(
                f"kernel must have {self.input_shape[-1]} input channels", weight.shape[-2]
            )
        for name, low, high in (
            ("stride", 1, MAX_STRIDE),
            ("padding", 0, min(weight.shape[:-2]) - 1),
            ("pool", 1, min(self.input_shape[:-1])),
        ):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise self._error(f"{name} must be an integer in {low}..{high}", shown(value))
        taps = max(w.outputs * w.kernel * w.pool for w in self.windows)
        if taps > MAX_TAPS:
            raise self._error(f"an axis must have at most {MAX_TAPS} taps of all positions", taps)
        if min(window.outputs for window in self.windows) < 1:
            raise self._error(
                f"kernel must fit {self._said_input()}", " x ".join(map(str, weight.shape[:-2]))
            )

    def _checked_shape(self) -> tuple[int, ...]:
        found = self.input_shape
        if not isinstance(found, tuple | list) or not 2 <= len(found) <= 3:
            raise self._error("input_shape must be (y, x, channels) or (x, channels)", shown(found))
        if not all(type(n) is int and n >= 1 for n in found) or prod(found) > MAX_NEURONS:
            raise self._error(
                f"input_shape must be whole numbers from 1 on, at most {MAX_NEURONS} neurons",
                shown(found),
            )
        return tuple(found)

    def _said_input(self) -> str:
        positions = " x ".join(str(window.groups) for window in self.windows)
        return f"{positions} positions with {self.padding} of padding"

    def _error(self, must: str, found: object) -> NetworkError:
        return NetworkError(f"coupling {shown(self.name)}: {must}, found {found}")

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """One for each axis of positions."""
        return tuple(
            Window(size, kernel, self.stride, self.padding, self.pool)
            for size, kernel in zip(self.input_shape[:-1], self.weight.shape[:-2], strict=True)
        )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of post: positions, then channels."""
        return (*(window.outputs for window in self.windows), self.weight.shape[-1])

    @property
    def shape(self) -> tuple[int, int]:
        """Neurons of pre, neurons of post."""
        return prod(self.input_shape), prod(self.output_shape)

    @property
    def parameters(self) -> Weights:
        """The kernel; a row is a tap and an input channel, its columns are output channels."""
        return self.weight

    def with_parameters(self, parameters: Weights) -> "ConvolutionCoupling":
        """The same coupling with another kernel. Raises NetworkError."""
        return replace(self, weight=parameters)

    def edges(self) -> Edges:
        """Every input neuron that an output neuron sees, by positions and then channels."""
        pre = post = tap = np.zeros(1, dtype=np.intp)
        for window in self.windows:
            found = window.taps
            pre = np.add.outer(pre * window.size, found.input).ravel()
            post = np.add.outer(post * window.outputs, found.output).ravel()
            tap = np.add.outer(tap * window.kernel, found.tap).ravel()
        inputs, outputs = self.weight.shape[-2:]
        one, other = (part.ravel() for part in np.indices((inputs, outputs)))
        return Edges(
            np.add.outer(pre * inputs, one).ravel(),
            np.add.outer(post * outputs, other).ravel(),
            np.add.outer(tap * inputs * outputs, one * outputs + other).ravel(),
        )

    def check_ends(self, pre: Population, post: Population) -> None:
        """Raises NetworkError where the kernel does not fit its populations."""
        for end, population, own in (
            ("pre", pre, self.input_shape),
            ("post", post, self.output_shape),
        ):
            found = population.shape or (population.size,)
            if found not in (own, (prod(own),)):
                raise self._error(
                    f"{end} must have {' x '.join(map(str, own))} neurons",
                    f"{' x '.join(map(str, found))} in {shown(population.name)}",
                )

    def sum_range(self, source: Population, *, backward: bool, any_weights: bool = False) -> Range:
        """As for every kind; see `Coupling.sum_range`."""
        weight = self.weight.astype(np.int64)
        channels = -1 if backward else -2
        if any_weights:
            limit = self.weight_format.limit * max(source.state_max, -source.state_min)
            largest = self._over_places(np.full_like(weight, limit).sum(axis=channels), backward)
            return -largest, largest
        ends = weight * source.state_min, weight * source.state_max
        low = self._over_places(np.minimum(*ends).sum(axis=channels), backward)
        high = self._over_places(np.maximum(*ends).sum(axis=channels), backward)
        return low, high

    def degrees(self, *, backward: bool) -> npt.NDArray[np.int64]:
        """Edges of each neuron of pre, int64 (n_pre,); with `backward` of each of post."""
        channels = -2 if backward else -1
        return self._over_places(np.ones(self.weight.shape, np.int64).sum(channels), not backward)

    def _over_places(self, by_tap: npt.NDArray[np.int64], backward: bool) -> npt.NDArray[np.int64]:
        """Sums of a value of each tap over the taps that a target neuron has.

        by_tap: (ky, kx, channels of the target). Returns (target.size,).
        """
        counts = [window.counts(backward=backward) for window in self.windows]
        found = reduce(
            lambda total, matrix: np.moveaxis(np.tensordot(matrix, total, (1, 0)), 0, -2),
            counts,
            by_tap,
        )
        return np.ascontiguousarray(found).reshape(-1)

    def settings(self) -> FileEntry:
        """Input shape, stride, padding and pool."""
        return {
            "input_shape": list(self.input_shape),
            "stride": self.stride,
            "padding": self.padding,
            "pool": self.pool,
        }

    @classmethod
    def axes_in(cls, entry: Fields) -> int:
        """Dimensions of the kernel that an entry describes."""
        return len(entry.items("input_shape")) + 1

    @classmethod
    def from_file(cls, entry: Fields, tensors: Tensors) -> "ConvolutionCoupling":
        """The coupling of a file's entry and its tensor `weight`. Raises NetworkError."""
        return cls(
            pre=entry.text("pre"),
            post=entry.text("post"),
            weight=tensors["weight"],
            fraction_bits=entry.integer("fraction_bits"),
            weight_format=entry.choice("weight_format", WeightFormat),
            input_shape=tuple(entry.integers("input_shape", 1, MAX_NEURONS)),
            stride=entry.integer("stride"),
            padding=entry.integer("padding"),
            pool=entry.integer("pool"),
        )
