"""Cells that a netlist must not hold, because silicon was seen to compute wrongly with them."""

from collections.abc import Mapping

from toreq_hw.boards.board import Family
from toreq_hw.errors import ReportError

CARRY_CELL = "ALU"
"""Gowin's carry chain cell. On a GW2AR-18, designs with inferred ones computed wrongly while RTL,
netlist and timing passed (YosysHQ/apicula issue 514); the GW1NR-9 has the same cell. Sums are built
of look-up tables instead (`synth_gowin -noalu`)."""

_FORBIDDEN = {Family.GOWIN: (CARRY_CELL,)}


def check_cells(family: Family, used: Mapping[str, int], where: str) -> None:
    """used: number of cells by type. where: the netlist or report that counts them.

    Raises ReportError where a forbidden type of cell is used.
    """
    for name in _FORBIDDEN.get(family, ()):
        if used.get(name, 0):
            raise ReportError(
                f"{where} for {family.value} must hold no {name} cell, found {used[name]}: silicon "
                "was seen to compute wrongly with them"
            )
