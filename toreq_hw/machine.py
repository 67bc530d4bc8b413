"""What the machine can tell, and what stands in where it cannot.

Linux has calls that macOS and Windows lack; a user may have no home, or one that cannot be
written to. Whoever needs to know asks here.
"""

import os
import tempfile
from pathlib import Path

import platformdirs

NOWHERE = Path(os.devnull) / "no-home"
"""A folder that nobody can make."""


def processors() -> int:
    """Processors that this process may use; all of the machine's where a system has no limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float | None:
    """Mean number of processes that ran or waited in the last minute; None where unknown."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def cache_folder() -> Path:
    """Where this user's caches lie. It need not exist; where there is no home it cannot be made."""
    # Without HOME and an entry of the user nothing says what `~` stands for: newer platformdirs
    # raise, older ones name a folder called `~` in whatever folder is at hand.
    try:
        folder = platformdirs.user_cache_path("toreq-hw")
    except RuntimeError:
        return NOWHERE
    return folder if folder.is_absolute() else NOWHERE


def writable(folder: Path) -> bool:
    """Whether files can be made in `folder`; it is made if it does not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
