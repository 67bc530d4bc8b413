"""A report that lacks something or says something impossible is an error, never a number."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbench.synth.conftest import Smoked
from toreq_hw.boards.board import Family
from toreq_hw.boards.flow.plan import STAT
from toreq_hw.boards.flow.toolchain import LOG, REPORT
from toreq_hw.boards.tool_reports import bitstream, nextpnr_report, yosys_stat
from toreq_hw.boards.tool_reports.resources import resources
from toreq_hw.boards.tool_reports.yosys_stat import Synthesis
from toreq_hw.errors import ReportError
from toreq_hw.records.design import Placement

CLOCK_HZ = 24e6


def _tampered(source: Path, target: Path, change: Callable[[Any], None]) -> Path:
    content = json.loads(source.read_text())
    change(content)
    path = target / source.name
    path.write_text(json.dumps(content))
    return path


def _without(*names: str) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for name in names[:-1]:
            content = content[name]
        del content[names[-1]]

    return change


def _with(value: Any, *names: str) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for name in names[:-1]:
            content = content[name]
        content[names[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("design"), r"field design must be there"),
        (_without("design", "num_cells_by_type"), r"field design.num_cells_by_type must be there"),
        (_without("design", "num_processes"), r"field design.num_processes must be there"),
        (_with(2, "design", "num_memories"), r"num_memories must be 0 after synthesis, found 2"),
        (_with(9, "design", "num_cells"), r"num_cells must be \d+, found 9"),
        (_with(-1, "design", "num_cells_by_type", "SB_LUT4"), r"SB_LUT4 must be a count, found -1"),
        (_with("52", "design", "num_cells_by_type", "SB_LUT4"), r"SB_LUT4 must be a count"),
        (_with({}, "design", "num_cells_by_type"), r"num_cells must be 0"),
        (
            _with({"num_memories": 0, "num_memory_bits": 0, "num_processes": 0, "num_cells": 0,
                   "num_cells_by_type": {}}, "design"),
            r"must have cells, found none: all optimised away",
        ),
    ],
)  # fmt: skip
def test_synthesis(
    change: Callable[[Any], None], message: str, ice40: Smoked, tmp_path: Path
) -> None:
    (folder,) = ice40.stages("synthesis")
    with pytest.raises(ReportError, match=message):
        yosys_stat.parse(_tampered(folder / STAT, tmp_path, change))


def _other_unit(log: str) -> str:
    return log.replace(" MHz (", " kHz (")


def _other_number(log: str) -> str:
    head, _, tail = log.rpartition("Max frequency for clock")
    return head + "Max frequency for clock" + tail.replace(tail.split()[1], "1.00", 1)


def _silent(log: str) -> str:
    return log.replace("Max frequency", "Frequency")


def _slow_path(content: Any) -> None:
    for entry in content["critical_paths"]:
        for step in entry["path"]:
            step["delay"] /= 1000  # as if in microseconds


def _paths_elsewhere(content: Any) -> None:
    content["critical_paths"] = [p for p in content["critical_paths"] if p["from"] == "<async>"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("fmax"), r"field fmax must be there"),
        (_with({}, "fmax"), r"one clock must be reported, found \[\]"),
        (_without("fmax", "clk", "achieved"), r"field fmax.clk.achieved must be there"),
        (_without("fmax", "clk", "constraint"), r"field fmax.clk.constraint must be there"),
        (_with(12.0, "fmax", "clk", "constraint"), r"must be constrained to 24 MHz, found 12"),
        (_with(0, "fmax", "clk", "achieved"), r"achieved must be above 0, found 0"),
        (_with("70", "fmax", "clk", "achieved"), r"achieved must be a finite number, found '70'"),
        (_without("utilization"), r"field utilization must be there"),
        (_without("utilization", "ICESTORM_LC", "used"), r"ICESTORM_LC.used must be there"),
        (_with({"ICESTORM_LC": {"used": 0, "available": 5280}}, "utilization"), r"found none"),
        (_without("critical_paths"), r"field critical_paths must be there"),
        (_paths_elsewhere, r"a critical path of clock 'clk' must be there, found none"),
        (_slow_path, r"critical path must last .* ns at"),
    ],
)
def test_place_and_route(
    change: Callable[[Any], None], message: str, ice40: Smoked, tmp_path: Path
) -> None:
    folder = ice40.stages("place")[0]
    report = _tampered(folder / REPORT, tmp_path, change)
    with pytest.raises(ReportError, match=message):
        nextpnr_report.parse(report, folder / LOG, 1, CLOCK_HZ)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_unit, r"frequencies must be in MHz, found 'kHz'"),
        (_other_number, r"must reach .* MHz as reported, found 1.00"),
        (_silent, r"log must state the frequency of clock 'clk', found nothing"),
    ],
)
def test_log_of_place_and_route(
    change: Callable[[str], str], message: str, ice40: Smoked, tmp_path: Path
) -> None:
    folder = ice40.stages("place")[0]
    log = tmp_path / LOG
    log.write_text(change((folder / LOG).read_text()))
    with pytest.raises(ReportError, match=message):
        nextpnr_report.parse(folder / REPORT, log, 1, CLOCK_HZ)


def test_reports_that_are_no_json_or_absent(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"must be readable, found: No such file"):
        yosys_stat.parse(tmp_path / STAT)
    (tmp_path / STAT).write_text("{")
    with pytest.raises(ReportError, match=r"must be JSON"):
        yosys_stat.parse(tmp_path / STAT)
    (tmp_path / STAT).write_text("[]")
    with pytest.raises(ReportError, match=r"must hold an object, found \[\]"):
        yosys_stat.parse(tmp_path / STAT)


@pytest.mark.parametrize("family", list(Family))
def test_a_kind_of_cell_that_is_not_reported(family: Family) -> None:
    placement = Placement(1, 30.0, 24.0, {"IO": 3}, {"IO": 9}, ("a", "b", 33.3))
    with pytest.raises(ReportError, match=rf"for {family.value} must report \w+, found IO"):
        resources(family, Synthesis({}), placement)


@pytest.mark.parametrize("content", [b"", b"\0" * 200_000, b"// only comments\n"])
@pytest.mark.parametrize("family", list(Family))
def test_a_file_that_is_no_bitstream(family: Family, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "top.bin"
    with pytest.raises(ReportError, match=r"must be readable, found: No such file"):
        bitstream.parse(path, family)
    path.write_bytes(content)
    with pytest.raises(ReportError, match=rf"must be a bitstream for {family.value}"):
        bitstream.parse(path, family)


def test_a_bitstream_of_another_family(ice40: Smoked, tmp_path: Path) -> None:
    copy = shutil.copy(ice40.build.made, tmp_path)
    for family in (Family.ECP5, Family.GOWIN):
        with pytest.raises(ReportError, match=r"must be a bitstream for"):
            bitstream.parse(Path(copy), family)
