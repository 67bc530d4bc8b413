"""A report page as Markdown: the words and tables of the HTML page, without its pictures."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from toreq_hw.argument_types import named_type_errors
from toreq_hw.files import write_text
from toreq_hw.reports.page import Page, Table

_WIDTH = 100
"""Columns of a terminal that text is wrapped at."""

_PADDED = 40
"""A column with a longer cell is not padded: its rows would all be as long."""


@named_type_errors
def write_markdown(page: Page, path: Path) -> None:
    """Writes the page as Markdown, in one step."""
    parts = [f"# {page.title}", fill(page.lead, _WIDTH, break_on_hyphens=False)]
    for section in page.sections:
        parts.append(f"## {section.title}")
        if section.text:
            parts.append(fill(section.text, _WIDTH, break_on_hyphens=False))
        if section.table:
            parts.append(_table(section.table))
    if page.made_by:
        made_by = ", ".join(f"{name} {version}" for name, version in page.made_by.items())
        parts.append(fill(f"Made by {made_by}.", _WIDTH))
    write_text(path, "\n\n".join(parts) + "\n")


def _table(table: Table) -> str:
    """Columns of equal width, so that it can be read without a viewer."""
    cells = [table.header, *table.rows]
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(*cells, strict=True)]
    widths = [0 if width > _PADDED else width for width in widths]
    lines = [_line(row, widths) for row in cells]
    rule = ["-" * max(3, widths[0]), *("-" * max(2, width - 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return f"| {' | '.join([first, *rest])} |"
