"""The page of a deployment: what a target did, and what a chip would have to hold."""

from collections.abc import Sequence

from toreq_hw.records.deployment import Deployment, TargetStatus
from toreq_hw.reports.chip_sections import chip_sections
from toreq_hw.reports.footnotes import Footnotes
from toreq_hw.reports.page import Page, Section, Table, network_facts


def deployment_page(
    title: str, record: Deployment, rows: Sequence[tuple[str, str]], network_sha256: str
) -> Page:
    """From a deployment's record; `rows` is the table that the terminal shows too.

    A target that is no chip gets the figures only.
    """
    sections = [Section("What it did", record.split, Table(("figure", "value"), tuple(rows)))]
    notes = Footnotes()
    if record.chip:
        sections += chip_sections(record.chip, notes)
    facts = tuple((note,) for note in record.notes)
    sections.append(Section("To be read with it", table=Table(("fact",), facts)))
    sections.append(Section("All targets", table=status_table(record.targets)))
    if record.chip:
        sections.append(notes.section())
    return Page(
        title,
        "Every check held." if record.passed else _failed(record, rows),
        tuple(sections),
        dict(record.versions),
        passed=record.passed,
        facts=network_facts(network_sha256),
    )


def _failed(record: Deployment, rows: Sequence[tuple[str, str]]) -> str:
    """Which checks failed: limits of the chip, and figures that must be zero or true."""
    which = [note for note in record.notes if note.startswith("violation: ")]
    agreement = [f"{name} {value}" for name, value in rows if name.startswith("class agreement")]
    if agreement:
        which.append(", ".join(agreement))
    elif ("bit exact", "false") in rows:
        which.append("states, ticks or events differ from the simulator's")
    return f"A check failed: {'; '.join(which)}." if which else "A check failed."


def status_table(targets: Sequence[TargetStatus]) -> Table:
    """What each target is, how exact, and with which versions it was tried last."""
    header = ("target", "what it is", "status", "last version tried")
    return Table(
        header, tuple((one.name, one.description, one.status, one.tried or "-") for one in targets)
    )
