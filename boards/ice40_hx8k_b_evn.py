"""iCE40-HX8K breakout board of Lattice: the fastest of its family, with little memory."""

from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.devices import ICE40HX8K

BOARD = Board(
    name="ice40_hx8k_b_evn",
    title="iCE40-HX8K breakout board",
    family=Family.ICE40,
    platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
    capacity=ICE40HX8K,
    oscillator="clk12",
    oscillator_hz=12_000_000,
    clock_hz=48_000_000,
    pll="SB_PLL40_CORE",  # the clock's pin J3 is no PLL pad
    led=("led", 0),
    lanes=8,
    update_lanes=8,
    baud=1_000_000,
    loader="ice40_generic",
)
