"""Maps of stuck latents: drawn by a layer, kept in a file, checked row by row."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.perturbation import fault_map
from toreq_hw.sim.perturbation.fault_map import FaultMap


def test_a_layer_sticks_as_many_bits_as_it_says_and_more_at_a_higher_level() -> None:
    network = layered((20, 15, 4), WeightFormat.INT8, (7, 7))
    counts = []
    places: list[set[tuple[Any, ...]]] = []
    for level in (0.0, 0.1, 0.5, 1.0):
        rows = p.StuckLatentBits(level, 7, bits=12).rows(network)
        counts.append(sum((row[3] | row[4]).bit_count() for row in rows))
        places.append(
            {(*row[:3], side, k) for row in rows for side in (3, 4) for k in range(16)
             if row[side] >> k & 1}
        )  # fmt: skip
        assert all((row[3] | row[4]) & 0xF == 0 and row[3] & row[4] == 0 for row in rows)
    cells = 20 * 15 + 15 * 4
    assert counts == [0, cells * 12 // 10, cells * 6, cells * 12]
    assert places[0] < places[1] < places[2] < places[3]
    ones = sum(place[3] == 4 for place in places[3])
    assert abs(ones / len(places[3]) - 0.5) < 0.05


def test_a_map_of_latents_is_kept_and_only_learning_machines_take_it(tmp_path: Path) -> None:
    network = layered((5, 4, 3), WeightFormat.INT8, (7, 7))
    found = FaultMap.make(network, [p.StuckLatentBits(0.2, 3), p.DeadNeurons(0.5, 1)], 2)
    found.save(tmp_path / "map.json")
    assert json.loads((tmp_path / "map.json").read_text())["version"] == 3
    assert fault_map.load(tmp_path / "map.json", network) == found
    with pytest.raises(InputError, match="latents of a fault map must be replayed on a machine"):
        found.relax(network, np.zeros((2, 5), np.int16))
    with pytest.raises(InputError, match="must be digital, found the layer asymmetric_update"):
        FaultMap.make(network, [p.AsymmetricUpdate(0.1)], 1)


NETWORK = layered((5, 4, 3), WeightFormat.INT8, (7, 7))
FIRST = NETWORK.couplings[0].name


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [[FIRST, 0, 0, 1]],
            r"latents\[0\] must be a row of coupling, row, column, at_zero, at_one",
        ),
        ([[FIRST, 0, 0, 1, 1]], "must be stuck at 0 or at 1"),
        ([[FIRST, 0, 0, 0, 0]], "one of them at least"),
        ([[FIRST, 0, 4, 1, 0]], r"column must be a whole number in 0\.\.3"),
        ([[FIRST, 0, 0, 65536, 0]], r"at_zero must be a whole number in 0\.\.65535"),
        ([[FIRST, 0, 0, 1, 0], [FIRST, 0, 0, 2, 0]], "not listed yet"),
        ([["nowhere", 0, 0, 1, 0]], "coupling must be one of"),
    ],
)
def test_bad_rows_are_one_line(rows: list[Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        FaultMap(NETWORK.sha256, 0, latents=tuple(map(tuple, rows))).check(NETWORK)
    assert "\n" not in str(caught.value)
