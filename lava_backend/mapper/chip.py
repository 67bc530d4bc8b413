"""A chip description: limits, synapse encoding, energy and time, each figure with its source."""

import hashlib
from dataclasses import replace
from pathlib import Path

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import InputError
from toreq_hw.reading import Fields, decode, parse_toml, read_bytes
from toreq_hw.records.chip import Chip, Figure

CHIPS = ("loihi1", "loihi2")
"""Descriptions that come with the project; any other is named by its file."""

_FOLDER = Path(__file__).parent.parent / "chips"
_MAX_BYTES = 1 << 16
_LARGEST_COUNT = 1 << 40
_LARGEST_FIGURE = 1e12
"""Of pJ or ns: a joule, or a quarter of an hour, for one event."""

_TABLES = {
    "": ("grid_columns", "grid_rows"),
    "limits": (
        "neurons_per_core",
        "synapse_bits_per_core",
        "axons_in_per_core",
        "axons_out_per_core",
        "message_bits",
        "accumulator_bits",
    ),
    "synapse": (
        "weight_bits",
        "ternary_weight_bits",
        "index_bits",
        "header_bits",
        "synapses_per_block",
        "word_bits",
        "axons_per_list",
    ),
    "energy": ("synop_pj", "update_pj", "message_pj", "hop_pj"),
    "time": ("step_ns", "synop_ns", "update_ns"),
}
"""What a description must hold, by table. Energy and time carry a range, the rest are counts."""

_RANGED = ("energy", "time")

_OPTIONAL = {"axons_per_list": (1, "not stated: every axon is taken to need a list of its own")}
"""Counts that a description may leave out, with their source then."""


@named_type_errors
def load_chip(name: str) -> Chip:
    """The description called `name`, one of `CHIPS` or the path of a TOML file.

    Raises InputError naming the file and the entry that is missing, out of range or without source.
    """
    path = _FOLDER / f"{name}.toml" if name in CHIPS else Path(name)
    try:
        read = read_bytes(path, _MAX_BYTES, InputError)
        content = parse_toml(decode(read, str(path), InputError), str(path), InputError)
    except InputError as error:
        known = ", ".join(CHIPS)
        raise InputError(f"chip must be {known} or a readable TOML file, found {error}") from None
    found = _chip(Fields(content, f"chip file {path.name}", InputError))
    told = f"lava_backend/chips/{path.name}" if name in CHIPS else name
    return replace(found, path=told, sha256=hashlib.sha256(read).hexdigest())


def _chip(fields: Fields) -> Chip:
    counts: dict[str, int] = {}
    figures: dict[str, Figure] = {}
    sources: dict[str, str] = {}
    tables = [table for table in _TABLES if table]
    _refuse_unknown(fields, ("name", *_TABLES[""], *tables))
    for table, keys in _TABLES.items():
        entries = fields.part(table) if table else fields
        if table:
            _refuse_unknown(entries, keys)
        for key in keys:
            if key in _OPTIONAL and key not in entries:
                counts[key], sources[key] = _OPTIONAL[key]
                continue
            entry = entries.part(key)
            _refuse_unknown(entry, _entry(table))
            sources[key] = source = entry.text("source")
            if not source.strip():
                raise entry.error("source", "say where the figure comes from", source)
            if table in _RANGED:
                figures[key] = _figure(entries, key, source)
            else:
                counts[key] = entry.integer("value", 1, _LARGEST_COUNT)
    name = fields.text("name")
    if not name:
        raise fields.error("name", "be text", name)
    wide, most = (counts["neurons_per_core"] - 1).bit_length(), counts["index_bits"]
    if most < wide:
        must = f"be at least {wide}, to number {counts['neurons_per_core']} neurons of a core"
        raise fields.part("synapse").error("index_bits", must, most)
    return Chip(name, counts, figures, sources, path="", sha256="")


def _refuse_unknown(fields: Fields, known: tuple[str, ...] | list[str]) -> None:
    """Raises InputError for a name that would be passed over."""
    for name in fields.names():
        if name not in known:
            raise fields.error(name, f"be named one of {', '.join(known)}", name)


def _entry(table: str) -> tuple[str, ...]:
    """Names in an entry of this table."""
    return ("value", "low", "high", "source") if table in _RANGED else ("value", "source")


def _figure(table: Fields, key: str, source: str) -> Figure:
    entry = table.part(key)
    low, value, high = (entry.number(k, 0.0, _LARGEST_FIGURE) for k in ("low", "value", "high"))
    if not 0 < low <= value <= high:
        raise table.error(key, "have 0 < low <= value <= high", f"{low:g}, {value:g}, {high:g}")
    return Figure(value, low, high, source)
