"""Running the tools: one process each, output kept in a log, none left behind."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

from toreq_hw.boards.tool_reports import report_file
from toreq_hw.children import tied_to_parent
from toreq_hw.errors import BuildError
from toreq_hw.extras import missing

Tell = Callable[[str], None]

TELL_S = 2.0
"""Between two looks at what a tool says; it may run for as long as it likes."""


class StoppedError(BuildError):
    """A tool was ended, or not begun, because the whole build is."""


class Tools:
    """Runs tools of this environment. As a context manager it ends those that still run.

    parent: ends its children when it is ended, from whatever thread.
    """

    def __init__(self, parent: "Tools | None" = None) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._children: list[Tools] = []
        self._lock = threading.Lock()
        self._stopped = False
        if parent is not None:
            with parent._lock:
                self._stopped = parent._stopped
                parent._children.append(self)

    def __enter__(self) -> "Tools":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends what runs, and lets nothing begin."""
        with self._lock:
            self._stopped = True
            running, children = list(self._running), list(self._children)
        for process in running:
            process.kill()
        for process in running:
            process.wait()
        for child in children:
            child.stop()

    def run(
        self,
        name: str,
        arguments: Sequence[str],
        folder: Path,
        log: str,
        tell: Tell = lambda _: None,
        own_log: str | None = None,
    ) -> None:
        """Runs a tool in `folder`, its output in the file `log` there.

        tell: hears every few seconds how the log ends, or the one that the tool itself writes.

        Raises BuildError with its last words if it fails, StoppedError if the build is ended.
        """
        with (folder / log).open("wb") as output:
            with self._lock:
                if self._stopped:
                    raise StoppedError(f"{name}: interrupted")
                process = subprocess.Popen(
                    [executable(name), *arguments],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    preexec_fn=tied_to_parent(),  # noqa: PLW1509 - it only calls the kernel
                )
                self._running.add(process)
            try:
                status = _watch(process, folder / (own_log or log), tell)
            except BaseException:  # an interrupt: the tool must not outlive what waits for it
                process.kill()
                process.wait()
                raise
            with self._lock:
                self._running.discard(process)
                if self._stopped:
                    raise StoppedError(f"{name}: interrupted")
        if status < 0:  # nobody but the system or a person ends a tool by a signal
            raise BuildError(
                f"{name} must succeed, found: ended by signal {-status}; is memory short?"
            )
        if status:
            words = last_words(folder / log) or _silence(status, folder, log)
            raise BuildError(f"{name} must succeed, found: {words}")


def _watch(process: "subprocess.Popen[bytes]", log: Path, tell: Tell) -> int:
    """Waits for the tool's end, however long it takes; returns its status."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(TELL_S)
        with suppress(OSError):
            tell(_last_line(log))


def _last_line(log: Path) -> str:
    """How a growing log ends, without its indentation and at most 60 characters of it."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    said = [line.removeprefix("Info:").strip() for line in lines if line.strip()]
    return said[-1][:60] if said else ""


def executable(name: str) -> str:
    """The tool beside this Python, or on the path; raises MissingDependencyError."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(name, path=places)
    if found is None:
        raise missing("synthesis", name, "boards")
    return found


def last_words(log: Path) -> str:
    """The first error line of a log, or its last line; empty where it holds nothing."""
    lines = [line.strip() for line in report_file.log(log).splitlines()]
    lines = [line for line in lines if line]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    return (errors or lines or [""])[0 if errors else -1]


def _silence(status: int, folder: Path, log: str) -> str:
    """What can be said of a tool that said nothing: its status, and how its other logs end."""
    others = {path.name: last_words(path) for path in sorted(folder.glob("*.log"))}
    ends = [f"{name} ends with {words!r}" for name, words in others.items() if words]
    return "; ".join([f"status {status} and nothing in {log}", *ends])


def tool_versions(packages: Sequence[str]) -> dict[str, str]:
    """Versions of installed packages; raises MissingDependencyError for one that is absent."""
    try:
        return {package: version(package) for package in packages}
    except PackageNotFoundError as error:
        raise missing("synthesis", error.name, "boards") from error
