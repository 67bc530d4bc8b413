"""A board in simulation: the whole system, compiled by CXXRTL, behind a UART of bits."""

from pathlib import Path

from toreq_hw.boards.system import System
from toreq_hw.rtl.compiled_model import CompiledModel, compile_design, compile_model
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters

TOP = "toreq_system"
"""Name of the top module."""

FOLDER = Path("build/boards/cxxrtl")
CYCLES_PER_BIT = 4
"""As fast as the receiver allows: nobody learns anything while a bit waits."""

_DRIVERS = [Path(__file__).with_name(name) for name in ("line.hpp", "system_driver.cpp")]


class Line:
    """A compiled board just switched on, behind a line of bytes. Time is the board's own.

    model: with the functions of line.hpp. spacing: cycles a bit, or from byte to byte.
    """

    def __init__(self, model: CompiledModel, clock_hz: int, spacing: int) -> None:
        self.model = model
        self.clock_hz = clock_hz
        model.call("board_space", spacing)

    @property
    def cycles(self) -> int:
        """Clock cycles since the board was switched on."""
        return self.model.call("board_cycle")

    def now(self) -> float:
        """Seconds since the board was switched on, of its own clock."""
        return self.cycles / self.clock_hz

    def write(self, data: bytes) -> None:
        """Puts bytes into the line; they travel while bytes are read."""
        self.model.call("board_write", data, len(data))

    def close(self) -> None:
        """Frees the model; it cannot be used afterwards."""
        self.model.close()


class SimulatedTransport(Line):
    """A simulated board, just switched on.

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
        super().__init__(CompiledModel(library), clock_hz, cycles_per_bit)
        self.name = "sim"
        self.baud = clock_hz / cycles_per_bit
        self.slack_s = 100 / self.baud
        self._period = round((sender_cycles or cycles_per_bit) * 65536)

    def read(self, timeout_s: float) -> bytes:
        """One byte, or none; at least a cycle passes."""
        limit = max(1, round(timeout_s * self.clock_hz))
        byte = self.model.call("board_read", self._period, limit)
        return b"" if byte < 0 else bytes([byte])


def compile_system(
    parameters: CoreParameters,
    images: MemoryImages,
    clock_hz: int,
    cycles_per_bit: int = CYCLES_PER_BIT,
    folder: Path = FOLDER,
) -> Path:
    """The library of a system, compiled into `folder`; an unchanged one is kept."""
    system = System(parameters, images, clock_hz, clock_hz // cycles_per_bit)
    return compile_design(system, "system", folder, drivers=_DRIVERS, top=TOP)


def compile_netlist(model: str, folder: Path) -> Path:
    """The library of a CXXRTL model of a system, such as that of its cells."""
    return compile_model(model, "system", folder, drivers=_DRIVERS, top=TOP)
