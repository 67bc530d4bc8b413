"""Stages of a long build on the screen: which run, for how long, and what their tools say."""

import threading
import time
from types import TracebackType
from typing import Protocol

from rich.progress import Progress, SpinnerColumn, TaskID, TimeElapsedColumn

from toreq_hw.cli.console import messages, text_column

PULSE_S = 30.0
"""Between two lines of a stage that runs, where the output is no terminal."""


class Watch(Protocol):
    """What `Stages.watch` is."""

    def __call__(self, name: str, seconds: float | None, cached: bool, note: str = "", /) -> None:
        """A stage begins, says something or has ended."""


class Stages:
    """A line a stage, live in a terminal; elsewhere a line as each begins, every half minute while
    it runs, and as it ends.
    """

    def __init__(self) -> None:
        self._live = messages.is_terminal
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            text_column("{task.description}"),
            TimeElapsedColumn(),
            text_column("{task.fields[note]}"),
            console=messages,
            disable=not self._live,
        )
        self._tasks: dict[str, TaskID] = {}
        self._running: dict[str, tuple[float, str]] = {}  # when it began, what it said last
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Stages":
        self._progress.start()
        if not self._live:
            self._pulse.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._progress.stop()

    def within(self, design: str) -> Watch:
        """The same for one design of several."""

        def watch(name: str, seconds: float | None, cached: bool, note: str = "", /) -> None:
            self.watch(f"{design}: {name}", seconds, cached, note)

        return watch

    def watch(self, name: str, seconds: float | None, cached: bool, note: str = "", /) -> None:
        """A stage begins (seconds None), says `note` while it runs, or has ended, after `seconds`
        or found in the cache.
        """
        if seconds is None and note:
            self._say(name, note)
        elif seconds is None:
            self._begin(name)
        else:
            self._end(name, f"kept, took {seconds:.0f} s" if cached else f"{seconds:.0f} s")

    def _begin(self, name: str) -> None:
        self._tasks[name] = self._progress.add_task(name, total=1, note="")
        with self._lock:
            self._running[name] = time.monotonic(), ""
        if not self._live:
            messages.print(f"{name} ...")

    def _say(self, name: str, note: str) -> None:
        self._progress.update(self._tasks[name], note=note)
        with self._lock:
            self._running[name] = self._running[name][0], note

    def _end(self, name: str, note: str) -> None:
        self._progress.update(self._tasks[name], completed=1, note=note)
        with self._lock:
            self._running.pop(name, None)
        if not self._live:
            messages.print(f"{name}: {note}")

    def _beat(self) -> None:
        while not self._over.wait(PULSE_S):
            with self._lock:
                running = list(self._running.items())
            for name, (began, note) in running:
                said = f", {note}" if note else ""
                messages.print(f"{name}: {time.monotonic() - began:.0f} s so far{said}")
