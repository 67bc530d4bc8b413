"""OrangeCrab r0.2 with an ECP5-25F. It has no UART of its own: RX is pin 0 and TX pin 1."""

from toreq_hw.boards.board import Board, Family, UartPins
from toreq_hw.boards.devices import LFE5U_25F

BOARD = Board(
    name="orangecrab",
    title="OrangeCrab r0.2 (LFE5U-25F, speed grade 8)",
    family=Family.ECP5,
    platform="amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
    capacity=LFE5U_25F,
    oscillator="clk",
    oscillator_hz=48_000_000,
    clock_hz=80_000_000,
    pll="EHXPLLL",
    led=("rgb_led", 0),
    lanes=16,
    update_lanes=16,
    baud=1_000_000,
    loader="orangeCrab",
    uart=UartPins(rx="N17", tx="M18", attributes=(("IO_TYPE", "LVCMOS33"),)),
)
