"""What a file is, by its first bytes: every kind that a command reads or writes, and some others.

Only a beginning is read and nothing is trusted: the reader of the kind checks the rest.
"""

import json
import re
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from toreq_hw.errors import InputError
from toreq_hw.reading import MAX_RECORD_BYTES, read_beginning
from toreq_hw.records.kinds import record_kind

_BEGINNING = 1 << 20
"""Bytes that are looked at; a safetensors header may be longer, and is read whole."""

_MAX_HEADER = 1 << 24


class Kind(StrEnum):
    """The value is how a sentence calls it."""

    NETWORK = "a network file"
    CHECKPOINT = "a checkpoint"
    FLOAT_MODEL = "a float model"
    ONNX = "an ONNX graph"
    FAULT_MAP = "a fault map"
    CHIP = "a chip description"
    DESCRIPTION = "a description of a network"
    TRIALS = "finished trials of a campaign, version 1"
    LEDGER = "finished runs of a study"
    RECORD = "a record of a command"
    IDX = "IDX data"
    PICKLE = "a pickle or an archive, which could run code when read"
    OTHER = "a file of another kind"


@dataclass(frozen=True)
class Use:
    """What may be done with a kind of file: commands that take it, with {} for its path."""

    commands: tuple[str, ...] = ()

    def example(self, path: Path | str) -> str:
        """The first command, ready to be typed."""
        return self.commands[0].format(path) if self.commands else ""


USES = {
    Kind.NETWORK: Use(
        (
            "toreq-hw simulate {}",
            "toreq-hw inject {} --layer dead_neurons --levels 0:0.9:10",
            "toreq-hw replay {} MAP",
            "toreq-hw relearn {} --level 0.1",
            "toreq-hw export {}",
            "toreq-hw rtl {}",
            "toreq-hw lazy {}",
            "toreq-hw cosine {}",
            "toreq-hw synth {} --board icebreaker",
            "toreq-hw deploy {} --target loihi",
            "toreq-hw train --from {} --out NEW",
        )
    ),
    Kind.CHECKPOINT: Use(
        (
            "toreq-hw train --resume {} --out NETWORK",
            "toreq-hw deploy --target icebreaker --train DATA --resume {} --port sim --out NETWORK",
            "toreq-hw relearn {} --level 0.1",
        )
    ),
    Kind.FLOAT_MODEL: Use(("toreq-hw quantize {} --out NETWORK",)),
    Kind.ONNX: Use(("toreq-hw import {} --out NETWORK", "toreq-hw quantize {} --out NETWORK")),
    Kind.FAULT_MAP: Use(("toreq-hw replay NETWORK {}",)),
    Kind.CHIP: Use(("toreq-hw deploy --target loihi --chip {}",)),
    Kind.DESCRIPTION: Use(("toreq-hw train --network {} --out NETWORK",)),
    Kind.LEDGER: Use(("the command of its study, which finds it in its work folder and goes on",)),
}
"""Of kinds that a command reads."""

PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""What pickles and files of `torch.save` begin with; a safetensors file may begin so too."""
_ONNX_FIELDS = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72)
"""Tags of what may follow the version of an ONNX model."""

_TRIAL = ("level", "trial", "samples", "accuracy")
_LEDGER = ("ledger", "study", "shared")
_CHIP = re.compile(rb"^\s*\[(limits|synapse|energy|time)\]", re.MULTILINE)
_DESCRIPTION = re.compile(rb"^\s*layers\s*=\s*\[", re.MULTILINE)
_FORMATS = {"toreq-hw fault map": Kind.FAULT_MAP}


def kind_of(path: Path) -> Kind:
    """The kind of a file. Raises InputError for one that cannot be read, or is no regular file."""
    head, size = read_beginning(path, _BEGINNING, InputError)
    found = _tensors(path, head, size)  # first: it begins with a length, which may be any bytes
    if found is not Kind.OTHER:
        return found
    if head.startswith(PICKLES):
        return Kind.PICKLE
    if _start(head).startswith(b"\0\0\x08"):
        return Kind.IDX
    if head[:1] == b"\x08" and len(head) > 2 and head[1] < 64 and head[2] in _ONNX_FIELDS:
        return Kind.ONNX
    found = _text(head)
    return _json_file(path, head, size) if found is Kind.RECORD else found


def check_kind(label: str, path: Path, kinds: tuple[Kind, ...]) -> None:
    """Raises InputError where a file is known to be of another kind than `kinds`.

    label: what a person calls the file. An absent file and one of no known kind are left to the
    reader, which knows better what is wrong with them.
    """
    if not path.is_file():
        return
    found = kind_of(path)
    if found in (*kinds, Kind.OTHER):
        return
    use = USES.get(found, Use()).example(path)
    hint = f"; {use} takes it" if use else ""
    wanted = " or ".join(kind.value for kind in kinds if kind is not Kind.PICKLE)
    raise InputError(f"{path}: {label} must be {wanted}, found {found.value}{hint}")


def _start(head: bytes) -> bytes:
    """A few bytes, unpacked where they are gzipped."""
    if not head.startswith(b"\x1f\x8b"):
        return head[:16]
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 16)
    except zlib.error:
        return b""


def _tensors(path: Path, head: bytes, size: int) -> Kind:
    """Which of the safetensors files: the metadata say it. OTHER for a file that is none."""
    if head[8:9] != b"{":
        return Kind.OTHER
    (length,) = struct.unpack("<Q", head[:8])
    if length > min(size, _MAX_HEADER):
        return Kind.OTHER
    if length + 8 > len(head):
        head, _ = read_beginning(path, length + 8, InputError)
    header = _json(head[8 : 8 + length])
    if not isinstance(header, dict):
        return Kind.OTHER
    metadata = header.get("__metadata__")
    named = metadata if isinstance(metadata, dict) else {}
    if "training" in named:
        return Kind.CHECKPOINT
    return Kind.NETWORK if "network" in named else Kind.FLOAT_MODEL


def _json_file(path: Path, head: bytes, size: int) -> Kind:
    """A record, by its fields, or a file of another kind."""
    if len(head) < size:
        head, _ = read_beginning(path, MAX_RECORD_BYTES, InputError)
    found = _json(head)
    is_record = isinstance(found, dict) and record_kind(found) is not None
    return Kind.RECORD if is_record else Kind.OTHER


def _text(head: bytes) -> Kind:
    """By the beginning; RECORD for what may be any JSON object."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    first, newline, _ = text.partition(b"\n")
    if text.startswith(b"{"):
        line = _json(first) if newline else None
        if isinstance(line, dict) and all(name in line for name in _TRIAL):
            return Kind.TRIALS
        if isinstance(line, dict) and all(name in line for name in _LEDGER):
            return Kind.LEDGER
        named = re.search(rb'"format"\s*:\s*"([^"]{1,80})"', text[:4096])
        by_format = _FORMATS.get(named[1].decode("ascii", "replace")) if named else None
        return by_format or Kind.RECORD
    if _CHIP.search(text) and b"source" in text:
        return Kind.CHIP
    return Kind.DESCRIPTION if _DESCRIPTION.search(text) and b"input" in text else Kind.OTHER


def _json(content: bytes) -> Any:
    """The value, or None."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
