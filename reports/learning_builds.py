"""The parts of the page of cores that learn on what was built, what was not, and why."""

from collections.abc import Sequence

from toreq_hw.records.energy import EnergyRecord
from toreq_hw.records.learning import Learner
from toreq_hw.reports.page import Section, Table

LEFT_OUT = "left out with --no-build"
"""Why a learner is not built that nobody asked to be."""


def energy_shown(row: Learner) -> EnergyRecord:
    """A core that is not built has no estimate for the very reason that it is not."""
    return row.energy if row.synthesis else EnergyRecord(absent=row.not_built)


def not_built_sections(rows: Sequence[Learner]) -> list[Section]:
    """What failed to be built, and what nobody asked to be, each where there is any."""
    without = [row for row in rows if row.not_built]
    parts = (
        ("What could not be built", [row for row in without if row.not_built != LEFT_OUT]),
        ("Not built", [row for row in without if row.not_built == LEFT_OUT]),
    )
    return [
        Section(title, table=Table(("learner", "why"), tuple((r.name, r.not_built) for r in found)))
        for title, found in parts
        if found
    ]


def made_of_section(rows: Sequence[Learner]) -> Section:
    """Settings, and which design and bitstream came of them."""
    header = ("learner", "settings", "design", "bitstream SHA-256", "built from today's sources")
    lines = []
    for row in rows:
        built = row.synthesis
        lines.append(
            (
                row.name,
                row.settings,
                built.design[:16] if built else "-",
                built.bitstream.sha256[:16] if built else "-",
                "-" if built is None else "no" if row.outdated else "yes",
            )
        )
    text = (
        "The bitstream holds the network as it is before its first sample, seed 1. In the settings "
        "f are the fraction bits of both couplings, input side first, and k their learning rates "
        "2^-k, in the same order (docs/numerics.md). The last column: whether core and link were "
        "still the same when the record was last written."
    )
    return Section("What they were made of", text, Table(header, tuple(lines)))
