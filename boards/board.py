"""What a board is: a frozen record. Each board is one file that holds one."""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

from toreq_hw.extras import missing
from toreq_hw.records.design import Capacity


class Family(StrEnum):
    """Families of devices; each has its own tools, PLL and memories."""

    ICE40 = "ice40"
    ECP5 = "ecp5"
    GOWIN = "gowin"


@dataclass(frozen=True)
class UartPins:
    """A UART that the platform does not name: its pins, seen from the FPGA, and attributes."""

    rx: str
    tx: str
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Board:
    """One board.

    platform: `module:Class` of amaranth-boards. oscillator: the resource of the clock that feeds
    the PLL. clock_hz: of the core, out of the PLL. pll: the primitive. lanes, baud: what is built
    unless asked otherwise. update_lanes: neurons that are rounded at once, at most
    (rtl/parameters.py). loader: the board's name in openFPGALoader (its src/board.hpp). uart:
    resource 0 of that name, or pins that are added under it. led: the resource that blinks.
    weights_in_spram: rows of weights go to single-port blocks.
    """

    name: str
    title: str
    family: Family
    platform: str
    capacity: Capacity
    oscillator: str
    oscillator_hz: int
    clock_hz: int
    pll: str
    led: tuple[str, int]
    lanes: int
    update_lanes: int
    baud: int
    loader: str
    uart: UartPins | None = None
    weights_in_spram: bool = False

    def make_platform(self) -> Any:
        """A fresh platform of amaranth-boards, with a `uart` resource 0.

        Raises MissingDependencyError where amaranth-boards is not installed.
        """
        module_name, class_name = self.platform.split(":")
        try:
            platform = getattr(import_module(module_name), class_name)()
        except ModuleNotFoundError as error:
            raise missing(f"board {self.name}", error.name, "boards") from error
        if self.uart is not None:
            _add_uart(platform, self.uart)
        return platform


def _add_uart(platform: Any, pins: UartPins) -> None:
    from amaranth.build import Attrs
    from amaranth_boards.resources import UARTResource

    attributes = Attrs(**dict(pins.attributes))
    platform.add_resources([UARTResource(0, rx=pins.rx, tx=pins.tx, attrs=attributes)])
