"""Weights that are not in the netlist are noticed, store by store."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toreq_hw.boards.tool_reports.contents import check_contents
from toreq_hw.errors import ReportError
from toreq_hw.rtl.images import MemoryImages

IMAGES = MemoryImages(stores=[[3, 1, 0, 2], [1, 1, 1, 1]], rest=[])
"""Two stores, with 4 ones each."""


def _cell(kind: str, **parameters: str) -> dict[str, Any]:
    return {"type": kind, "parameters": parameters}


def _same(cells: dict[str, Any]) -> None:
    """Nothing is lost."""


def _netlist(path: Path, change: Callable[[dict[str, Any]], None] = _same) -> Path:
    cells = {
        "design.core.store0.ram.memory.0.0": _cell("SB_RAM40_4K", INIT_0="x10110x1", INIT_1="00"),
        "design.core.store1.bank1.0.0": _cell("DP16KD", INITVAL_00="0101", CSDECODE_A="111"),
        "design.core.store1.bank1.0.1": _cell("DP16KD", INITVAL_00="0", INITVAL_3F="0000011"),
        "design.core.store1.bank1.ready_SB_LUT4_O": _cell("SB_LUT4", LUT_INIT="1111"),
        "design.core.store1.bank1.$scope": _cell("$scopeinfo", TYPE="module"),
        "design.core.queue.0.0": _cell("SB_RAM40_4K", INIT_0="1111"),
    }
    change(cells)
    path.write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    return path


def test_all_there(tmp_path: Path) -> None:
    check_contents(_netlist(tmp_path / "top.json"), IMAGES)


def _lost(cells: dict[str, Any]) -> None:
    cells["design.core.store0.ram.memory.0.0"]["parameters"] = {"INIT_0": "xxxx"}


def _gone(cells: dict[str, Any]) -> None:
    del cells["design.core.store0.ram.memory.0.0"]


def _halved(cells: dict[str, Any]) -> None:
    del cells["design.core.store1.bank1.0.1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_lost, r"store0 must start with 4 ones, found 0"),
        (_gone, r"store0 must be in the netlist, found no cell of it"),
        (_halved, r"store1 must start with 4 ones, found 2"),
    ],
)
def test_lost_contents(
    change: Callable[[dict[str, Any]], None], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ReportError, match=message):
        check_contents(_netlist(tmp_path / "top.json", change), IMAGES)


def test_single_port_blocks_start_empty(tmp_path: Path) -> None:
    def change(cells: dict[str, Any]) -> None:
        cells["design.core.store0.ram.memory.0.0"] = _cell("SB_SPRAM256KA")

    check_contents(_netlist(tmp_path / "top.json", change), IMAGES)
