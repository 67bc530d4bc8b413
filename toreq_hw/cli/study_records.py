"""What commands of studies share: the cases that run, earlier records, and what is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from toreq_hw.cli import console
from toreq_hw.errors import InputError
from toreq_hw.files import INCOMPLETE, together, write_records
from toreq_hw.reading import read_record
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.studies.study import Study


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str:
        """The name."""


Case = TypeVar("Case", bound=Named)
Record = TypeVar("Record")


def chosen_cases(cases: Sequence[Case], only: str | None) -> list[Case]:
    """The case that is called `only`, or those whose names contain it; all without it.

    Raises InputError where there is none.
    """
    whole = [case for case in cases if case.name == only]
    chosen = whole or [case for case in cases if only is None or only in case.name]
    if not chosen:
        names = ", ".join(case.name for case in cases)
        raise InputError(f"--only must be part of one of {names}, not {only!r}")
    return chosen


def earlier_record(path: Path, kind: type[Record]) -> Record | None:
    """The record at `path`, None without one. Raises InputError where writing it was cut off."""
    if not path.exists():
        return None
    cut_off = path.parent / INCOMPLETE
    if cut_off.exists():
        raise InputError(
            f"{cut_off}: must be absent: writing the record was cut off there; run without --only"
        )
    return read_record(path, kind, InputError)


def write_study(study: Study[Any], record: Any, out: Path, json_path: Path | None) -> int:
    """Writes ID.json, .md and .html of a record into `out` in one step, and says the verdict.

    json_path: gets the record too. Returns the exit status, 0 where the study passed.
    """
    verdict, page = study.verdict(record), study.judged(record)
    with together():
        write_records(record, out / f"{study.id}.json", json_path)
        write_markdown(page, out / f"{study.id}.md")
        write_page(page, out / f"{study.id}.html")
    console.output.print(verdict.sentence)
    console.output.print(f"wrote {out}/{study.id}.json, .md and .html")
    return 0 if verdict.passed else 1
