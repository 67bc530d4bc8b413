"""Running the tools: one process each, output kept in a log, none left behind."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

from toreq_hw.errors import BuildError, MissingDependencyError


class Tools:
    """Runs tools of this environment. As a context manager it ends those that still run."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def __enter__(self) -> "Tools":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            process.kill()
        for process in running:
            process.wait()

    def run(self, name: str, arguments: Sequence[str], folder: Path, log: str) -> None:
        """Runs a tool in `folder`, its output in the file `log` there.

        Raises BuildError with its last words if it fails.
        """
        with (folder / log).open("wb") as output:
            with self._lock:
                if self._stopped:
                    raise BuildError(f"{name}: interrupted")
                process = subprocess.Popen(
                    [executable(name), *arguments],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
                self._running.add(process)
            status = process.wait()  # an interrupt leaves it among the running, for __exit__
            with self._lock:
                self._running.discard(process)
        if status < 0:  # nobody but the system or a person ends a tool by a signal
            raise BuildError(
                f"{name} must succeed, found: ended by signal {-status}; is memory short?"
            )
        if status:
            raise BuildError(f"{name} must succeed, found: {last_words(folder / log)}")


def executable(name: str) -> str:
    """The tool beside this Python, or on the path; raises MissingDependencyError."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(name, path=places)
    if found is None:
        raise MissingDependencyError(
            f"synthesis must have {name} installed; run: pip install 'toreq-hw[boards]'"
        )
    return found


def last_words(log: Path) -> str:
    """The first error line of a log, or its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    lines = [line for line in lines if line]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    return (errors or lines or ["nothing"])[0 if errors else -1]


def tool_versions(packages: Sequence[str]) -> dict[str, str]:
    """Versions of installed packages; raises MissingDependencyError for one that is absent."""
    try:
        return {package: version(package) for package in packages}
    except PackageNotFoundError as error:
        raise MissingDependencyError(
            f"synthesis must have {error.name} installed; run: pip install 'toreq-hw[boards]'"
        ) from error
