"""What Yosys counted: `stat -json` after synthesis."""

from dataclasses import dataclass
from pathlib import Path

from toreq_hw.boards.tool_reports import report_file
from toreq_hw.errors import ReportError


@dataclass(frozen=True)
class Synthesis:
    """cells: of the flattened design, by type. memory_bits: left unmapped, always 0."""

    cells: dict[str, int]

    def of(self, *prefixes: str) -> int:
        """Cells whose type begins with one of `prefixes`."""
        return sum(n for name, n in self.cells.items() if name.startswith(prefixes))


def parse(path: Path) -> Synthesis:
    """Raises ReportError where a field is absent, or memories or processes were not mapped."""
    design = report_file.report(path).part("design")
    for name in ("num_memories", "num_memory_bits", "num_processes"):
        if design.count(name):
            raise design.error(name, "be 0 after synthesis", design.count(name))
    by_type = design.part("num_cells_by_type")
    cells = {name: by_type.count(name) for name in by_type.names()}
    if sum(cells.values()) != design.count("num_cells"):
        raise design.error("num_cells", f"be {sum(cells.values())}", design.count("num_cells"))
    mapped = {name: number for name, number in cells.items() if not name.startswith("$")}
    if not sum(mapped.values()):
        raise ReportError(f"{path}: the design must have cells, found none: all optimised away")
    return Synthesis(mapped)
