"""Writing results: a reader sees the whole file or the one that was there before.

A file is written as a draft beside its destination, forced to disk and renamed over it. So a full
disk, a crash or Ctrl-C never leaves half a file. Devices, FIFOs and links are written through
(`destinations`). Files written within `together` take their places at its end.
"""

import json
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toreq_hw.destinations import Destination, Way, destination, open_through
from toreq_hw.errors import OutputError
from toreq_hw.interrupts import hold_interrupts
from toreq_hw.records import plain

INCOMPLETE = "INCOMPLETE"
"""File that lies in a folder while the files of one result take their places there.

Where it stays, the process was killed meanwhile: old and new files may lie side by side.
"""


@dataclass(frozen=True)
class _Draft:
    """A result that waits to take its place. made: folders that were made for it, outermost
    first.
    """

    place: Destination
    path: Path
    made: tuple[Path, ...] = ()

    def finish(self) -> None:
        """Forces the draft to disk, with the mode of what it replaces."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        if self.place.way is Way.REPLACED and self.place.exists:
            before = os.stat(self.place.target)
            self.path.chmod(before.st_mode & 0o7777)
            with suppress(OSError):  # only the superuser gives a file away
                os.chown(self.path, before.st_uid, before.st_gid)

    def discard(self) -> None:
        """Removes what has not taken its place, and folders made for it that hold nothing."""
        self.path.unlink(missing_ok=True)
        for folder in reversed(self.made):
            with suppress(OSError):
                folder.rmdir()

    def commit(self) -> None:
        """Puts the draft into its place."""
        if self.place.way is Way.REPLACED:
            self.path.replace(self.place.target)
            return
        with self.path.open("rb") as source:
            if self.place.way is Way.STANDARD_OUTPUT:
                _to_standard_output(source.read())
                return
            with os.fdopen(open_through(self.place), "wb") as sink:
                shutil.copyfileobj(source, sink)


_TOGETHER: ContextVar[list[_Draft] | None] = ContextVar("together", default=None)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path; what the body writes there takes the place of `path` at its end.

    Makes missing parent folders. Raises OutputError where `path` cannot be written to.
    """
    place = destination(path)
    with _explain(path), ExitStack() as cleanup:
        made = _made_folders(place)
        draft = _Draft(place, _new_file(place), made)
        cleanup.callback(draft.discard)
        yield draft.path
        draft.finish()
        group = _TOGETHER.get()
        if group is None:
            _commit([draft])
        else:
            group.append(draft)
            cleanup.pop_all()


@contextmanager
def together() -> Iterator[None]:
    """Files that the body writes take their places at its end: all of them, or none.

    An error or an interrupt leaves every file as it was before. What goes to a device or to
    standard output follows the files.
    """
    if _TOGETHER.get() is not None:
        yield
        return
    drafts: list[_Draft] = []
    token = _TOGETHER.set(drafts)
    try:
        try:
            yield
        finally:
            _TOGETHER.reset(token)
        _commit(drafts)
    finally:
        for draft in reversed(drafts):
            draft.discard()


def draft_of(path: Path) -> Path:
    """Where what was written to `path` can be read now: its draft within `together`, or `path`."""
    drafts = _TOGETHER.get() or []
    return next((draft.path for draft in reversed(drafts) if draft.place.path == path), path)


def write_text(path: Path, text: str) -> None:
    """Writes `text` (UTF-8) to `path` in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path` in one step."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, record: Any) -> None:
    """Writes a record as indented JSON in one step; NaN and infinities are refused.

    Numbers of one list stand on one line.
    """
    text = json.dumps(record, indent=2, allow_nan=False, default=plain)
    write_text(path, _NUMBERS.sub(_on_one_line, text) + "\n")


_NUMBERS = re.compile(r"\[\n[^\[\]{}\"]*\]")
"""A list in indented JSON that holds neither text nor lists: text has no line ends of its own."""


def _on_one_line(found: re.Match[str]) -> str:
    return " ".join(found.group().split()).replace("[ ", "[").replace(" ]", "]")


def write_records(record: Any, *paths: Path | None) -> None:
    """The same record to each path that is not None."""
    for path in paths:
        if path is not None:
            write_json(path, record)


def _made_folders(place: Destination) -> tuple[Path, ...]:
    """Makes the folders that a result is missing, and says which, outermost first."""
    if place.way is not Way.REPLACED:
        return ()
    folder = place.target.parent
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(reversed(missing))


def _new_file(place: Destination) -> Path:
    """An empty file beside the destination; of what is written through, in the system's folder."""
    if place.way is not Way.REPLACED:
        handle, name = tempfile.mkstemp(prefix="toreq-hw-")
        os.close(handle)
        return Path(name)
    folder = place.target.parent
    path = folder / f".{place.target.name[:50]}.{secrets.token_hex(6)}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return path


def _commit(drafts: list[_Draft]) -> None:
    """Puts drafts into their places, those that replace files first and without interruption."""
    files = [draft for draft in drafts if draft.place.way is Way.REPLACED]
    for draft in drafts:
        destination(draft.place.path)  # still a place that can be written
    with hold_interrupts(), _mark(files):
        for draft in files:
            with _explain(draft.place.path):
                draft.commit()
        for folder in {draft.place.target.parent for draft in files}:
            _force(folder)
    for draft in drafts:
        if draft not in files:
            with _explain(draft.place.path):
                draft.commit()


@contextmanager
def _mark(files: list[_Draft]) -> Iterator[None]:
    """While several files take their places, a marker lies in each of their folders."""
    if len(files) < 2:
        yield
        return
    markers = {draft.place.target.parent / INCOMPLETE for draft in files}
    for marker in markers:
        names = sorted(f.place.target.name for f in files if f.place.target.parent == marker.parent)
        with _explain(marker):
            marker.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
            _force(marker.parent)
    yield
    for marker in markers:
        marker.unlink(missing_ok=True)


def _force(folder: Path) -> None:
    """Forces a folder's entries to disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _to_standard_output(content: bytes) -> None:
    """Writes bytes behind what was printed before; text streams without bytes get the text."""
    stream = sys.stdout
    if stream is None or sys.__stdout__ is None:  # closed by the shell
        raise OutputError("standard output: must be writable, found it closed")
    stream.flush()
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(content.decode("utf-8", "backslashreplace"))
    else:
        buffer.write(content)
    stream.flush()


@contextmanager
def _explain(path: Path) -> Iterator[None]:
    """Turns the system's refusal into one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{path}: must be writable, found: {reason}") from error
