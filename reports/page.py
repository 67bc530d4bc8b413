"""A report page: one HTML file that needs nothing beside it."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader

from toreq_hw.argument_types import named_type_errors
from toreq_hw.files import write_text

LINKS_BEGIN, LINKS_END = "<!-- links -->", "<!-- end of links -->"
"""Between these `toreq-hw report` puts links to the other pages of a folder."""


WORDS = 28
"""Characters of a cell from which on its column is read as words."""


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column names the row.

    links: by the first cell of a row, the title of the section of its page that it leads to; a
    title that no section has is no link.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    links: dict[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of each column: `words` are left-aligned and wrap; `figures` stand right, on one line."""
        longest = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        longest = longest or [0] * len(self.header)
        return tuple("words" if n == 0 or k >= WORDS else "figures" for n, k in enumerate(longest))


@dataclass(frozen=True)
class Section:
    """A heading with, in this order and where given, a text, a table and pictures (SVG, or
    `caption`).

    fold: what an HTML page shows of it until it is opened; "" where it stands open. Sections that
    follow each other with the same text are opened together, by a link to one of them as well.
    """

    title: str
    text: str = ""
    table: Table | None = None
    pictures: tuple[str, ...] = ()
    fold: str = ""


@dataclass(frozen=True)
class Page:
    """A title, a line that says what was found, sections, and what made it.

    passed: the verdict, drawn at the top; None for a page that judges nothing. facts: what the page
    is about, by name: hash of the network, date.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    made_by: dict[str, str] = field(default_factory=dict)
    passed: bool | None = None
    facts: dict[str, str] = field(default_factory=dict)


def network_facts(sha256: str) -> dict[str, str]:
    """What a page of one network says first: its hash, and today's date (UTC).

    The date is that of SOURCE_DATE_EPOCH where it is set, so that a page can be made again.
    """
    now = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    return {"network": sha256, "date": time.strftime("%Y-%m-%d", time.gmtime(now))}


def caption(picture: str, caption: str) -> str:
    """A picture (SVG) with words under it."""
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def page_html(page: Page) -> str:
    """The page as text of one HTML file."""
    environment = Environment(
        loader=PackageLoader("toreq_hw.reports"), autoescape=True, trim_blocks=True
    )
    template = environment.get_template("page.html.j2")
    named = list(zip(page.sections, _anchors(page.sections), strict=True))
    folds = [(text, list(own)) for text, own in groupby(named, lambda one: one[0].fold)]
    return template.render(
        page=page,
        folds=folds,
        contents=[one for text, own in folds for one in (own[:1] if text else own)],
        anchors={section.title: anchor for section, anchor in reversed(named)},
        links=f"{LINKS_BEGIN}{LINKS_END}",
    )


@named_type_errors
def write_page(page: Page, path: Path) -> None:
    """Writes the page as one HTML file, in one step."""
    write_text(path, page_html(page))


def _anchors(sections: Sequence[Section]) -> list[str]:
    """A name for each section that a link can end with; equal titles are numbered."""
    found: list[str] = []
    for section in sections:
        plain = re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-") or "section"
        name, number = plain, 1
        while name in found:
            name, number = f"{plain}-{number + 1}", number + 1
        found.append(name)
    return found
