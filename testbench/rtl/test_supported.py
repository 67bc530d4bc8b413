"""docs/supported.md says which networks a core can be made of."""

import pytest

from testbench.supported import ROWS, assert_as_stated
from toreq_hw.rtl.parameters import CoreParameters


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_a_core_is_made_of_what_the_table_says(row: tuple[str, str]) -> None:
    assert_as_stated(row, "core", lambda network: CoreParameters.of(network, lanes=4))
