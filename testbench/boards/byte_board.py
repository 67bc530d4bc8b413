"""The simulated board without its UART: the same link and core, a byte a few cycles after another.

Campaigns of many frames run on it; the UART has tests of its own.
"""

import ctypes
from pathlib import Path

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.boards.link import simulated
from toreq_hw.boards.link.gateware import FrameLink
from toreq_hw.boards.link.simulated import FOLDER, TOP, Line
from toreq_hw.boards.system import add_core
from toreq_hw.rtl.compiled_model import CompiledModel, compile_design
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters

CLOCK_HZ = 24_000_000
BYTE_CYCLES = 8
"""Between two bytes, either way; the link must cope with 4, a UART takes 40 or more."""

_DRIVERS = [
    Path(simulated.__file__).with_name("line.hpp"),
    Path(__file__).with_name("byte_driver.cpp"),
]


class ByteSystem(wiring.Component):
    """A link and a core, joined as in `System`, with the ports of `FrameLink`."""

    def __init__(self, parameters: CoreParameters, images: MemoryImages) -> None:
        self._link = FrameLink(parameters, CLOCK_HZ)
        self._core = Core(parameters, images)
        super().__init__(
            {
                "data": In(8),
                "valid": In(1),
                "byte": Out(8),
                "sends": Out(1),
                "ready": In(1),
                "loaded": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connects the link to the core, whose reset it holds."""
        m = Module()
        link = self._link
        m.submodules.link = link
        m.d.comb += [
            link.data.eq(self.data),
            link.valid.eq(self.valid),
            link.bytes.ready.eq(self.ready),
            self.byte.eq(link.bytes.payload),
            self.sends.eq(link.bytes.valid),
            self.loaded.eq(link.loaded),
        ]
        add_core(m, link.core, self._core)
        return m


class ByteTransport(Line):
    """A `ByteSystem` just switched on, as a line to a host. Time is the board's."""

    def __init__(self, library: Path, byte_cycles: int = BYTE_CYCLES) -> None:
        super().__init__(CompiledModel(library), CLOCK_HZ, byte_cycles)
        self.name = "bytes"
        self.baud = 10 * CLOCK_HZ / byte_cycles
        self.slack_s = 200 / CLOCK_HZ

    def read(self, timeout_s: float) -> bytes:
        """One byte, or none; at least a cycle passes."""
        return self.wait(max(1, round(timeout_s * CLOCK_HZ)), 1)

    def wait(self, quiet: int, most: int = 1 << 12, closed: int | None = None) -> bytes:
        """Bytes that come in, until the line rests for `quiet` cycles both ways, or `most`.

        closed: as `quiet`, but behind the end of a frame.
        """
        into = ctypes.create_string_buffer(most)
        rests = (quiet, quiet if closed is None else closed)
        count = self.model.call("board_wait", into, most, *rests)
        return into.raw[:count]


def compile_byte_system(parameters: CoreParameters, images: MemoryImages) -> Path:
    """The library of a `ByteSystem`."""
    system = ByteSystem(parameters, images)
    return compile_design(system, "system", FOLDER, drivers=_DRIVERS, top=TOP)
