"""One process at a time on what is kept between runs; a process that died holds nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from toreq_hw.errors import OutputError

_POLL_S = 0.2


def _silent(_message: str) -> None:
    """Nobody is told."""


@contextmanager
def lock(path: Path, tell: Callable[[str], None] = _silent) -> Iterator[None]:
    """While it lasts no other process has `path`; the lock lies beside it, as .NAME.lock.

    Where another process has it, `tell` gets one line and this one waits until that has ended or
    died: the system itself gives back the locks of the dead. Raises OutputError.
    """
    place = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            tell(f"{path}: another process is at work on it; waiting until it ends")
            lock.acquire(poll_interval=_POLL_S)
    except (OSError, NotImplementedError) as error:
        raise OutputError(f"{place}: must be a file that can be locked, found: {error}") from error
    try:
        yield
    finally:
        lock.release()
