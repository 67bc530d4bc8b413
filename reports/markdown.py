"""A report page as Markdown: the words and tables of the HTML page, without its pictures."""

from pathlib import Path

from toreq_hw.files import write_text
from toreq_hw.reports.page import Page, Table


def write_markdown(page: Page, path: Path) -> None:
    """Writes the page as Markdown, in one step."""
    parts = [f"# {page.title}", page.lead]
    for section in page.sections:
        parts.append(f"## {section.title}")
        if section.text:
            parts.append(section.text)
        if section.table:
            parts.append(_table(section.table))
    made_by = ", ".join(f"{name} {version}" for name, version in page.made_by.items())
    write_text(path, "\n\n".join([*parts, f"Made by {made_by}."]) + "\n")


def _table(table: Table) -> str:
    rule = ["---", *["---:"] * (len(table.header) - 1)]
    rows = [table.header, tuple(rule), *table.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
