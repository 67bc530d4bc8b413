"""The pages below a folder: found, listed in one page, and linked with each other."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from jinja2 import Environment, PackageLoader

from toreq_hw.errors import InputError
from toreq_hw.files import write_text
from toreq_hw.reading import read_beginning, read_text
from toreq_hw.reports.page import LINKS_BEGIN, LINKS_END

INDEX = "reports.html"
"""The file that lists the others; `index.html` is a report's own in many folders."""

MOST_BYTES = 64 << 20
"""Of one page."""

_HEAD = 1 << 16
"""Bytes that hold what the head of a page says."""


@dataclass(frozen=True)
class FoundPage:
    """A page by its path from the folder, and what its head says.

    passed: None for a page that judges nothing. network, date: as in its facts, or "".
    """

    path: PurePosixPath
    title: str
    lead: str
    passed: bool | None
    network: str
    date: str


class _Head(HTMLParser):
    """The title and the named values of a page's head."""

    def __init__(self) -> None:
        super().__init__()
        self.named: dict[str, str] = {}
        self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps name and content of `meta`."""
        self._in_title = tag == "title"
        found = dict(attrs)
        name = found.get("name")
        if tag == "meta" and name:
            self.named[name] = found.get("content") or ""

    def handle_data(self, data: str) -> None:
        """Keeps the text of `title`."""
        if self._in_title:
            self.title += data
            self._in_title = False


def find_pages(folder: Path) -> list[FoundPage]:
    """The pages of this toolkit below a folder, by their paths; the index is none.

    Raises InputError for what is no folder, and where there is no page.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: must be a folder of reports, found no folder")
    found = [page for path in _html_files(folder) if (page := _read(folder, path))]
    if not found:
        raise InputError(f"{folder}: must hold a report page (.html) of toreq-hw, found none")
    return found


def write_index(folder: Path, pages: Sequence[FoundPage]) -> None:
    """Writes the index into `folder`, and into each page links to it and to its neighbours."""
    for number, page in enumerate(pages):
        place = folder / page.path
        text = read_text(place, MOST_BYTES, InputError)
        before, begins, rest = text.partition(LINKS_BEGIN)
        _, ends, after = rest.partition(LINKS_END)
        if begins and ends:
            links = _links(page, pages[number - 1 : number], pages[number + 1 : number + 2])
            write_text(place, f"{before}{LINKS_BEGIN}{links}{LINKS_END}{after}")
    environment = Environment(
        loader=PackageLoader("toreq_hw.reports"), autoescape=True, trim_blocks=True
    )
    template = environment.get_template("index.html.j2")
    groups: dict[str, list[FoundPage]] = {}
    for page in pages:
        groups.setdefault(str(page.path.parent), []).append(page)
    shown = template.render(
        name=folder.resolve().name, groups=groups, count=len(pages), quote=quote
    )
    write_text(folder / INDEX, shown)


def _html_files(folder: Path) -> Iterator[Path]:
    """Files below the folder in alphabetical order, without links and hidden folders."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(place, name)
            if name.endswith(".html") and name != INDEX and not path.is_symlink():
                yield path


def _read(folder: Path, path: Path) -> FoundPage | None:
    """What the head of a page says; None for a page of another program."""
    beginning, _ = read_beginning(path, _HEAD, InputError)
    head = _Head()
    head.feed(beginning.decode("utf-8", "replace"))
    named = head.named
    if named.get("generator") != "toreq-hw":
        return None
    verdict = named.get("toreq-hw-verdict")
    return FoundPage(
        path=PurePosixPath(path.relative_to(folder).as_posix()),
        title=head.title or path.stem,
        lead=named.get("description", ""),
        passed=None if verdict is None else verdict == "passed",
        network=named.get("toreq-hw-network", ""),
        date=named.get("toreq-hw-date", ""),
    )


def _links(page: FoundPage, before: Sequence[FoundPage], after: Sequence[FoundPage]) -> str:
    """Links from a page to the index and to the pages before and after it."""
    up = "../" * (len(page.path.parts) - 1)
    found = [f'<a href="{up}{INDEX}">all reports</a>']
    for arrow, others in (("← ", before), ("→ ", after)):
        found += [
            f'<a href="{up}{quote(str(other.path))}">{arrow}{escape(other.title)}</a>'
            for other in others
        ]
    return f'<nav class="links" aria-label="other reports">{"".join(found)}</nav>'
