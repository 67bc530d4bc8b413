"""The part of the page of designs on boards that estimates energy, and says on what it rests."""

from collections.abc import Callable, Sequence

from toreq_hw.records.energy import Coefficient, Coefficients, EnergyParts, Range
from toreq_hw.records.synthesis import Design
from toreq_hw.reports.page import Section, Table

_TERMS: tuple[tuple[str, Callable[[EnergyParts], Range]], ...] = (
    ("at rest", lambda of: of.fixed),
    ("clock", lambda of: of.clock),
    ("flip-flops", lambda of: of.flip_flops),
    ("toggles", lambda of: of.toggles),
    ("memories", lambda of: of.memories),
    ("ESTIMATE in all", lambda of: of.total),
)

_COEFFICIENTS: tuple[tuple[str, Callable[[Coefficients], Coefficient]], ...] = (
    ("power at rest, PLL included where known", lambda of: of.fixed),
    ("a cycle of the clock's network", lambda of: of.clock),
    ("a cycle of a flip-flop", lambda of: of.flip_flop),
    ("a toggle of a register's bit", lambda of: of.toggle),
    ("a bit read from or written to a memory", lambda of: of.memory_bit),
)


def energy_sections(rows: Sequence[Design]) -> list[Section]:
    """Two sections: the ranges of every row, and the coefficients with their sources."""
    header = ("design", "toggles an image", "memory bits", *(f"{title}, uJ" for title, _ in _TERMS))
    lines, absent = [], []
    for row in rows:
        energy = row.energy.estimate
        if energy is None:
            absent.append(f"{row.title}: {row.energy.why_absent}")
            continue
        activity = energy.activity
        bits = activity.read_bits + activity.written_bits
        ranges = tuple(_range(term(energy.uj)) for _, term in _TERMS)
        lines.append((row.title, f"{activity.toggles:,.0f}", f"{bits:,.0f}", *ranges))
    if not lines:
        return [Section("Energy of an image", "Absent. " + "; ".join(absent) + ".")]
    text = (
        "ESTIMATE, not a measurement: no board was measured. Bits of registers that change and "
        "bits of memory read and written are counted in the core, cycle for cycle, over the first "
        f"{activity.images} test images, free phase; they are multiplied by published energies "
        "of such devices, each a range, listed below. Flip-flops are those of the whole design; "
        "what the link does meanwhile, pins, oscillator and the rest of the board are not in it."
    )
    if absent:
        text += " Absent: " + "; ".join(absent) + "."
    return [
        Section("Energy of an image (ESTIMATE)", text, Table(header, tuple(lines))),
        _sources(rows),
    ]


def _range(ends: Range) -> str:
    return f"{ends.low:.2g} to {ends.high:.2g}"


def _sources(rows: Sequence[Design]) -> Section:
    """A line for each coefficient and board; boards with equal ones share it."""
    boards: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        energy = row.energy.estimate
        if energy is None:
            continue
        for title, coefficient in _COEFFICIENTS:
            c = coefficient(energy.coefficients)
            line = (title, f"{c.low:.3g} to {c.high:.3g} {c.unit}")
            name = row.synthesis.board
            named = boards.setdefault((*line, c.reason, c.source), [])
            if name not in named:
                named.append(name)
    lines = tuple(
        (what, ", ".join(names), value, reason, source)
        for (what, value, reason, source), names in boards.items()
    )
    header = ("coefficient", "boards", "range", "why", "source")
    return Section("What the estimate of energy rests on", table=Table(header, lines))
