"""Standard output and standard error while a command runs: a full disk or a closed pipe is said.

What cannot be written to standard output ends the command with one line. What cannot be written
to standard error is lost: it is only told, and the work goes on.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from toreq_hw.errors import OutputError

STREAM_ERRORS = frozenset({errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EBADF})
"""How writing into an open stream fails."""


class GuardedStream:
    """A stream whose failures go to `refuse`; everything else is the stream's own."""

    def __init__(self, stream: Any, refuse: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._refuse = refuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def buffer(self) -> "GuardedStream":
        """The bytes below a text stream, guarded alike. Raises AttributeError without any."""
        return GuardedStream(self._stream.buffer, self._refuse)

    def write(self, content: Any) -> Any:
        """As the stream's; a failure is refused."""
        if content == "":
            return 0
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
def guarded_streams() -> Iterator[None]:
    """Guards both streams. Raises OutputError where standard output cannot be written.

    Characters that the streams' encoding lacks are printed as escapes.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    failures: list[OutputError] = []

    def refuse(error: OSError) -> None:
        failures.append(
            OutputError(f"standard output: must be writable, found: {error.strerror or error}")
        )
        silence_output()
        raise failures[0] from error

    if before[0] is not None:
        sys.stdout = _as_stream(GuardedStream(before[0], refuse))
    if before[1] is not None:
        sys.stderr = _as_stream(GuardedStream(before[1], lambda _: None))
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
