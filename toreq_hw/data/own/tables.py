"""Tables in text: comma, semicolon or tab between cells, a row a sample.

Read with Python's own csv module: cells are needed as texts, so that what is no number can be
named with its column and line.
"""

import csv
import io
import re
from pathlib import Path

import numpy as np

from toreq_hw import notices, reading
from toreq_hw.data.own.samples import (
    MOST,
    Samples,
    feature_array,
    is_missing,
    several,
    target_texts,
)
from toreq_hw.data.own.spec import Spec
from toreq_hw.errors import DataError
from toreq_hw.reading import shown
from toreq_hw.suggestions import nearest

MAX_BYTES = 1 << 30
TARGETS = ("target", "class", "label", "y")
"""Columns that hold targets where nobody names another."""

_WHOLE = re.compile("[+-]?(0|[1-9][0-9]{0,299})")
_CODE = re.compile("[+-]?0[0-9]")
"""A number with zeros before it is a code: 01 is not 1."""

Rows = list[tuple[int, list[str]]]
"""Line number and cells."""


def read_table(path: Path, spec: Spec) -> Samples:
    """The samples of a table. Raises DataError naming file, column and line."""
    text = reading.decode(reading.read_bytes(path, MAX_BYTES, DataError), str(path), DataError)
    header, rows = _cells(path, text.removeprefix("\ufeff"))
    target = _column(path, header, spec.target) if spec.target else _usual_target(path, header)
    part = _part_column(path, header, spec)
    dropped = {_column(path, header, name) for name in (spec.drop or "").split(",") if name}
    kept = [i for i in range(len(header)) if i not in {target, part, *dropped}]
    if not kept:
        raise DataError(f"{path}: must have a column beside the target, found {shown(header)}")
    features = np.empty((len(rows), len(kept)))
    for place, column in enumerate(kept):
        features[:, place] = [_number(path, header[column], n, cells[column]) for n, cells in rows]
    columns = tuple(header[i] for i in kept)
    real, shape, channels, _ = feature_array(str(path), features, columns)
    return Samples(
        what=str(path),
        features=real,
        targets=_targets(path, header[target], [(n, cells[target]) for n, cells in rows]),
        shape=shape,
        channels=channels,
        columns=columns,
        parts=() if part is None else tuple(cells[part].strip() for _, cells in rows),
    )


def _cells(path: Path, text: str) -> tuple[list[str], Rows]:
    """Names of columns, and all rows; the first line has the names if no cell is a number."""
    line = text.partition("\n")[0]
    delimiter = max(",;\t", key=line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: Rows = []
    try:
        for cells in reader:
            if cells:
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} must be of a table: {error}") from error
    if not rows:
        raise DataError(f"{path}: must have rows, found none")
    header = [f"column{i + 1}" for i in range(len(rows[0][1]))]
    if _has_names(path, rows):
        header = rows.pop(0)[1]
        _check_names(path, header)
    else:
        notices.tell_once(
            f"{path}: line {rows[0][0]} holds numbers, so it is a sample, and columns are called "
            "column1, column2, .."
        )
    if not rows:
        raise DataError(f"{path}: must have rows of values below the names of columns, found none")
    for number, cells in rows:
        if len(cells) != len(header):
            raise DataError(
                f"{path}: line {number} must have {len(header)} cells, found {len(cells)}"
            )
    return header, rows


def _has_names(path: Path, rows: Rows) -> bool:
    """Whether the first line has the names of columns: no cell of it is a number.

    Raises DataError where one is, and another is a text above a number.
    """
    first = rows[0][1]
    if not any(map(_is_number, first)):
        return True
    for place, cells in enumerate(zip(first, rows[1][1] if len(rows) > 1 else (), strict=False)):
        name, below = cells
        if _is_number(below) and not _is_number(name) and not is_missing(name):
            raise DataError(
                f"{path}: line 1 must be names or a sample, found numbers and, in column "
                f"{place + 1}, {shown(name)} above the number {shown(below)}; give every column a "
                "name that is no number"
            )
    return False


def _check_names(path: Path, header: list[str]) -> None:
    for place, name in enumerate(header):
        if not name:
            raise DataError(
                f"{path}: line 1 must name every column, found none for column {place + 1}; name "
                "it, or leave it out (pandas: index=False)"
            )
        if name in header[:place]:
            raise DataError(
                f"{path}: columns must have different names, found {shown(name)} for columns "
                f"{header.index(name) + 1} and {place + 1}"
            )


def _column(path: Path, header: list[str], name: str) -> int:
    if name not in header:
        raise DataError(
            f"{path}: a column must be one of {several(header)}, not {shown(name)}"
            f"{nearest(name, header)}"
        )
    return header.index(name)


def _usual_target(path: Path, header: list[str]) -> int:
    for name in TARGETS:
        if name in [column.lower() for column in header]:
            return [column.lower() for column in header].index(name)
    raise DataError(
        f"{path}: the target must be named (--target-column), or its column be called one of "
        f"{', '.join(TARGETS)}, found {several(header)}"
    )


def _part_column(path: Path, header: list[str], spec: Spec) -> int | None:
    """The column that says train or test."""
    if (spec.split or "").startswith("column:"):
        return _column(path, header, (spec.split or "").removeprefix("column:"))
    return None


def _number(path: Path, column: str, line: int, cell: str) -> float:
    if is_missing(cell):
        raise DataError(
            f"{path}: column {shown(column)} must have a value in every line, found "
            f"{shown(cell)} in line {line}; fill it in, or leave out the line or column"
        )
    if not _is_number(cell):
        raise DataError(
            f"{path}: column {shown(column)} must hold numbers, found {shown(cell)} in line "
            f"{line}; make numbers of it, or leave it out (drop=..)"
        )
    if not abs(float(cell)) <= MOST:
        raise DataError(
            f"{path}: column {shown(column)} must hold numbers of at most {MOST:g}, found "
            f"{shown(cell)} in line {line}"
        )
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell


def _targets(path: Path, column: str, cells: list[tuple[int, str]]) -> tuple[str, ...]:
    for line, cell in cells:
        if is_missing(cell):
            raise DataError(
                f"{path}: column {shown(column)}, the target, must have a value in every line, "
                f"found {shown(cell)} in line {line}"
            )
    texts = [cell for _, cell in cells]
    if all(map(_WHOLE.fullmatch, texts)):
        return tuple(str(int(text)) for text in texts)
    if all(map(_is_number, texts)) and not any(map(_CODE.match, texts)):
        return target_texts(f"{path}: column {shown(column)}", [float(cell) for cell in texts])
    return tuple(texts)
