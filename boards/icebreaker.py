"""iCEBreaker: the smallest one, with a megabit of single-port RAM for the weights."""

from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.devices import ICE40UP5K

BOARD = Board(
    name="icebreaker",
    title="iCEBreaker (iCE40UP5K)",
    family=Family.ICE40,
    platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
    capacity=ICE40UP5K,
    oscillator="clk12",
    oscillator_hz=12_000_000,
    clock_hz=24_000_000,
    pll="SB_PLL40_PAD",  # pin 35 is the pad that feeds the PLL and nothing else
    led=("led", 0),
    lanes=16,
    update_lanes=4,
    baud=1_000_000,
    loader="ice40_generic",
    weights_in_spram=True,
)
