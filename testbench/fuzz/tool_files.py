"""Reports of tools as Yosys and nextpnr write them, in small; and how they are read."""

import json
from pathlib import Path

from toreq_hw.boards.board import Family
from toreq_hw.boards.tool_reports import bitstream, contents, nextpnr_report, yosys_stat
from toreq_hw.rtl.images import MemoryImages

_CLOCK_HZ = 24e6
_IMAGES = MemoryImages(stores=[[3, 1, 0, 2]], rest=[])

_STAT = {
    "creator": "Yosys",
    "design": {
        "num_wires": 4,
        "num_memories": 0,
        "num_memory_bits": 0,
        "num_processes": 0,
        "num_cells": 12,
        "num_cells_by_type": {"SB_LUT4": 9, "SB_DFF": 2, "$scopeinfo": 1},
    },
}
_PATH = [
    {"delay": 30.0, "from": {"cell": "a", "port": "O"}, "to": {"cell": "b", "port": "I"}},
    {"delay": 10.0, "from": {"cell": "b", "port": "O"}, "to": {"cell": "c", "port": "D"}},
]
_REPORT = {
    "critical_paths": [{"from": "posedge clk", "to": "posedge clk", "path": _PATH}],
    "fmax": {"clk": {"achieved": 25.0, "constraint": 24.0}},
    "utilization": {"ICESTORM_LC": {"available": 5280, "used": 9}},
}
_LOG = (
    "Info: Max frequency for clock 'clk': 21.00 MHz (FAIL at 24.00 MHz)\n"
    "Info: \t ICESTORM_LC:      9/   5280     0%\n"
    "Info: Max frequency for clock 'clk': 25.00 MHz (PASS at 24.00 MHz)\n"
)
_CELLS = {
    "design.core.store0.0": {"type": "SB_RAM40_4K", "parameters": {"INIT_0": "10110x1"}},
    "design.core.store0.lut": {"type": "SB_LUT4", "parameters": {"LUT_INIT": "1111"}},
}


def stats(_: Path) -> list[bytes]:
    return [json.dumps(_STAT).encode()]


def reports(_: Path) -> list[bytes]:
    return [json.dumps(_REPORT).encode()]


def logs(_: Path) -> list[bytes]:
    return [_LOG.encode()]


def netlists(_: Path) -> list[bytes]:
    return [json.dumps({"modules": {"top": {"cells": _CELLS}}}).encode()]


def bitstreams(_: Path) -> list[bytes]:
    return [bytes.fromhex("ff00007eaa997e") + bytes(40), b"// x\n0101\n1100\n"]


def read_stat(path: Path) -> None:
    yosys_stat.parse(path)


def read_report(path: Path) -> None:
    log = path.with_name("place.log")
    log.write_text(_LOG, encoding="utf-8")
    nextpnr_report.parse(path, log, 1, _CLOCK_HZ)


def read_log(path: Path) -> None:
    report = path.with_name("report.json")
    report.write_text(json.dumps(_REPORT), encoding="utf-8")
    nextpnr_report.parse(report, path, 1, _CLOCK_HZ)


def read_netlist(path: Path) -> None:
    contents.check_contents(path, _IMAGES)


def read_bitstream(path: Path) -> None:
    content = path.read_bytes()
    family = Family.GOWIN if content.startswith(b"//") else Family.ICE40
    bitstream.parse(path, family)
