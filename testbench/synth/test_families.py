"""Every table that is asked for a family of devices answers for each of them."""

import pytest

from testbench.synth.conftest import OF_EACH_FAMILY
from toreq_hw.boards import registry
from toreq_hw.boards.board import Family
from toreq_hw.boards.clock import clocking
from toreq_hw.boards.fit import memories
from toreq_hw.boards.flow.toolchain import TOOLCHAINS

TABLES = {
    "flow/toolchain.py: TOOLCHAINS": TOOLCHAINS,
    "clock/clocking.py: _LOOPS": clocking._LOOPS,
    "fit/memories.py: _SHAPES": memories._SHAPES,
    "fit/memories.py: _BLOCK_COST": memories._BLOCK_COST,
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("family", Family)
def test_tables_answer_for_every_family(table: str, family: Family) -> None:
    assert family in TABLES[table]


@pytest.mark.parametrize("family", Family)
def test_a_board_of_every_family_is_built(family: Family) -> None:
    assert [name for name in OF_EACH_FAMILY if registry.get(name).family is family]
