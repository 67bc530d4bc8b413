"""What an output may replace: an empty file, or a result of ours.

Kept work has a rule of its own, in `cli/checked.py`: only its own run replaces it.
"""

import json
from pathlib import Path

from toreq_hw.destinations import Destination, Way
from toreq_hw.errors import InputError
from toreq_hw.file_kinds import Kind, kind_of
from toreq_hw.reading import MAX_RECORD_BYTES, read_beginning

_OURS = (
    Kind.NETWORK,
    Kind.CHECKPOINT,
    Kind.FLOAT_MODEL,
    Kind.FAULT_MAP,
    Kind.TRIALS,
    Kind.LEDGER,
    Kind.RECORD,
)
"""Kinds that only commands of ours write, or that are kept work."""

_ONNX_PRODUCER = b"toreq_hw"
_BEGINNING = 64
"""Bytes that hold the producer of a graph."""

_PICTURES = {
    "--gif": (0, b"GIF8"),
    "--mp4": (4, b"ftyp"),
    "--record": (0, b"PK\x03\x04"),
}
"""Place and text of what files begin with that do not say who wrote them, by their option."""


PAGE_SUFFIX = ".html"
"""Of pages, whose names in a folder others use too, such as index.html."""

_PAGES = (b'<meta name="generator" content="toreq-hw">', b"<title>Reports in ")
_HEAD = 512
"""What a page of ours says of itself, lists of older versions too, and bytes that hold it."""

_CONTINUED = ("--store",)
"""Options of files that are written on; their commands read them first."""


def check_replaced(label: str, place: Destination, *, with_overwrite: bool) -> None:
    """Raises InputError where an output would replace a file that is no result of ours.

    label: the option that names the output. with_overwrite: whether the command has --overwrite.
    """
    if place.way is not Way.REPLACED or not place.exists or label in _CONTINUED:
        return
    head, size = read_beginning(place.target, _BEGINNING, InputError)
    if not size or _is_ours(label, place.target, head):
        return
    way = "name another file, or use --overwrite" if with_overwrite else "name another file"
    raise InputError(
        f"{place.path}: {label} must name a new file or a result of toreq-hw, found "
        f"{_said(kind_of(place.target))}; {way}"
    )


def _said(kind: Kind) -> str:
    """How a sentence calls what was found."""
    return "a file that toreq-hw did not write" if kind is Kind.OTHER else kind.value


def _is_ours(label: str, path: Path, head: bytes) -> bool:
    start, wanted = _PICTURES.get(label, (0, b""))
    if wanted and head[start:].startswith(wanted):
        return True
    kind = kind_of(path)
    if kind is Kind.ONNX:
        return _ONNX_PRODUCER in head
    return kind in _OURS or _is_page(path) or _is_record(path)


def _is_page(path: Path) -> bool:
    head, _ = read_beginning(path, _HEAD, InputError)
    return any(mark in head for mark in _PAGES)


def _is_record(path: Path) -> bool:
    """Whether a file is JSON with versions, as records of older versions and of `info` are."""
    head, _ = read_beginning(path, 1, InputError)
    if head != b"{":
        return False
    content, _ = read_beginning(path, MAX_RECORD_BYTES, InputError)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    versions = found.get("versions") if isinstance(found, dict) else None
    return isinstance(versions, dict) and "toreq-hw" in versions
