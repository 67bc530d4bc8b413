"""The files that tools leave: they are read through `toreq_hw.reading`."""

from pathlib import Path

from toreq_hw.errors import ReportError
from toreq_hw.reading import Fields, read_bytes, read_fields, read_log

_MAX_BYTES = 1 << 30
"""Of a report, a netlist, a log or a bitstream: far above those of the largest device here."""


def report(path: Path) -> Fields:
    """A tool's JSON report. Raises ReportError naming the file and the field."""
    return read_fields(path, _MAX_BYTES, ReportError)


def log(path: Path) -> str:
    """What a tool printed. Raises ReportError naming the file."""
    return read_log(path, _MAX_BYTES, ReportError)


def bitstream(path: Path) -> bytes:
    """What a packer wrote. Raises ReportError naming the file."""
    return read_bytes(path, _MAX_BYTES, ReportError)
