"""`toreq-hw report`: the report pages below a folder, listed and linked."""

from pathlib import Path

import click

from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.files import together
from toreq_hw.reports.page_index import INDEX, find_pages, write_index


@checked_command(epilog="Example: toreq-hw report build")
@click.argument("folder", metavar="FOLDER", type=OutputFolder(INDEX))
def command(folder: Path) -> None:
    """List all report pages below FOLDER in FOLDER/reports.html.

    Each page gets links to the index and to its neighbours. Pages of other programs stay as they
    are.
    """
    pages = find_pages(folder)
    with together():
        write_index(folder, pages)
    console.output.print(f"wrote {folder}/{INDEX}: {len(pages)} pages")
