"""What the packer wrote: a bitstream is checked for its format's marks before it counts as one."""

import hashlib
from pathlib import Path
from typing import assert_never

from toreq_hw.boards.board import Family
from toreq_hw.boards.tool_reports import report_file
from toreq_hw.errors import ReportError
from toreq_hw.records.design import Bitstream

_ICE40_SYNC = bytes.fromhex("7eaa997e")
_ECP5_PREAMBLE = bytes.fromhex("ffffbdb3")
_HEADER_BYTES = 4096
"""Comments and padding come before the mark."""


def parse(path: Path, family: Family) -> Bitstream:
    """Raises ReportError where the file is absent, empty or of another format."""
    content = report_file.bitstream(path)
    if not _is_bitstream(content, family):
        raise ReportError(
            f"{path}: must be a bitstream for {family.value}, found {len(content)} bytes "
            "without its marks"
        )
    return Bitstream(path.name, len(content), hashlib.sha256(content).hexdigest())


def _is_bitstream(content: bytes, family: Family) -> bool:
    match family:
        case Family.ICE40:
            return _ICE40_SYNC in content[:_HEADER_BYTES]
        case Family.ECP5:
            return _ECP5_PREAMBLE in content[:_HEADER_BYTES]
        case Family.GOWIN:
            lines = [line for line in content.split(b"\n") if line and not line.startswith(b"//")]
            return len(lines) > 1 and all(set(line) <= set(b"01") for line in lines)
        case _:
            assert_never(family)
