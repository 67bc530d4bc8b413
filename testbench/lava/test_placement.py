"""Placement: a swap is worth what a recount says, no way grows, and stars reach the optimum."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from toreq_hw.lava_backend.mapper import load_chip
from toreq_hw.lava_backend.mapper import place as module
from toreq_hw.lava_backend.mapper.place import place
from toreq_hw.records.chip import Chip


def grid(columns: int, rows: int) -> Chip:
    chip = load_chip("loihi2")
    return replace(chip, counts=chip.counts | {"grid_columns": columns, "grid_rows": rows})


def star(cores: int, seed: int) -> np.ndarray:
    """Every core sends to the last one, each another number of events."""
    traffic = np.zeros((cores, cores))
    traffic[:-1, -1] = np.random.default_rng(seed).uniform(1.0, 4.0, cores - 1)
    return traffic


def fewest_hops(traffic: np.ndarray, chip: Chip) -> float:
    """Of all placements on one chip."""
    places = module._coordinates(chip.cores, chip)
    ways = np.abs(places[:, None] - places).sum(axis=2)
    found = (
        float((traffic * ways[np.ix_(at, at)]).sum())
        for at in permutations(range(chip.cores), len(traffic))
    )
    return min(found) / traffic.sum()


@pytest.mark.parametrize("seed", range(20))
def test_a_swap_is_taken_only_if_a_recount_is_shorter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chip, cores = grid(4, 2), 6
    traffic = rng.uniform(0, 1, (cores, cores)) * (rng.uniform(size=(cores, cores)) < 0.5)
    both = traffic + traffic.T
    np.fill_diagonal(both, 0.0)
    coordinates = module._coordinates(chip.cores, chip)
    for a in range(cores):
        for b in range(cores):
            at = np.arange(cores)
            swapped = at.copy()
            swapped[[a, b]] = swapped[[b, a]]
            before, after = (module._hops(both, coordinates[p]) for p in (at, swapped))
            assert module._try_swap(both, coordinates, at, a, b) == (after < before - 1e-9)
            assert at.tolist() == (swapped if after < before - 1e-9 else np.arange(cores)).tolist()


@pytest.mark.parametrize(("columns", "rows", "cores"), [(4, 2, 7), (3, 3, 6), (3, 2, 6), (5, 1, 5)])
def test_a_star_on_a_small_grid_is_placed_as_brute_force_would(
    columns: int, rows: int, cores: int
) -> None:
    chip = grid(columns, rows)
    for seed in range(2):
        traffic = star(cores, seed)
        assert place(traffic, chip).hops == pytest.approx(fewest_hops(traffic, chip))


@pytest.mark.parametrize(
    ("columns", "rows", "cores"), [(4, 2, 8), (3, 3, 9), (16, 8, 8), (16, 8, 14)]
)
def test_the_heaviest_leaves_of_a_star_are_nearest(columns: int, rows: int, cores: int) -> None:
    """The optimum of a star: leaves in the order of their events on the nearest places."""
    chip = grid(columns, rows)
    places = module._coordinates(chip.cores, chip)
    ways = np.sort(np.abs(places[:, None] - places).sum(axis=2), axis=1)[:, 1:cores]
    traffic = star(cores, 1)
    leaves = -np.sort(-traffic[:-1, -1])
    assert place(traffic, chip).hops == pytest.approx((ways @ leaves).min() / leaves.sum())


@pytest.mark.parametrize("cores", [3, 7, 30, 40])
def test_no_way_is_longer_than_in_the_order_of_the_network(cores: int) -> None:
    rng = np.random.default_rng(cores)
    for share in (0.1, 0.6):
        traffic = rng.uniform(0, 1, (cores, cores)) * (rng.uniform(size=(cores, cores)) < share)
        found = place(traffic, grid(4, 4))
        assert found.hops <= found.hops_in_order + 1e-9
        assert len(set(found.positions.tolist())) == cores
