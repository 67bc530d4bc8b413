"""The index of all studies: what each claims, how it is controlled, and what it found."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from toreq_hw.errors import InputError
from toreq_hw.reading import read_record
from toreq_hw.reports.page import Page, Section, Table
from toreq_hw.studies.study import Study


def index_page(studies: Iterable[Study[Any]], folder: Path) -> Page:
    """Of all studies. folder: where records of finished ones lie, as ID.json.

    Raises InputError for a record that is not its study's.
    """
    sections = [Section(study.id, _text(study), _table(study, folder)) for study in studies]
    lead = f"{len(sections)} studies; each has a claim, a control that can fail, and a verdict."
    return Page("Studies", lead, tuple(sections))


def _text(study: Study[Any]) -> str:
    return f"{study.claim} Set-up: {study.setup} Control: {study.control}"


def _table(study: Study[Any], folder: Path) -> Table:
    path = folder / f"{study.id}.json"
    found = "no record here"
    if path.exists():
        verdict = study.verdict(read_record(path, study.record, InputError))
        found = verdict.sentence if verdict.passed else f"FAILED: {verdict.sentence}"
    return Table(("run by", "verdict"), ((f"`{study.usage}`", found),))
