"""The smoke design on a board of each family: real tools, and records that repeat their reports."""

import json
import re
from pathlib import Path

import pytest

from testbench.synth.conftest import Smoked, smoked
from toreq_hw.boards.board import Family
from toreq_hw.boards.flow.plan import STAT
from toreq_hw.boards.flow.toolchain import LOG, REPORT
from toreq_hw.errors import ReportError


def test_bitstream_is_there(smoke: Smoked) -> None:
    made = smoke.build.made.read_bytes()
    assert len(made) == smoke.build.bitstream.size_bytes > 50_000


def test_cells_are_those_of_yosys(smoke: Smoked) -> None:
    (folder,) = smoke.stages("synthesis")
    cells = json.loads((folder / STAT).read_text())["design"]["num_cells_by_type"]
    assert smoke.build.synthesis.cells == {k: v for k, v in cells.items() if k[0] != "$"}


def test_frequencies_and_use_are_those_of_nextpnr(smoke: Smoked) -> None:
    reports = [json.loads((f / REPORT).read_text()) for f in smoke.stages("place")]
    logs = [(f / LOG).read_text() for f in smoke.stages("place")]
    reached = {clock["achieved"] for r in reports for clock in r["fmax"].values()}
    assert {p.fmax_mhz for p in smoke.build.placements} == reached
    stated = {re.findall(r"Max frequency.*: ([\d.]+) MHz", log)[-1] for log in logs}
    assert {f"{p.fmax_mhz:.2f}" for p in smoke.build.placements} == stated
    for placement in smoke.build.placements:
        use = {name: entry["used"] for name, entry in reports[0]["utilization"].items()}
        assert placement.used.keys() == use.keys()
    assert smoke.build.best.met


def test_resources_are_translated(smoke: Smoked) -> None:
    used, taken = smoke.build.best.used, smoke.build.resources
    family = smoke.plan.board.family
    if family is Family.ICE40:
        assert taken.lut4 == used["ICESTORM_LC"]
        assert taken.ff == smoke.build.synthesis.of("SB_DFF")
    elif family is Family.ECP5:
        assert (taken.lut4, taken.ff) == (used["TRELLIS_COMB"], used["TRELLIS_FF"])
    else:
        assert (taken.lut4, taken.ff) == (used["LUT4"] + used["ALU"], used["DFF"])
        assert used["ALU"] == 0
    assert taken.lut4 > 20
    assert (taken.block_ram, taken.spram, taken.dsp) == (0, 0, 0)


def test_capacity_is_what_place_and_route_finds(smoke: Smoked) -> None:
    found, board = smoke.build.best.available, smoke.plan.board
    names = {
        Family.ICE40: ("ICESTORM_LC", "ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP"),
        Family.ECP5: ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D"),
        Family.GOWIN: ("LUT4", "DFF", "BSRAM", "MULT18X18"),
    }[board.family]
    capacity = (
        board.capacity.lut4,
        board.capacity.ff,
        board.capacity.block_ram,
        board.capacity.dsp,
    )
    assert tuple(found[name] for name in names) == capacity
    assert found.get("ICESTORM_SPRAM", 0) == board.capacity.spram


def test_carry_cells_on_gowin_end_the_build_before_place_and_route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toreq_hw.boards.flow.plan._SYNTHESIS", {})
    with pytest.raises(ReportError, match=r"netlist for gowin must hold no ALU cell, found \d\d"):
        smoked("tang_nano_9k", tmp_path)
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["synthesis"]


def test_finished_stages_are_kept(ice40: Smoked) -> None:
    again = smoked("icebreaker", ice40.cache)
    ended = [event for event in again.events if event[1] is not None]
    assert ended
    assert all(cached for _, _, cached in ended)
    assert again.build == ice40.build
    assert not any(cached for _, seconds, cached in ice40.events if seconds is not None)
