"""Which run made a file: networks, checkpoints and float models carry its name.

A run is a command with its settings, as `run_name` hashes them. The same command line gives the
same name wherever its results go, so that it may replace its own results and no others.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toreq_hw.errors import InputError
from toreq_hw.reading import parse_json

_MAX_HEADER_BYTES = 1 << 24


_MAX_LINE_BYTES = 1 << 16


@dataclass(frozen=True)
class KeptWork:
    """What a file holds that took work to make: its kind, and the run that made it, if known."""

    kind: str
    run: str | None


def run_name(command: str, settings: Mapping[str, Any]) -> str:
    """16 hexadecimal digits for a command and those of its settings that are not defaults."""
    content = json.dumps([command, dict(settings)], sort_keys=True, default=str)
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def kept_work(path: Path) -> KeptWork | None:
    """What the file at `path` holds; None for what is no kept work, or cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
            length = int.from_bytes(start[:8], "little")
            if start[8:] == b"{" and length <= _MAX_HEADER_BYTES:
                return _safetensors(start[8:] + file.read(length - 1))
            return _trials(start + file.read(_MAX_LINE_BYTES))
    except (OSError, InputError):
        return None


def _safetensors(header: bytes) -> KeptWork:
    """Of a network file, a checkpoint, or any other file of tensors."""
    metadata = parse_json(header.decode("utf-8", "replace"), "", InputError).get("__metadata__", {})
    for entry, kind in (("network", "a network"), ("training", "a checkpoint")):
        if isinstance(metadata, dict) and isinstance(metadata.get(entry), str):
            found = parse_json(metadata[entry], "", InputError)
            run = found.get("run") if isinstance(found, dict) else None
            return KeptWork(kind, run if isinstance(run, str) else None)
    run = metadata.get("run") if isinstance(metadata, dict) else None
    return KeptWork("tensors", run if isinstance(run, str) else None)


def _trials(start: bytes) -> KeptWork | None:
    """Of a study's ledger, or a store of trials of version 1, by its first line."""
    line, end, _ = start.partition(b"\n")
    if not end or not line.startswith(b"{"):
        return None
    found = parse_json(line.decode("utf-8", "replace"), "", InputError)
    if isinstance(found, dict) and {"ledger", "study", "shared"} <= set(found):
        return KeptWork("the finished runs of a study", None)
    if isinstance(found, dict) and {"level", "trial", "accuracy"} <= set(found):
        return KeptWork("the trials of a campaign", None)
    return None
