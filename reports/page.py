"""A report page: one HTML file that needs nothing beside it."""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from jinja2 import Environment, PackageLoader

from toreq_hw.files import write_text


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column is left-aligned, the others right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading with, in this order and where given, a text, a table and pictures (SVG, or
    `caption`).
    """

    title: str
    text: str = ""
    table: Table | None = None
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A title, a line that says what was found, sections, and what made it."""

    title: str
    lead: str
    sections: tuple[Section, ...]
    made_by: dict[str, str] = field(default_factory=dict)


def caption(picture: str, caption: str) -> str:
    """A picture (SVG) with words under it."""
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def write_page(page: Page, path: Path) -> None:
    """Writes the page as one HTML file, in one step."""
    environment = Environment(
        loader=PackageLoader("toreq_hw.reports"), autoescape=True, trim_blocks=True
    )
    write_text(path, environment.get_template("page.html.j2").render(page=page))
