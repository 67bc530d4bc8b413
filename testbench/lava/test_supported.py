"""docs/supported.md says which networks the neuromorphic targets take."""

import nir
import pytest

from testbench.supported import ROWS, assert_as_stated
from toreq_hw.lava_backend import lava_run, nengo_loihi_run, nengo_network
from toreq_hw.lava_backend.nir_export import to_graph


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_targets_take_what_the_table_says(row: tuple[str, str]) -> None:
    assert_as_stated(row, "Lava", lava_run.check)
    assert_as_stated(row, "Nengo", nengo_network.check)
    assert_as_stated(row, "nengo-loihi", nengo_loihi_run.check)
    assert_as_stated(row, "NIR", lambda network: to_graph(network, nir))
