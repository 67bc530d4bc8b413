"""The part of the page of designs on boards that estimates energy, and says on what it rests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from toreq_hw.records.energy import Coefficient, Coefficients, EnergyParts, EnergyRecord, Range
from toreq_hw.reports.numbers import span
from toreq_hw.reports.page import Section, Table


@dataclass(frozen=True)
class EnergyRow:
    """A design and its estimate. title: what it is called in the tables."""

    title: str
    board: str
    energy: EnergyRecord


@dataclass(frozen=True)
class Counted:
    """What activity is counted over. unit: one of it, such as image. over: all of them, in words,
    with {} for how many.
    """

    unit: str
    over: str


IMAGES = Counted("image", "the first {} test images, free phase")


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


def energy_sections(rows: Sequence[EnergyRow], counted: Counted = IMAGES) -> list[Section]:
    """Two sections: the ranges of every row, and the coefficients with their sources."""
    terms = tuple(f"{title}, uJ" for title, _ in _TERMS)
    header = ("design", f"toggles {_article(counted.unit)}", "memory bits", *terms)
    lines, absent, count = [], [], 0
    for row in rows:
        energy = row.energy.estimate
        if energy is None:
            absent.append(f"{row.title}: {row.energy.why_absent}")
            continue
        activity = energy.activity
        count = activity.images
        bits = activity.read_bits + activity.written_bits
        ranges = tuple(_range(term(energy.uj)) for _, term in _TERMS)
        lines.append((row.title, f"{activity.toggles:,.0f}", f"{bits:,.0f}", *ranges))
    title = f"Energy of {_article(counted.unit)}"
    if not lines:
        return [Section(title, "Absent. " + "; ".join(absent) + ".")]
    text = (
        "ESTIMATE, not a measurement: no board was measured. Bits of registers that change and "
        "bits of memory read and written are counted in the core, cycle for cycle, over "
        f"{counted.over.format(count)}; they are multiplied by published energies "
        "of such devices, each a range, listed below. Flip-flops are those of the whole design; "
        "what the link does meanwhile, pins, oscillator and the rest of the board are not in it."
    )
    if absent:
        text += " Absent: " + "; ".join(absent) + "."
    return [Section(f"{title} (ESTIMATE)", text, Table(header, tuple(lines))), _sources(rows)]


def _article(unit: str) -> str:
    return f"an {unit}" if unit[0] in "aeiou" else f"a {unit}"


def _range(ends: Range) -> str:
    return span(f"{ends.low:.2g}", f"{ends.high:.2g}")


def _sources(rows: Sequence[EnergyRow]) -> Section:
    """A line for each coefficient and board; boards with equal ones share it."""
    boards: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        energy = row.energy.estimate
        if energy is None:
            continue
        for title, coefficient in _COEFFICIENTS:
            c = coefficient(energy.coefficients)
            line = (title, f"{span(f'{c.low:.3g}', f'{c.high:.3g}')} {c.unit}")
            name = row.board
            named = boards.setdefault((*line, c.reason, c.source), [])
            if name not in named:
                named.append(name)
    lines = tuple(
        (what, ", ".join(names), value, reason, source)
        for (what, value, reason, source), names in boards.items()
    )
    header = ("coefficient", "boards", "range", "why", "source")
    return Section("What the estimate of energy rests on", table=Table(header, lines))
