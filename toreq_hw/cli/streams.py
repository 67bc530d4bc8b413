"""Standard output and standard error while a command runs: a full disk or a closed pipe is said.

What cannot be written to standard output ends the command with one line; a closed pipe ends it
quietly, with the status of SIGPIPE. What cannot be written
to standard error is lost: it is only told, and the work goes on.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from toreq_hw.errors import ClosedPipeError, OutputError

STREAM_ERRORS = frozenset({errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBADF})
"""How writing into an open stream fails."""


_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""By the number of their file descriptor, with the mode of each."""


def open_closed_streams() -> None:
    """Gives the null device to each standard stream that the process was started without.

    A file opened later would get the stream's descriptor, and libraries flush `sys.stdout`.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            taken = os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor, which is `number`
            os.set_inheritable(taken, True)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 (it stays)
            setattr(sys, name, stream)


class GuardedStream:
    """A stream whose failures go to `refuse`; everything else is the stream's own."""

    def __init__(
        self,
        stream: Any,
        refuse: Callable[[OSError], None],
        note_output: Callable[[], None] = lambda: None,
    ) -> None:
        self._stream = stream
        self._refuse = refuse
        self._last_output = note_output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def buffer(self) -> "GuardedStream":
        """The bytes below a text stream, guarded alike. Raises AttributeError without any."""
        return GuardedStream(self._stream.buffer, self._refuse, self._last_output)

    def write(self, content: Any) -> Any:
        """As the stream's; a failure is refused."""
        if content == "":
            return 0
        self._last_output()
        try:
            return self._stream.write(content)
        except OSError as error:
            self._refuse(error)
        return len(content)

    def flush(self) -> None:
        """As the stream's; a failure is refused."""
        try:
            self._stream.flush()
        except OSError as error:
            self._refuse(error)


@contextmanager
def guarded_streams(note_output: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Guards both streams. Raises OutputError where standard output cannot be written, and
    ClosedPipeError where nobody reads it.

    Characters that the streams' encoding lacks are printed as escapes. note_output: called before
    something is written to standard error.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    failures: list[OutputError] = []

    def refuse(error: OSError) -> None:
        kind = ClosedPipeError if error.errno == errno.EPIPE else OutputError
        failures.append(
            kind(f"standard output: must be writable, found: {error.strerror or error}")
        )
        silence_output()
        raise failures[0] from error

    if before[0] is not None:
        sys.stdout = _as_stream(GuardedStream(before[0], refuse))
    if before[1] is not None:
        sys.stderr = _as_stream(GuardedStream(before[1], lambda _: None, note_output))
    try:
        yield
        if before[0] is not None:
            sys.stdout.flush()
        if failures:  # somebody between here and there kept it to himself
            raise failures[0]
    finally:
        sys.stdout, sys.stderr = before


def silence_output() -> None:
    """Standard output leads nowhere from now on, so that the interpreter's end does not fail."""
    with suppress(OSError, ValueError, AttributeError):
        if sys.__stdout__ is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.__stdout__.fileno())
            os.close(nowhere)


def _as_stream(stream: Any) -> IO[str]:
    """A guarded stream has all that a text stream has, but not its type."""
    found: IO[str] = stream
    return found
