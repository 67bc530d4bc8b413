"""Published records that a track takes in, in place of measuring again."""

from pathlib import Path
from typing import TypeVar

from toreq_hw import reports
from toreq_hw.errors import InputError
from toreq_hw.reading import read_record
from toreq_hw.records.intervals import Interval
from toreq_hw.records.verification import TrackRow

Record = TypeVar("Record")


def published(name: str, kind: type[Record]) -> Record:
    """The record NAME.json of a checkout's reports/published.

    Raises InputError where it is not there, as in an installed package, and for any other file.
    """
    path = Path(next(iter(reports.__path__))) / "published" / f"{name}.json"
    if not path.is_file():
        raise InputError(
            f"{path}: must be there for a track that takes it in, found none; use a checkout"
        )
    return read_record(path, kind, InputError)


def row_of(
    data: str, arm: str, quantity: str, found: Interval, *, control: bool = False
) -> TrackRow:
    """A row of an interval, 0..1, that a record holds without the values behind it; in per cent."""
    whole = Interval(100 * found.value, 100 * found.low, 100 * found.high)
    return TrackRow(
        data=data,
        arm=arm,
        quantity=quantity,
        values=(whole.value,),
        control=control,
        given=whole,
    )
