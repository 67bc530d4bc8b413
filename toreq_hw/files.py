"""Writing results: a reader sees the whole file or the one that was there before.

Everything is written beside its destination and renamed over it, so a full disk, a crash or
Ctrl-C never leaves half a file.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toreq_hw.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the same folder; renames it to `path` if the body succeeds.

    Makes missing parent folders. Raises OutputError where the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
    except OSError as error:
        raise OutputError(f"{path}: folder must be writable, found: {error.strerror}") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: must be writable, found: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes `text` (UTF-8) to `path` in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, record: Any) -> None:
    """Writes a record as indented JSON in one step; NaN and infinities are refused."""
    write_text(path, json.dumps(record, indent=2, allow_nan=False) + "\n")


def _umask() -> int:
    """The process' umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
