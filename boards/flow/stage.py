"""Stages of a build: each one's folder appears when it is finished, and is never made twice."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toreq_hw.boards.flow.tools import StoppedError
from toreq_hw.boards.tool_reports import report_file
from toreq_hw.errors import BuildError, OutputError

FOLDER = Path("build/synth")
"""Takes a folder a board, with the bitstream."""

CACHE = FOLDER / "cache"
"""Finished stages of all designs."""

_DONE = "stage.json"


@dataclass(frozen=True)
class Stage:
    """A finished stage. seconds: it took when it ran. cached: it had run before."""

    folder: Path
    seconds: float
    cached: bool


def stage(cache: Path, key: str, work: Callable[[Path], None]) -> Stage:
    """The stage `key`, done by `work` in a fresh folder unless it is in the cache.

    An interrupted stage leaves nothing; what a failed one left lies in `key`.failed until it
    succeeds. Raises OutputError if `cache` cannot be written to, BuildError with the place of
    what is left.
    """
    folder, failed = cache / key, cache / f"{key}.failed"
    if (folder / _DONE).exists():
        return Stage(folder, report_file.report(folder / _DONE).number("seconds"), cached=True)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=cache, prefix=f".{key}."))
    except OSError as error:
        raise OutputError(f"{cache}: must be a writable folder, found: {error.strerror}") from error
    try:
        begin = time.perf_counter()
        work(draft)
        seconds = round(time.perf_counter() - begin, 3)
        done = json.dumps({"seconds": seconds})
        (draft / _DONE).write_text(done, encoding="utf-8")  # the folder is the draft
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
        shutil.rmtree(failed, ignore_errors=True)
    except StoppedError:
        raise
    except BuildError as error:
        shutil.rmtree(failed, ignore_errors=True)
        draft.rename(failed)
        raise BuildError(f"{error}; its logs are in {failed}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Stage(folder, seconds, cached=False)
