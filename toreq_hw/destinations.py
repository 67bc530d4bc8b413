"""What an output path is, and how it may be written: replaced by rename, or written through.

| the path is | it is written by |
|---|---|
| a regular file, or nothing yet | a draft beside it, which is renamed over it |
| a symbolic link | the same at the file that the link names; the link stays |
| a character device (`/dev/null`), a FIFO | opening it and writing into it |
| `/dev/stdout`, `/dev/fd/1`, `-` on a command line | this process' standard output |

A folder, a socket, a block device (its content would be a disk's) and a link that leads to no
folder are refused. A FIFO must have a reader within `FIFO_WAIT_S` seconds.
"""

import errno
import os
import stat
import tempfile
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from toreq_hw.errors import OutputError

STANDARD_OUTPUT = Path("/dev/stdout")
_STANDARD_OUTPUT = frozenset({"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})

FIFO_WAIT_S = 5.0
"""A FIFO that nobody has opened for reading by then is refused."""

Identity = tuple[object, ...]


class Way(Enum):
    """How a destination is written."""

    REPLACED = "replaced"
    THROUGH = "through"
    STANDARD_OUTPUT = "standard output"


@dataclass(frozen=True)
class Destination:
    """path: as asked for. target: what is written, links followed. exists: something is there.

    identity: equal for two paths exactly if they name one file, whatever links lead to it.
    shareable: two results may go to it, because a device keeps nothing.
    """

    path: Path
    target: Path
    way: Way
    identity: Identity
    exists: bool = True
    shareable: bool = False


def destination(path: Path) -> Destination:
    """How `path` is written. Raises OutputError for a path that no result can be written to."""
    if os.fspath(path) in _STANDARD_OUTPUT:
        return Destination(path, path, Way.STANDARD_OUTPUT, ("standard output",))
    target = Path(os.path.realpath(path))
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return _absent(path, target)
    except OSError as error:
        raise OutputError(f"{path}: must be writable, found: {error.strerror}") from error
    identity = (status.st_dev, status.st_ino)
    if stat.S_ISREG(status.st_mode):
        return Destination(path, target, Way.REPLACED, identity)
    if stat.S_ISCHR(status.st_mode) or stat.S_ISFIFO(status.st_mode):
        device = stat.S_ISCHR(status.st_mode)
        return Destination(path, path, Way.THROUGH, identity, shareable=device)
    found = {stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a block device"}
    kind = found.get(stat.S_IFMT(status.st_mode), "something else")
    raise OutputError(f"{path}: must be a file, found {kind}")


def _absent(path: Path, target: Path) -> Destination:
    """A path at which nothing is; its folder may be made, but not the one that a link names."""
    if path.is_symlink() and not target.parent.is_dir():
        raise OutputError(
            f"{path}: must be a link into a folder that exists, found a link to {target}"
        )
    folder = target.parent
    identity: Identity = (os.fspath(folder), target.name)
    if folder.is_dir():
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino, target.name)
    return Destination(path, target, Way.REPLACED, identity, exists=False)


def check_destination(path: Path) -> Destination:
    """The destination, if it can be written to; makes no folder and changes nothing.

    A FIFO is opened, so that its reader waits for the result. Raises OutputError.
    """
    place = destination(path)
    if place.way is Way.REPLACED:
        check_folder(place.target.parent)
    if place.way is Way.THROUGH and stat.S_ISFIFO(os.stat(path).st_mode):
        _HELD.setdefault(place.identity, _open(place))
    elif place.way is not Way.STANDARD_OUTPUT and place.exists and not os.access(path, os.W_OK):
        raise OutputError(f"{path}: must be writable, found: {os.strerror(errno.EACCES)}")
    return place


def check_folder(folder: Path) -> None:
    """Refuses a folder in which no file can be made; one that is absent stays so.

    Raises OutputError.
    """
    try:
        nearest = next(p for p in (folder, *folder.absolute().parents) if os.path.lexists(p))
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise OutputError(
            f"{folder}: must be a writable folder, found: {error.strerror}"
        ) from error


_HELD: dict[Identity, int] = {}
"""FIFOs that were opened before the work, by identity."""


def open_through(place: Destination) -> int:
    """A descriptor that writes into a device or FIFO. Raises OutputError."""
    held = _HELD.pop(place.identity, None)
    return _open(place) if held is None else held


def release_held() -> None:
    """Closes the FIFOs that were opened and got no result; their readers see the end."""
    while _HELD:
        os.close(_HELD.popitem()[1])


def _open(place: Destination) -> int:
    """Opens what is written through, and waits a while for the reader of a FIFO."""
    deadline = time.monotonic() + FIFO_WAIT_S
    while True:
        try:
            descriptor = os.open(place.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            if error.errno == errno.ENXIO and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            reason = error.strerror
            if error.errno == errno.ENXIO:
                reason = f"a FIFO that nobody reads for {FIFO_WAIT_S:g} s"
            raise OutputError(f"{place.path}: must be writable, found: {reason}") from error
        os.set_blocking(descriptor, True)
        return descriptor
