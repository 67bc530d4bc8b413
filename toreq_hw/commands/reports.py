"""`toreq-hw reports` (`make reports`): every published design, built, measured and written up."""

from collections.abc import Sequence
from pathlib import Path

import click

from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import MAX_JOBS, MAX_SEEDS, Whole
from toreq_hw.cli.options import (
    json_option,
    out_folder_option,
    scheduler_option,
    work_option,
)
from toreq_hw.cli.paths import InputFolder
from toreq_hw.cli.stages import Stages
from toreq_hw.cli.study_records import chosen_cases, earlier_record
from toreq_hw.errors import ToreqError
from toreq_hw.files import together, write_records
from toreq_hw.machine import processors
from toreq_hw.records.synthesis import Design, Failure, Synthesis
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.studies import synthesis as published_designs
from toreq_hw.studies.study import Place
from toreq_hw.studies.synthesis import STUDY, Options, PublishedDesign, needs, request_of

_EPILOG = "Example: toreq-hw reports --networks build/reports/networks --out reports/published"


@checked_command(epilog=_EPILOG)
@click.option(
    "--networks",
    type=InputFolder(),
    default=Path("build/reports/networks"),
    show_default=True,
    help="Folder of the trained networks.",
)
@click.option(
    "--only",
    help="Build only designs whose name (as in 'digits on icebreaker') contains this text; rows "
    "of the others are taken from the report in --out where their design is still the same.",
)
@click.option("--seeds", type=Whole(1, MAX_SEEDS), default=5, show_default=True)
@click.option("--jobs", type=Whole(1, MAX_JOBS), help="Designs at once; default: a core each.")
@work_option("build/reports/ledger")
@scheduler_option
@out_folder_option("build/reports", "synthesis.json", "synthesis.md", "synthesis.html")
@json_option
def command(
    networks: Path,
    only: str | None,
    seeds: int,
    jobs: int | None,
    work: Path,
    scheduler: str | None,
    out: Path,
    json_path: Path | None,
) -> int:
    """Build every published design and write synthesis.json, .md and .html.

    Finished stages are kept in build/synth/cache. Ends with status 1 if a design could not be built
    or misses its clock. The same if a row of an earlier report was made from another core.
    """
    needs()
    designs = published_designs.PUBLISHED
    chosen = chosen_cases(designs, only)
    others = [design for design in designs if design not in chosen]
    kept = _kept(others, out / "synthesis.json", networks)
    with Stages() as stages:
        options = Options(
            designs=designs,
            chosen=tuple(chosen),
            kept=tuple(kept),
            networks=networks,
            seeds=seeds,
            watch=stages.within,
        )
        at = Place(work, jobs or processors(), scheduler, console.terminal)
        record = STUDY.run(options, at)
    page = STUDY.judged(record)
    with together():
        write_records(record, out / "synthesis.json", json_path)
        write_markdown(page, out / "synthesis.md")
        write_page(page, out / "synthesis.html")
    console.output.print(page.lead)
    for failure in record.failures:
        console.output.print(f"NOT BUILT {failure.name}: {failure.error}")
    console.output.print(f"wrote {out}/synthesis.json, .md and .html")
    return 0 if STUDY.verdict(record).passed else 1


def _kept(others: Sequence[PublishedDesign], path: Path, networks: Path) -> list[Design | Failure]:
    """Rows of an earlier report for designs that are not built now; nothing without a report.

    A row stays if its design is what would be built today, and becomes its error if it is not.
    """
    found = earlier_record(path, Synthesis) if others else None
    if found is None:
        return []
    rows = {row.title: row for row in found.rows}
    return [_check(s, rows[s.name], networks) for s in others if s.name in rows]


def _check(design: PublishedDesign, entry: Design, networks: Path) -> Design | Failure:
    """An earlier row, or the error that it is of another design than today's."""
    from toreq_hw.boards.flow.synthesis import prepare

    try:
        today = prepare(request_of(design, networks, seeds=1))
    except ToreqError as error:
        return Failure(design.name, f"an earlier row cannot be checked: {error}")
    found = entry.synthesis.design, entry.synthesis.network_sha256
    if found == (today.design, today.parameters.network_sha256):  # SPRAM's weights are no design
        return entry
    return Failure(
        design.name,
        "the earlier row was of another design (core, network or tools have changed since); run "
        "without --only",
    )
