"""Sipeed Tang Nano 9K with a Gowin GW1NR-9."""

from toreq_hw.boards.board import Board, Family
from toreq_hw.boards.devices import GW1NR_9

BOARD = Board(
    name="tang_nano_9k",
    title="Tang Nano 9K (GW1NR-LV9QN88PC6/I5)",
    family=Family.GOWIN,
    platform="amaranth_boards.tang_nano_9k:TangNano9kPlatform",
    capacity=GW1NR_9,
    oscillator="clk27",
    oscillator_hz=27_000_000,
    clock_hz=45_000_000,
    pll="rPLL",
    led=("led", 0),
    lanes=8,
    update_lanes=8,
    baud=1_000_000,
    loader="tangnano9k",
)
