"""What commands share on the screen: one console, progress bars, tables of a record.

Paths, names and other people's texts are printed as they are: nothing here reads markup. Where
the output is no terminal, a line is as long as what it says: nothing is wrapped or cut.
"""

import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, ConsoleDimensions, JustifyMethod
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

UNLIMITED = 1_000_000
"""Columns of an output that is no terminal."""


def plain(text: str) -> str:
    """The text with what would steer a terminal escaped: a path may hold such characters."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) != "Cc" else ascii(c)[1:-1] for c in text
    )


class PlainConsole(Console):
    """A console without markup, emoji codes and wrapping of texts."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    @property
    def size(self) -> ConsoleDimensions:
        """The terminal's; elsewhere wide enough for any line."""
        found = super().size
        return found if self.is_terminal else ConsoleDimensions(UNLIMITED, found.height)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich prints; a text is never wrapped, so that a terminal copies a path whole."""
        options.setdefault("soft_wrap", all(isinstance(o, str) for o in objects))
        super().print(*(plain(o) if isinstance(o, str) else o for o in objects), **options)


output = PlainConsole()
messages = PlainConsole(stderr=True)


@contextmanager
def output_on_standard_error() -> Iterator[None]:
    """While it lasts `output` prints on standard error: a record has standard output to itself."""
    before = output.stderr
    output.stderr = True
    try:
        yield
    finally:
        output.stderr = before


def text_column(template: str) -> TextColumn:
    """A column of a progress bar that shows its texts as they are."""
    return TextColumn(template, markup=False)


QUIET_S, PULSE_S = 3.0, 30.0
"""Where the output is no terminal: silence before the first line of a bar, and between two."""


class WorkBar(Progress):
    """A bar in a terminal; elsewhere a line where work takes longer, and then every half minute."""

    def __init__(self, *columns: Any, console: Console) -> None:
        super().__init__(*columns, console=console)
        self._due = time.monotonic() + QUIET_S

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """As rich does; see `Progress.update`."""
        super().update(task_id, **changes)
        self._speak(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """As rich does."""
        super().advance(task_id, advance)
        self._speak(task_id)

    def _speak(self, task_id: TaskID) -> None:
        now = time.monotonic()
        if self.console.is_terminal or now < self._due:
            return
        self._due = now + PULSE_S
        task = self._tasks[task_id]
        of = f" of {task.total:,.0f}" if task.total else ""
        note = f", {task.fields['note']}" if task.fields.get("note") else ""
        self.console.print(f"{task.description}: {task.completed:,.0f}{of}{note}")


def progress_bar() -> Progress:
    """A bar on standard error with the work done, the time gone and the time to go."""
    return WorkBar(
        SpinnerColumn(),
        text_column("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        text_column("{task.fields[note]}"),
        console=messages,
    )


class _TerminalBar:
    """One line of a progress bar, as `toreq_hw.studies.screen.Bar` describes it."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, amount: float = 1) -> None:
        """So much more is done."""
        self._progress.advance(self._task, amount)

    def show(
        self, done: float | None = None, total: float | None = None, note: str | None = None
    ) -> None:
        """So much is done, of so much; a note beside it."""
        changes = {"completed": done, "total": total, "note": note}
        given: dict[str, Any] = {k: value for k, value in changes.items() if value is not None}
        self._progress.update(self._task, **given)


class Terminal:
    """The screen of a study: standard error, as `toreq_hw.studies.screen.Screen` describes it."""

    def say(self, line: str) -> None:
        """Shows a line."""
        messages.print(line)

    @contextmanager
    def bar(self, title: str, total: float | None = None, note: str = "") -> Iterator[_TerminalBar]:
        """A bar while the context lasts."""
        with progress_bar() as progress:
            yield _TerminalBar(progress, progress.add_task(title, total=total, note=note))


terminal = Terminal()


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table for `output`; the first column is left-aligned, the others right.

    A terminal narrower than the table gets words on several lines, and long words in pieces:
    nothing is cut.
    """
    wide = not output.is_terminal
    whole = Text(plain(title), no_wrap=wide, overflow="ignore" if wide else "fold")
    result = Table(title=whole, title_justify="left")
    for index, name in enumerate(header):
        justify: JustifyMethod = "left" if index == 0 else "right"
        result.add_column(Text(name, overflow="fold"), justify=justify, overflow="fold")
    for row in rows:
        result.add_row(*(Text(plain(cell)) for cell in row))
    return result
