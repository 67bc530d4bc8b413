"""ULX3S with an ECP5-25F."""

from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.devices import LFE5U_25F

BOARD = Board(
    name="ulx3s_25f",
    title="ULX3S (LFE5U-25F, speed grade 6)",
    family=Family.ECP5,
    platform="amaranth_boards.ulx3s:ULX3S_25F_Platform",
    capacity=LFE5U_25F,
    oscillator="clk25",
    oscillator_hz=25_000_000,
    clock_hz=80_000_000,
    pll="EHXPLLL",
    led=("led", 0),
    lanes=16,
    update_lanes=16,
    baud=1_000_000,
    loader="ulx3s",
)
