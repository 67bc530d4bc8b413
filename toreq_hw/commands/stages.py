"""Stages of a long build on the screen: which run, and for how long."""

from collections.abc import Callable
from types import TracebackType

from rich.progress import Progress, SpinnerColumn, TaskID, TimeElapsedColumn

from toreq_hw.commands.console import messages, text_column

Watch = Callable[[str, float | None, bool], None]


class Stages:
    """A line a stage, live in a terminal; elsewhere one line as each begins and ends."""

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

    def __enter__(self) -> "Stages":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def within(self, design: str) -> Watch:
        """The same for one design of several."""

        def watch(name: str, seconds: float | None, cached: bool) -> None:
            self.watch(f"{design}: {name}", seconds, cached)

        return watch

    def watch(self, name: str, seconds: float | None, cached: bool) -> None:
        """A stage begins (seconds None) or has ended, after `seconds` or found in the cache."""
        if seconds is None:
            self._tasks[name] = self._progress.add_task(name, total=1, note="")
            if not self._live:
                messages.print(f"{name} ...")
            return
        note = f"kept, took {seconds:.0f} s" if cached else f"{seconds:.0f} s"
        self._progress.update(self._tasks[name], completed=1, note=note)
        if not self._live:
            messages.print(f"{name}: {note}")
