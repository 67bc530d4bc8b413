"""The simulated board without its UART: the same link and core, a byte a few cycles after another.

Campaigns of many frames run on it; the UART has tests of its own.
"""

import ctypes
from pathlib import Path

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.boards.link.gateware import FrameLink
from toreq_hw.boards.link.simulated import compile_design
from toreq_hw.boards.system import add_core
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters

CLOCK_HZ = 24_000_000
BYTE_CYCLES = 8
"""Between two bytes, either way; the link must cope with 4, a UART takes 40 or more."""

_DRIVER = Path(__file__).with_name("byte_driver.cpp")


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


class ByteTransport:
    """A `ByteSystem` just switched on, as a line to a host. Time is the board's."""

    def __init__(self, library: Path, byte_cycles: int = BYTE_CYCLES) -> None:
        self.name = "bytes"
        self.baud = 10 * CLOCK_HZ / byte_cycles
        self.slack_s = 200 / CLOCK_HZ
        self._library = ctypes.CDLL(str(library.resolve()))
        self._library.board_new.restype = ctypes.c_void_p
        self._library.board_cycle.restype = ctypes.c_int64
        self._board = ctypes.c_void_p(self._library.board_new(ctypes.c_int64(byte_cycles)))

    @property
    def cycles(self) -> int:
        """Clock cycles since the board was switched on."""
        return int(self._library.board_cycle(self._board))

    def now(self) -> float:
        """Seconds since the board was switched on, of its own clock."""
        return self.cycles / CLOCK_HZ

    def write(self, data: bytes) -> None:
        """Puts bytes into the line; they travel while `read` or `wait` run."""
        self._library.board_write(self._board, data, ctypes.c_int64(len(data)))

    def read(self, timeout_s: float) -> bytes:
        """One byte, or none; at least a cycle passes."""
        return self.wait(max(1, round(timeout_s * CLOCK_HZ)), 1)

    def wait(self, quiet: int, most: int = 1 << 12, closed: int | None = None) -> bytes:
        """Bytes that come in, until the line rests for `quiet` cycles both ways, or `most`.

        closed: as `quiet`, but behind the end of a frame.
        """
        rests = (ctypes.c_int64(quiet), ctypes.c_int64(quiet if closed is None else closed))
        into = ctypes.create_string_buffer(most)
        count = self._library.board_wait(self._board, into, ctypes.c_int64(most), *rests)
        return into.raw[:count]

    def close(self) -> None:
        """Frees the model; it cannot be used afterwards."""
        self._library.board_free(self._board)


def compile_byte_system(parameters: CoreParameters, images: MemoryImages) -> Path:
    """The library of a `ByteSystem`."""
    return compile_design(ByteSystem(parameters, images), _DRIVER)
