"""docs/supported.md says which networks the simulator takes and learns."""

import numpy as np
import pytest

from testbench.supported import HIDDEN, ROWS, assert_as_stated, example, stated
from toreq_hw import sim
from toreq_hw.network import Network, WeightFormat
from toreq_hw.sim.learning import Rule, Trainer

INPUTS = np.full((2, 5), 200, np.int16)


def engines_agree(network: Network) -> None:
    expected, *others = (
        sim.relax(network, INPUTS, engine=engine) for engine in ("reference", "dense", "event")
    )
    for found in others:
        assert all(np.array_equal(found.states[n], expected.states[n]) for n in expected.states)


def learn(network: Network) -> None:
    Trainer(network, Rule(), 1).learn(INPUTS, np.array([0, 1]), np.array([0, 1]))


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_the_simulator_takes_what_the_table_says(row: tuple[str, str]) -> None:
    assert_as_stated(row, "engines", engines_agree)
    assert_as_stated(row, "on-chip learning", learn)


def test_examples_are_what_their_rows_say() -> None:
    assert len(ROWS) == 16
    for row in ROWS:
        network = example(row, WeightFormat.INT8)
        assert {c.kind == "dense" for c in network.couplings} == {row[0] == "dense"}
        looped = any(c.is_self_coupling for c in network.couplings)
        assert looped == row[1].endswith("a self-coupling")
        assert network.populations[1].size == HIDDEN
    assert stated(ROWS[0], "core")
