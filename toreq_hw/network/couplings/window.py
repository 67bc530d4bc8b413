"""Which inputs a convolution sees along one axis: kernel size, stride, padding and pooling."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Taps(NamedTuple):
    """Pairs of an output and an input place that share a tap; three arrays intp (n,).

    Sorted by output, then tap, then input.
    """

    output: npt.NDArray[np.intp]
    tap: npt.NDArray[np.intp]
    input: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Window:
    """One axis of a convolution: `kernel` taps, moved by `stride` over groups of `pool` inputs.

    size: inputs. Group g holds inputs g pool .. g pool + pool - 1; inputs behind the last whole
    group belong to none. Output o sees group o stride + tap - padding through each tap; a group
    that is not there counts as 0.
    """

    size: int
    kernel: int
    stride: int
    padding: int
    pool: int

    @property
    def groups(self) -> int:
        """Whole groups of inputs."""
        return self.size // self.pool

    @property
    def outputs(self) -> int:
        """Places of the kernel; below 1 where it does not fit."""
        return (self.groups + 2 * self.padding - self.kernel) // self.stride + 1

    @cached_property
    def taps(self) -> Taps:
        """Every input that every output sees. No pair of places is there twice."""
        output, tap, offset = np.indices((self.outputs, self.kernel, self.pool)).reshape(3, -1)
        group = output * self.stride + tap - self.padding
        inside = (group >= 0) & (group < self.groups)
        place = group * self.pool + offset
        return Taps(output[inside], tap[inside], place[inside])

    def counts(self, *, backward: bool) -> npt.NDArray[np.int64]:
        """How many inputs each output has at each tap, int64 (outputs, kernel).

        With `backward` how many outputs each input has at each tap, (size, kernel): 0 or 1.
        """
        place, places = self.taps.output, self.outputs
        if backward:
            place, places = self.taps.input, self.size
        found = np.zeros((places, self.kernel), dtype=np.int64)
        np.add.at(found, (place, self.taps.tap), 1)
        return found
