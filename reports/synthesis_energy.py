"""The part of the page of designs on boards that estimates energy, and says on what it rests."""

from collections.abc import Mapping, Sequence
from typing import Any

from toreq_hw.reports.page import Section, Table
from toreq_hw.reports.synthesis_names import name_of

Record = Mapping[str, Any]

_TERMS = (
    ("at rest", "fixed"),
    ("clock", "clock"),
    ("flip-flops", "flip_flops"),
    ("toggles", "toggles"),
    ("memories", "memories"),
    ("ESTIMATE in all", "total"),
)

_COEFFICIENTS = {
    "fixed": "power at rest, PLL included where known",
    "clock": "a cycle of the clock's network",
    "flip_flop": "a cycle of a flip-flop",
    "toggle": "a toggle of a register's bit",
    "memory_bit": "a bit read from or written to a memory",
}


def energy_sections(rows: Sequence[Record]) -> list[Section]:
    """Two sections: the ranges of every row, and the coefficients with their sources."""
    header = ("design", "toggles an image", "memory bits", *(f"{title}, uJ" for title, _ in _TERMS))
    lines, absent = [], []
    for row in rows:
        energy = row["energy"]
        if "absent" in energy:
            absent.append(f"{name_of(row)}: {energy['absent']}")
            continue
        activity = energy["activity"]
        bits = activity["read_bits"] + activity["written_bits"]
        ranges = tuple(_range(energy["uj"][key]) for _, key in _TERMS)
        lines.append((name_of(row), f"{activity['toggles']:,.0f}", f"{bits:,.0f}", *ranges))
    if not lines:
        return [Section("Energy of an image", "Absent. " + "; ".join(absent) + ".")]
    text = (
        "ESTIMATE, not a measurement: no board was measured. Bits of registers that change and "
        "bits of memory read and written are counted in the core, cycle for cycle, over the first "
        f"{activity['images']} test images, free phase; they are multiplied by published energies "
        "of such devices, each a range, listed below. Flip-flops are those of the whole design; "
        "what the link does meanwhile, pins, oscillator and the rest of the board are not in it."
    )
    if absent:
        text += " Absent: " + "; ".join(absent) + "."
    return [
        Section("Energy of an image (ESTIMATE)", text, Table(header, tuple(lines))),
        _sources(rows),
    ]


def _range(ends: Record) -> str:
    return f"{ends['low']:.2g} to {ends['high']:.2g}"


def _sources(rows: Sequence[Record]) -> Section:
    """A line for each coefficient and board; boards with equal ones share it."""
    boards: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        for key, title in _COEFFICIENTS.items():
            if "absent" in row["energy"]:
                continue
            c = row["energy"]["coefficients"][key]
            line = (title, f"{c['low']:.3g} to {c['high']:.3g} {c['unit']}")
            name = row["synthesis"]["board"]
            named = boards.setdefault((*line, c["reason"], c["source"]), [])
            if name not in named:
                named.append(name)
    lines = tuple(
        (what, ", ".join(names), value, reason, source)
        for (what, value, reason, source), names in boards.items()
    )
    header = ("coefficient", "boards", "range", "why", "source")
    return Section("What the estimate of energy rests on", table=Table(header, lines))
