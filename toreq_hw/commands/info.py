"""`toreq-hw info`: what a file is, what is in it, and which commands take it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from toreq_hw import network
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.info_details import details
from toreq_hw.cli.options import json_option
from toreq_hw.cli.paths import InputFile
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.file_kinds import USES, Kind, Use, kind_of
from toreq_hw.files import write_json
from toreq_hw.network.support import require_pairs
from toreq_hw.versions import versions

_MOST = 12
"""Entries of a list that are printed; --json has them all."""

_ANY_NETWORK = ("simulate", "train")
"""Commands that take networks of every kind, attention and feedback of its own included."""

_RELAXING_OUTPUT = ("inject", "replay", "rtl", "lazy", "synth", "deploy")
"""Commands that refuse a clamped readout."""

_WITH_DATA = ("simulate", "inject", "relearn", "lazy", "cosine", "deploy", "train")
"""Commands with --data, which is digits where nobody says otherwise."""

_OWN = " --data DATA"

_APART = ("file", "kind", "commands", "versions", "fields")
"""Printed in another way, or for machines only."""


@checked_command(epilog="Example: toreq-hw info build/sim/network.safetensors")
@click.argument("path", metavar="FILE", type=InputFile())
@json_option
def command(path: Path, json_path: Path | None) -> None:
    """Say what FILE is, what is in it, who made it, and which commands take it.

    FILE may be a network file, checkpoint, float model, ONNX graph, fault map or chip description.
    It may be trials of a campaign, a record of --json, or a data set's IDX file. The whole file is
    read and checked, as the commands that take it do.
    """
    kind = kind_of(path)
    if kind is Kind.OTHER:
        known = ", ".join(k.value for k in Kind if k not in (Kind.OTHER, Kind.PICKLE))
        raise InputError(f"{path}: must be one of: {known}; found {kind.value}")
    taken = [text.format(path) for text in _commands(path, kind)]
    record: dict[str, Any] = {
        "file": str(path),
        "kind": kind.name.lower().replace("_", " "),
        "bytes": path.stat().st_size,
        **details(path, kind),
        "commands": taken,
        "versions": versions(),
    }
    if json_path:
        write_json(json_path, record)
    console.output.print(f"{path}: {kind.value}")
    for line in _lines(record):
        console.output.print(f"  {line}")
    if taken:
        console.output.print("commands that take it:")
    for text in taken:
        console.output.print(f"  {text}")
    if kind is Kind.PICKLE:
        console.output.print(
            "no command reads it; where you trust it, safetensors.torch.save_file(torch.load("
            "PATH, weights_only=True), 'model.safetensors') converts a state_dict"
        )


def _commands(path: Path, kind: Kind) -> tuple[str, ...]:
    """Those that take the file; of a network, without those that refuse its parts."""
    commands = USES.get(kind, Use()).commands
    if kind is not Kind.NETWORK:
        return commands
    loaded = network.load(path)
    if loaded.encoding is not None:  # else they would take digits
        commands = tuple(text + _OWN * (text.split()[1] in _WITH_DATA) for text in commands)
    try:
        require_pairs(loaded, "here")
    except NetworkError:
        return tuple(text for text in commands if text.split()[1] in _ANY_NETWORK)
    if loaded.readout is None:
        return commands
    return tuple(text for text in commands if text.split()[1] not in _RELAXING_OUTPUT)


def _lines(record: dict[str, Any]) -> Iterator[str]:
    """What a person reads of a record: a name and its value a line."""
    for name, value in record.items():
        title = name.replace("_", " ")
        if name in _APART or value in (None, [], {}):
            continue
        if isinstance(value, list) and isinstance(value[0], dict):
            yield from (f"{title}: {text}" for text in _shorten([_entry(v) for v in value]))
        elif isinstance(value, list):
            yield f"{title}: {', '.join(_shorten([str(entry) for entry in value]))}"
        elif isinstance(value, dict):
            yield f"{title}: {', '.join(_shorten([f'{k} {v}' for k, v in value.items()]))}"
        else:
            yield f"{title}: {value:,}" if name == "bytes" else f"{title}: {value}"


def _entry(entry: dict[str, Any]) -> str:
    """One part of a network or a file in a line."""
    return ", ".join(
        str(value) if name in ("name", "role") else f"{name.replace('_', ' ')} {value}"
        for name, value in entry.items()
    )


def _shorten(texts: list[str]) -> list[str]:
    """The first few, and how many there are beyond."""
    left = len(texts) - _MOST
    return [*texts[:_MOST], f"and {left} more"] if left > 0 else texts
