"""The blocks of memory that a network is refused for are the blocks that the tools take."""

from pathlib import Path

import numpy as np
import pytest

from testbench.networks import with_random_weights
from testbench.synth.conftest import OF_EACH_FAMILY
from toreq_hw.boards import registry
from toreq_hw.boards.clock.clocking import solve
from toreq_hw.boards.fit.check import check_fit, check_learning_fit
from toreq_hw.boards.fit.memories import blocks, memories, single_port_blocks
from toreq_hw.boards.flow.build import run_synthesis
from toreq_hw.boards.flow.plan import STAT, plan
from toreq_hw.boards.flow.tools import Tools
from toreq_hw.boards.system import System
from toreq_hw.boards.tool_reports import yosys_stat
from toreq_hw.boards.tool_reports.contents import check_contents
from toreq_hw.errors import ReportError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.rtl.images import MemoryImages

BLOCKS = {
    "icebreaker": ("SB_RAM40",),
    "ulx3s_25f": ("DP16KD",),
    "tang_nano_9k": ("SP", "SDP", "DP"),
}
"""Prefixes of the cells that are blocks."""


@pytest.mark.parametrize(("lanes", "learn_lanes"), [(4, 4), (4, 1)])
def test_latents_are_in_the_netlist(lanes: int, learn_lanes: int, tmp_path: Path) -> None:
    """In blocks as counted, and with the contents that they are to have, a memory or one a lane."""
    board, draw = registry.get("ulx3s_25f"), np.random.default_rng(1)
    blank = layered((96, 64, 10), WeightFormat.INT8, (7, 6))
    network = with_random_weights(blank, draw)
    bits = {coupling.name: 12 for coupling in network.couplings}
    parameters = check_learning_fit(board, network, lanes, learn_lanes, bits)
    images, pll = MemoryImages.of(network, parameters), solve(board)
    system = System(parameters, images, round(pll.output_hz), board.baud)
    planned = plan(board, pll, system, system.loaded, ())
    with Tools() as tools:
        done = run_synthesis(planned, tools, tmp_path)
    netlist = done.folder / planned.toolchain.netlist
    check_contents(netlist, images)
    cells = yosys_stat.parse(done.folder / STAT)
    assert cells.of("DP16KD") == sum(blocks(m, board.family) for m in memories(parameters)) > 4
    images.stores[0][5] ^= 1
    with pytest.raises(ReportError, match=r"store0 must start with"):
        check_contents(netlist, images)


@pytest.mark.parametrize(
    ("name", "threshold"), [*((name, None) for name in OF_EACH_FAMILY), ("icebreaker", 2)]
)
def test_blocks_are_those_of_yosys(name: str, threshold: int | None, tmp_path: Path) -> None:
    board, draw = registry.get(name), np.random.default_rng(1)
    blank = layered((64, 32, 10), WeightFormat.TERNARY, (4, 3), state_bits=4)
    network = with_random_weights(blank, draw)
    parameters, pll = check_fit(board, network, 4, threshold), solve(board)
    images = MemoryImages.of(network, parameters)
    system = System(parameters, images, round(pll.output_hz), board.baud)
    with Tools() as tools:
        done = run_synthesis(plan(board, pll, system, system.loaded, ()), tools, tmp_path)
    cells = yosys_stat.parse(done.folder / STAT)
    spram = board.capacity.spram
    single = [m for m in memories(parameters) if spram and not m.initialised]
    other = [m for m in memories(parameters) if m not in single]
    assert cells.of(*BLOCKS[name]) == sum(blocks(m, board.family) for m in other) > 1
    assert cells.of("SB_SPRAM") == sum(single_port_blocks(m) for m in single)
