"""What the machine can tell, and what stands in where it cannot.

Linux has calls that macOS and Windows lack; a user may have no home, or one that cannot be
written to. Whoever needs to know asks here.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import platformdirs

NOWHERE = Path(os.devnull) / "no-home"
"""A folder that nobody can make."""


_CACHES = ("MPLCONFIGDIR", "YOWASP_CACHE_DIR")
"""Variables that name the folders of Matplotlib's fonts and of compiled tools."""


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


def lend_caches() -> None:
    """Lends other packages a temporary folder where the user's own cannot be written to.

    Matplotlib would say so in two lines, a YoWASP tool would end with a traceback. Processes that
    this one starts use the folder too; it is removed when this one ends.
    """
    if writable(cache_folder()):
        return
    wanted = [name for name in _CACHES if name not in os.environ]
    if not wanted:
        return
    folder = tempfile.mkdtemp(prefix="toreq-hw-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in wanted:
        os.environ[name] = str(Path(folder, name.lower()))


def writable(folder: Path) -> bool:
    """Whether files can be made in `folder`; it is made if it does not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
