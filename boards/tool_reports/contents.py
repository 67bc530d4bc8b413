"""Whether the weights are in the netlist: what its memories start with is counted, store by store.

A memory that lost its contents on the way looks the same in every table of cells.
"""

import re
from pathlib import Path

from toreq_hw.boards.tool_reports import report_file
from toreq_hw.errors import ReportError
from toreq_hw.reading import Fields
from toreq_hw.rtl.images import MemoryImages

_STORE = re.compile(r"\bstore([0-9]{1,6})\.")
_CONTENTS = re.compile(r"INIT(VAL)?(_RAM)?(_\w+)?$")
_TABLE = re.compile(r"LUT|ALU|CARRY|CCU")
"""Cells whose INIT is a truth table, not a memory's contents."""

_WITHOUT_CONTENTS = re.compile(r"SPRAM|DFF|_FF")
"""Single-port blocks, and flip-flops of a store too small for a block: loaded, not initialised."""


def check_contents(netlist: Path, images: MemoryImages) -> None:
    """Compares ones of every store of weights, in the JSON netlist and as they should be.

    A store in single-port blocks or, where it is tiny, in flip-flops has no contents to count: it
    must only be there. Raises ReportError naming the store that is missing or differs.
    """
    found = _ones(netlist)
    for store, words in enumerate(images.stores):
        name = f"{netlist}: weight memory store{store}"
        if store not in found:
            raise ReportError(f"{name} must be in the netlist, found no cell of it")
        wanted, ones = sum(word.bit_count() for word in words), found[store]
        if ones is not None and ones != wanted:
            raise ReportError(f"{name} must start with {wanted} ones, found {ones}")


def _ones(netlist: Path) -> dict[int, int | None]:
    """Ones in the contents of each store's memory cells; None where there are none to count."""
    ones: dict[int, int | None] = {}
    cells = report_file.report(netlist).part("modules").part("top").part("cells")
    for name in cells.names():
        store = _STORE.search(name)
        if store is None:
            continue
        cell = cells.part(name)
        kind = cell.text("type")
        if kind.startswith("$") or _TABLE.search(kind):
            continue
        key = int(store[1])
        if _WITHOUT_CONTENTS.search(kind):
            ones.setdefault(key, None)
            continue
        parameters = cell.part("parameters")
        ones[key] = (ones.get(key) or 0) + sum(
            _count(parameters, field) for field in parameters.names() if _CONTENTS.match(field)
        )
    return ones


def _count(parameters: Fields, field: str) -> int:
    """Ones in a parameter: text of bits (x: never read) or a number."""
    if isinstance(parameters.value(field), str):
        return parameters.text(field).count("1")
    return parameters.count(field).bit_count()
