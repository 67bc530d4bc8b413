"""ULX3S with an ECP5-85F."""

from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.devices import LFE5U_85F

BOARD = Board(
    name="ulx3s_85f",
    title="ULX3S (LFE5U-85F, speed grade 6)",
    family=Family.ECP5,
    platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
    capacity=LFE5U_85F,
    oscillator="clk25",
    oscillator_hz=25_000_000,
    clock_hz=80_000_000,
    pll="EHXPLLL",
    led=("led", 0),
    lanes=64,
    update_lanes=16,
    baud=1_000_000,
    loader="ulx3s",
)
