"""Where each neuron lies in the picture of a network: one panel a population.

A population with positions is shown as they lie: an image, the slices of a lattice or of channels
side by side, the rows of attention. One without is a block that is nearly square, or a column.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, isqrt

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.network import Network, Population

NOWHERE = -1
"""A pixel that shows no neuron."""

GAP = 2
"""Pixels between two panels."""

MOST_PIXELS = 1 << 25
"""Of a picture."""

_LONGEST_COLUMN = 16
"""Neurons without positions up to this many stand in one column."""

_WIDEST_BLOCK = 4
"""A block is at most this many times as wide as it is high, where that fills it."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One population in the picture.

    top, left: of its upper left pixel. cells: int32 (height, width), which neuron of the population
    a pixel shows, `NOWHERE` for none.
    """

    population: Population
    top: int
    left: int
    cells: npt.NDArray[np.int32]

    @property
    def height(self) -> int:
        """In pixels."""
        return len(self.cells)

    @property
    def width(self) -> int:
        """In pixels."""
        return self.cells.size // len(self.cells)


@dataclass(frozen=True, eq=False)
class Plan:
    """The picture of a network: panels from left to right in file order, the input first.

    height, width: of the picture in pixels. lattices: names of populations that are lattices.
    """

    panels: tuple[Panel, ...]
    height: int
    width: int
    lattices: tuple[str, ...] = ()

    @cached_property
    def neurons(self) -> npt.NDArray[np.int32]:
        """int32 (height, width): which state a pixel shows, `NOWHERE` for none.

        States are numbered with the input first, then in `Layout` order.
        """
        shown = np.full((self.height, self.width), NOWHERE, dtype=np.int32)
        first = 0
        for panel in self.panels:
            place = slice(panel.top, panel.top + panel.height)
            part = shown[place, panel.left : panel.left + panel.width]
            part[...] = np.where(panel.cells == NOWHERE, NOWHERE, panel.cells + first)
            first += panel.population.size
        return shown

    @cached_property
    def populations(self) -> tuple[Population, ...]:
        """Those of the panels."""
        return tuple(panel.population for panel in self.panels)

    @property
    def input_size(self) -> int:
        """Neurons of the input, which come first."""
        return self.populations[0].size

    @property
    def size(self) -> int:
        """Neurons of all panels."""
        return sum(population.size for population in self.populations)


def plan_of(network: Network) -> Plan:
    """The picture of a network. Raises InputError for one that is too large."""
    return plan([network.input, *network.relaxing], lattices_of(network))


def lattices_of(network: Network) -> tuple[str, ...]:
    """Populations whose three axes are all positions: those that couple to themselves."""
    looped = {coupling.pre for coupling in network.couplings if coupling.is_self_coupling}
    return tuple(p.name for p in network.relaxing if p.name in looped and len(p.shape) == 3)


def plan(populations: Sequence[Population], lattices: Collection[str] = ()) -> Plan:
    """The picture of populations, the input first, each in the middle of the height.

    lattices: names of those whose three axes are positions, without channels. Raises InputError for
    a picture that is too large.
    """
    size = sum(population.size for population in populations)
    if size > MOST_PIXELS:
        raise InputError(f"a picture must have at most {MOST_PIXELS} neurons, found {size}")
    grids = [
        cells_of(population, lattice=population.name in lattices) for population in populations
    ]
    height = max(len(grid) for grid in grids)
    panels, left = [], 0
    for population, grid in zip(populations, grids, strict=True):
        panels.append(Panel(population, (height - len(grid)) // 2, left, grid))
        left += grid.shape[1] + GAP
    if height * (left - GAP) > MOST_PIXELS:
        raise InputError(
            f"a picture must have at most {MOST_PIXELS} pixels, found {height} x {left}"
        )
    return Plan(tuple(panels), height, left - GAP, tuple(lattices))


def cells_of(population: Population, *, lattice: bool = False) -> npt.NDArray[np.int32]:
    """Which neuron each pixel of a population's panel shows, int32 (height, width)."""
    numbers = np.arange(population.size, dtype=np.int32)
    shape = population.shape
    if population.rows is not None:
        length = population.rows.length
        count = population.size // length
        square = length if count % length == 0 else count  # a slice a head
        return _side_by_side(numbers.reshape(-1, square, length))
    if len(shape) >= 3:
        ordered = numbers.reshape(shape)
        ordered = ordered if lattice else np.moveaxis(ordered, -1, 0)
        return _side_by_side(ordered.reshape(-1, *ordered.shape[-2:]))
    if len(shape) == 2:
        return numbers.reshape(shape)
    if population.size <= _LONGEST_COLUMN:
        return numbers[:, None]
    return _block(numbers)


def _side_by_side(slices: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Slices (count, height, width), a pixel apart, as one nearly square int32 (rows, columns)."""
    count, height, width = slices.shape
    across = min(count, max(1, round((count * (height + 1) / (width + 1)) ** 0.5)))
    down = ceil(count / across)
    padded = np.full((down * across, height + 1, width + 1), NOWHERE, dtype=np.int32)
    padded[:count, :height, :width] = slices
    rows = padded.reshape(down, across, height + 1, width + 1).swapaxes(1, 2)
    return rows.reshape(down * (height + 1), across * (width + 1))[:-1, :-1]


def _block(numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Neurons without positions, row by row, as int32 (height, width)."""
    size, root = len(numbers), isqrt(len(numbers))
    exact = next(height for height in range(root, 0, -1) if size % height == 0)
    height = exact if exact * exact * _WIDEST_BLOCK >= size else root
    width = ceil(size / height)
    grid = np.full(height * width, NOWHERE, dtype=np.int32)
    grid[:size] = numbers
    return grid.reshape(height, width)
