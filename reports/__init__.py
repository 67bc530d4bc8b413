"""From records to what people read: pictures, tables, single-file HTML pages.

from toreq_hw import reports
page = reports.Page(title, lead, sections)
reports.write_page(page, path)
"""

from typing import TYPE_CHECKING

from toreq_hw.lazy_names import lazy_names

if TYPE_CHECKING:
    from toreq_hw.reports.markdown import write_markdown
    from toreq_hw.reports.page import Page, Section, Table, write_page

__all__ = ["Page", "Section", "Table", "write_markdown", "write_page"]

__getattr__ = lazy_names(
    __name__,
    {
        "markdown": ("write_markdown",),
        "page": ("Page", "Section", "Table", "write_page"),
    },
)
