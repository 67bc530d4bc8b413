"""Placing cores on the grid so that events travel short ways.

Starts from the order of the network along a snake through the grid, and once more from the
busiest core in the middle. Swaps pairs of places for as long as that shortens the way; a fixed
seed draws the candidates of large networks, so the same network lands on the same cores.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.records.chip import Chip

CHIP_HOPS = 16
"""Hops that crossing to a neighbouring chip counts as: the width of a chip's grid."""

_SWAPS_PER_CORE = 100
"""Candidate swaps tried; several hundred cores take a second or two."""

_EVERY_PAIR_CORES = 24
"""Up to so many, every swap and move is tried until none helps: well below a second."""

_MOST_PASSES = 50
"""Over every swap and move; a few are enough."""

_GROWN_CORES = 512
"""Up to so many, a second start grows around the busiest core; it takes up to a second."""


@dataclass(frozen=True, eq=False)
class Placement:
    """positions: int (cores,), chip * cores per chip + row * columns + column."""

    positions: npt.NDArray[np.int64]
    hops_in_order: float
    hops: float


def place(traffic: npt.NDArray[np.float64], chip: Chip) -> Placement:
    """Places cores with `traffic` events between them, float64 (cores, cores).

    The way is never longer than in the order of the network.
    """
    cores = len(traffic)
    slots = -(-cores // chip.cores) * chip.cores
    snake = _snake(slots, chip)
    coordinates = _coordinates(slots, chip)
    both = traffic + traffic.T
    np.fill_diagonal(both, 0.0)
    before = _hops(both, coordinates[snake[:cores]])
    starts = [snake[:cores].copy()]
    if 2 < cores <= _GROWN_CORES:
        starts.append(_grow(both, coordinates))
    if cores > _EVERY_PAIR_CORES:
        starts = [min(starts, key=lambda at: _hops(both, coordinates[at]))]
    for at in starts:
        _shorten(both, coordinates, at, snake)
    best = min(starts, key=lambda at: round(_hops(both, coordinates[at]), 9))
    return Placement(best, before, _hops(both, coordinates[best]))


def _grow(
    both: npt.NDArray[np.float64], coordinates: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """A place for every core, int64 (cores,), from the busiest core in the middle of a chip on.

    The core with most events to and from those placed is next, at the free place of least way.
    """
    cores = len(both)
    at = np.full(cores, -1)
    one_chip = coordinates[coordinates[:, 0] == 0]
    middle = np.abs(one_chip - (one_chip.max(axis=0) // 2)).sum(axis=1)
    free = np.ones(len(coordinates), dtype=np.bool_)
    order = both.sum(axis=1)
    pull = order * 1e-9  # those without events to the placed ones come last, the busiest first
    way = np.pad(middle.astype(np.float64), (0, len(free) - len(middle)), constant_values=np.inf)
    for _ in range(cores):
        core = int(np.argmax(np.where(at < 0, pull, -1.0)))
        placed = np.flatnonzero(at >= 0)
        if len(placed):
            way = np.zeros(len(free))
            for other in placed[both[core, placed] > 0]:
                way += both[core, other] * _distance(coordinates, coordinates[at[other]])
        at[core] = int(np.argmin(np.where(free, way, np.inf)))
        free[at[core]] = False
        pull = pull + both[core]
    return at


def _shorten(
    both: npt.NDArray[np.float64],
    coordinates: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    snake: npt.NDArray[np.int64],
) -> None:
    """Swaps and moves the cores in `at`, in place, for as long as that shortens the way.

    A few cores try every pair until none helps; many try drawn ones.
    """
    cores = len(at)
    free = [place for place in snake.tolist() if place not in set(at.tolist())]
    if cores < 2:
        return
    if cores > _EVERY_PAIR_CORES:
        rng = np.random.default_rng(0)
        for _ in range(_SWAPS_PER_CORE * cores):
            a = int(rng.integers(cores))
            b = int(rng.integers(cores + min(len(free), cores)))
            _try(both, coordinates, at, a, free, b)
        return
    for _ in range(_MOST_PASSES):
        tried = [
            _try(both, coordinates, at, a, free, b)
            for a in range(cores)
            for b in range(cores + len(free))
        ]
        if not any(tried):
            return


def _try(
    both: npt.NDArray[np.float64],
    coordinates: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    a: int,
    free: list[int],
    b: int,
) -> bool:
    """Core a to the place of core b, or to the free place that `b` counts on to, if shorter."""
    cores = len(at)
    if b < cores:
        return _try_swap(both, coordinates, at, a, b)
    return _try_move(both, coordinates, at, a, free, b - cores)


def _try_swap(
    both: npt.NDArray[np.float64],
    coordinates: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    a: int,
    b: int,
) -> bool:
    """Swaps two cores if that shortens the way; their own distance stays the same."""
    places = coordinates[at]
    to_a, to_b = _distance(places, places[a]), _distance(places, places[b])
    gain = (both[a] - both[b]) @ (to_a - to_b) - 2 * both[a, b] * to_a[b]
    shorter = bool(a != b and gain > 1e-9)
    if shorter:
        at[a], at[b] = at[b], at[a]
    return shorter


def _try_move(
    both: npt.NDArray[np.float64],
    coordinates: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    a: int,
    free: list[int],
    slot: int,
) -> bool:
    """Moves a core to an empty place if that shortens the way."""
    places = coordinates[at]
    there = _distance(places, coordinates[free[slot]])
    there[a] = 0
    shorter = bool(both[a] @ (_distance(places, places[a]) - there) > 1e-9)
    if shorter:
        at[a], free[slot] = free[slot], int(at[a])
    return shorter


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
