"""Records from JSON: msgspec holds every value against the type of its dataclass's field."""

import math
import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from toreq_hw.errors import ToreqError
from toreq_hw.reading.fields import Fields, fits_utf8, shown
from toreq_hw.reading.structure import MAX_RECORD_BYTES, read_json

_Record = TypeVar("_Record")

_TYPE = re.compile(r"Expected `(?P<wanted>.*)`(?P<length> of length .*)?, got `?(?P<found>.*?)`?")
_ABSENT = re.compile(r"Object missing required field `(?P<name>.*)`")
_PLACE = re.compile(r"(?P<what>.*) - at `\$\.?(?P<place>.*)`")


def read_record(path: Path, kind: type[_Record], error: type[ToreqError]) -> _Record:
    """The record of type `kind` in a JSON file; raises `error`, one line that names the file."""
    content = read_json(path, MAX_RECORD_BYTES, error)
    return record_from(content, kind, str(path), error)


def record_from(
    content: object, kind: type[_Record], where: str, error: type[ToreqError]
) -> _Record:
    """The record of type `kind` that parsed JSON holds.

    Raises `error`, one line that begins with `where` and names the field. Refused are a value of
    another type, a field that is absent, a name that is no field, a number that is not finite. A
    value that its dataclass refuses by a ValueError is refused too. Whole numbers are taken for
    floats.
    """
    if is_dataclass(kind):
        Fields(content, where, error)  # refuses what is no object, in its own words
    try:
        record = msgspec.convert(content, kind)
    except msgspec.ValidationError as failure:
        raise error(f"{where}: {_reword(str(failure))}") from failure
    except UnicodeEncodeError as failure:  # of a name, which JSON may spell as half a character
        raise error(
            f"{where}: names must be texts that UTF-8 can hold, found {shown(failure.object)}"
        ) from failure
    if misfit := _misfit(content, msgspec.to_builtins(record)):
        raise error(f"{where}: {misfit}")
    return record


def _reword(failure: str) -> str:
    """Msgspec's message in this project's words: what must hold, and what was found."""
    placed = _PLACE.fullmatch(failure)
    what, place = (placed["what"], placed["place"]) if placed else (failure, "")
    subject = f"field {place}" if place else "the record"
    if absent := _ABSENT.fullmatch(what):
        inner = f"{place}.{absent['name']}" if place else absent["name"]
        return f"field {inner} must be there, found none"
    if wrong := _TYPE.fullmatch(what):
        return f"{subject} must be {wrong['wanted']}{wrong['length'] or ''}, found {wrong['found']}"
    return f"{place}: {what}" if place else what


def _misfit(content: Any, known: Any, place: str = "") -> str | None:
    """What did not become part of the record, or is no finite number; None where all did."""
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(content, dict):
        for name, value in content.items():
            inner = f"{place}.{name}" if place else name
            if name not in known or not fits_utf8(name):
                return f"fields must be those of its record, found {shown(inner)}"
            pairs.append((inner, value, known[name]))
    elif isinstance(content, list):
        pairs += [
            (f"{place}[{k}]", *pair) for k, pair in enumerate(zip(content, known, strict=True))
        ]
    elif isinstance(content, str) and not fits_utf8(content):
        return f"field {place} must be a text that UTF-8 can hold, found {shown(content)}"
    elif isinstance(content, float) and not math.isfinite(content):
        return f"field {place} must be a finite number, found {content}"
    return next(filter(None, (_misfit(value, there, inner) for inner, value, there in pairs)), None)
