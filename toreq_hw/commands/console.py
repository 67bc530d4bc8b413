"""What commands share on the screen: one console, progress bars, tables of a record."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

output = Console(highlight=False)
messages = Console(stderr=True, highlight=False)


def progress_bar() -> Progress:
    """A bar on standard error with the work done, the time gone and the time to go."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=messages,
    )


def training_note(accuracy: float) -> str:
    """What a training's bar says after an epoch. accuracy: 0..1, on that epoch's training samples,
    each as it was before it was learned.
    """
    return f"training accuracy {100 * accuracy:.2f} %"


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table for `output`; the first column is left-aligned, the others right."""
    result = Table(title=title, title_justify="left")
    for index, name in enumerate(header):
        result.add_column(name, justify="left" if index == 0 else "right")
    for row in rows:
        result.add_row(*row)
    return result
