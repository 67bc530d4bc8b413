"""Placing cores on the grid so that events travel short ways.

Starts from the order of the network along a snake through the grid. Swaps pairs of places for as
long as that shortens the way; a fixed seed draws the candidates, so the same network lands on the
same cores.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.records.chip import Chip

CHIP_HOPS = 16
"""Hops that crossing to a neighbouring chip counts as: the width of a chip's grid."""

_SWAPS_PER_CORE = 100
"""Candidate swaps tried; several hundred cores take a second or two."""


@dataclass(frozen=True, eq=False)
class Placement:
    """positions: int (cores,), chip * cores per chip + row * columns + column."""

    positions: npt.NDArray[np.int64]
    hops_in_order: float
    hops: float


def place(traffic: npt.NDArray[np.float64], chip: Chip) -> Placement:
    """Places cores with `traffic` events between them, float64 (cores, cores)."""
    cores = len(traffic)
    slots = -(-cores // chip.cores) * chip.cores
    snake = _snake(slots, chip)
    coordinates = _coordinates(slots, chip)
    both = traffic + traffic.T
    np.fill_diagonal(both, 0.0)
    at = snake[:cores].copy()
    before = _hops(both, coordinates[at])
    free = list(snake[cores:])
    rng = np.random.default_rng(0)
    for _ in range(_SWAPS_PER_CORE * cores if cores > 1 else 0):
        a = int(rng.integers(cores))
        b = int(rng.integers(cores + min(len(free), cores)))
        if b < cores:
            _try_swap(both, coordinates, at, a, b)
        else:
            _try_move(both, coordinates, at, a, free, b - cores)
    return Placement(at, before, _hops(both, coordinates[at]))


def _try_swap(
    both: npt.NDArray[np.float64],
    coordinates: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    a: int,
    b: int,
) -> None:
    """Swaps two cores if that shortens the way; their own distance stays the same."""
    places = coordinates[at]
    to_a, to_b = _distance(places, places[a]), _distance(places, places[b])
    gain = (both[a] - both[b]) @ (to_a - to_b) + 2 * both[a, b] * to_a[b]
    if a != b and gain > 1e-9:
        at[a], at[b] = at[b], at[a]


def _try_move(
    both: npt.NDArray[np.float64],
    coordinates: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    a: int,
    free: list[int],
    slot: int,
) -> None:
    """Moves a core to an empty place if that shortens the way."""
    places = coordinates[at]
    there = _distance(places, coordinates[free[slot]])
    there[a] = 0
    if both[a] @ (_distance(places, places[a]) - there) > 1e-9:
        at[a], free[slot] = free[slot], int(at[a])


def _hops(both: npt.NDArray[np.float64], places: npt.NDArray[np.int64]) -> float:
    """Mean hops of an event between cores."""
    total = both.sum()
    way = sum(float(both[k] @ _distance(places, places[k])) for k in range(len(both)))
    return way / float(total) if total else 0.0


def _distance(places: npt.NDArray[np.int64], place: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Manhattan distance on the grid, and `CHIP_HOPS` a chip."""
    away = np.abs(places - place)
    distance: npt.NDArray[np.int64] = CHIP_HOPS * away[:, 0] + away[:, 1] + away[:, 2]
    return distance


def _coordinates(slots: int, chip: Chip) -> npt.NDArray[np.int64]:
    """(chip, column, row) of every position, int64 (slots, 3)."""
    number, within = np.divmod(np.arange(slots), chip.cores)
    row, column = np.divmod(within, chip.counts["grid_columns"])
    return np.stack([number, column, row], axis=1)


def _snake(slots: int, chip: Chip) -> npt.NDArray[np.int64]:
    """Positions in an order in which neighbours are next to each other on the grid."""
    columns = chip.counts["grid_columns"]
    grid = np.arange(slots).reshape(-1, columns)
    grid[1::2] = grid[1::2, ::-1]
    return grid.ravel()
