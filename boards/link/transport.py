"""How bytes get to a board and back: a serial port, or anything else of the same shape."""

import errno
import time
from typing import Protocol

from toreq_hw.errors import LinkError
from toreq_hw.extras import missing

SLACK_S = 1.0
"""What a USB adapter may add to an answer, in a hurry some milliseconds. A host that comes late
reads what lies there before it gives up, and every request is sent `ATTEMPTS` times."""


class Transport(Protocol):
    """A line of bytes to one board.

    name: for messages. baud: bits a second. slack_s: what an answer may be late, beyond the time
    that its bytes and the board's work take.
    """

    name: str
    baud: float
    slack_s: float

    def now(self) -> float:
        """Seconds, from any beginning, on the clock that `read` waits by."""

    def write(self, data: bytes) -> None:
        """Sends all of `data`. Raises LinkError."""

    def read(self, timeout_s: float) -> bytes:
        """At least one byte, or none after `timeout_s`. Raises LinkError."""

    def close(self) -> None:
        """Gives the line back."""


class SerialTransport:
    """A serial port, held for this process alone. Raises LinkError where it cannot be had."""

    def __init__(self, port: str, baud: int) -> None:
        try:
            import serial
        except ModuleNotFoundError as error:
            raise missing("a serial port", "pyserial", "boards") from error
        self._failure = (serial.SerialException, OSError)
        try:
            self._port = serial.Serial(port, baud, exclusive=True, write_timeout=5)
        except self._failure as error:
            raise LinkError(f"port {port}: {_reason(error)}") from error
        self.name, self.baud, self.slack_s = port, float(baud), SLACK_S

    def now(self) -> float:
        """Of the host's monotonic clock."""
        return time.monotonic()

    def write(self, data: bytes) -> None:
        """Hands all bytes to the driver. Raises LinkError where the port takes none."""
        try:
            self._port.write(data)
        except self._failure as error:
            raise LinkError(f"port {self.name}: must take bytes, found: {error}") from error

    def read(self, timeout_s: float) -> bytes:
        """The first byte that comes, and all that came with it.

        Raises LinkError where the port is gone.
        """
        try:
            self._port.timeout = max(0.0, timeout_s)
            data: bytes = self._port.read(1)
            return data + self._port.read(self._port.in_waiting) if data else data
        except self._failure as error:
            raise LinkError(f"port {self.name}: must stay connected, found: {error}") from error

    def close(self) -> None:
        """Lets others have the port."""
        self._port.close()


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY) or "exclusively lock" in str(error):
        return "must be free, found: another program holds it"
    if number == errno.ENOENT:
        return "must be present, found: no such port; is the board plugged in?"
    if number == errno.EACCES:
        return "must be yours to open, found: no permission; join its group (dialout)"
    return f"must be a serial port, found: {_said(error)}"


def _said(error: Exception) -> str:
    """The system's words alone where pyserial shows them as a pair of number and words."""
    system: tuple[object, ...] = getattr(error.__context__, "args", ())
    return str(system[1]) if len(system) == 2 else str(error)
