"""A chip description: limits, synapse encoding, energy and time, each figure with its source."""

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toreq_hw.errors import InputError

CHIPS = ("loihi1", "loihi2")
"""Descriptions that come with the project; any other is named by its file."""

_FOLDER = Path(__file__).parent.parent / "chips"

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
    ),
    "energy": ("synop_pj", "update_pj", "message_pj", "hop_pj"),
    "time": ("step_ns", "synop_ns", "update_ns"),
}
"""What a description must hold, by table. Energy and time carry a range, the rest are counts."""


@dataclass(frozen=True)
class Figure:
    """A figure of merit with the spread of its sources: low <= value <= high."""

    value: float
    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Chip:
    """A checked description.

    counts: whole numbers by name, of the grid, the limits and the synapse encoding. figures:
    energies in pJ and times in ns, by name. sources: where each of both comes from.
    """

    name: str
    counts: dict[str, int]
    figures: dict[str, Figure]
    sources: dict[str, str]

    @property
    def cores(self) -> int:
        """Neurocores on one chip."""
        return self.counts["grid_columns"] * self.counts["grid_rows"]

    def describe(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def load_chip(name: str) -> Chip:
    """The description called `name`, one of `CHIPS` or the path of a TOML file.

    Raises InputError naming the file and the entry that is missing, silly or without source.
    """
    path = _FOLDER / f"{name}.toml" if name in CHIPS else Path(name)
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except (OSError, ValueError) as error:
        known = ", ".join(CHIPS)
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"chip must be {known} or a readable TOML file, found {name!r}: {reason}"
        ) from None
    try:
        return _chip(content)
    except InputError as error:
        raise InputError(f"chip file {path.name}: {error}") from None


def _chip(content: dict[str, Any]) -> Chip:
    name = content.get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"name must be a text, not {name!r}")
    counts: dict[str, int] = {}
    figures: dict[str, Figure] = {}
    sources: dict[str, str] = {}
    for table, keys in _TABLES.items():
        entries = content.get(table, {}) if table else content
        for key in keys:
            full = f"{table}.{key}" if table else key
            entry = entries.get(key) if isinstance(entries, dict) else None
            if not isinstance(entry, dict):
                raise InputError(f"{full} must be given as {{ value, source }}, found {entry!r}")
            sources[key] = _source(full, entry)
            if table in ("energy", "time"):
                figures[key] = _figure(full, entry, sources[key])
            else:
                counts[key] = _count(full, entry)
    return Chip(name, counts, figures, sources)


def _source(full: str, entry: dict[str, Any]) -> str:
    source = entry.get("source")
    if not isinstance(source, str) or not source.strip():
        raise InputError(f"{full}.source must say where the figure comes from, found {source!r}")
    return source


def _count(full: str, entry: dict[str, Any]) -> int:
    value = entry.get("value")
    if type(value) is not int or not 1 <= value <= 1 << 40:
        raise InputError(f"{full}.value must be a whole number in 1..2^40, not {value!r}")
    return value


def _figure(full: str, entry: dict[str, Any], source: str) -> Figure:
    values = [entry.get(key) for key in ("low", "value", "high")]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) != 3 or not 0 < numbers[0] <= numbers[1] <= numbers[2] < float("inf"):
        raise InputError(
            f"{full} must have 0 < low <= value <= high, found low, value, high = {values}"
        )
    return Figure(numbers[1], numbers[0], numbers[2], source)
