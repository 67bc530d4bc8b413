"""Gives operators operands of equal widths, so that no reader of the Verilog has to extend any.

Amaranth's RTLIL leaves operands as wide as they are and states widths beside them; Verilog
written from that means the same, and every linter remarks on it.
"""

import re

_SAME = {"$add", "$sub", "$mul", "$and", "$or", "$xor"}
"""As wide as the result: their low bits depend on low bits alone."""

_COMPARE = {"$eq", "$ne", "$lt", "$le", "$gt", "$ge"}
_SINGLE = {"$neg", "$not", "$shl", "$sshl"}
"""Only A is as wide as the result; what is shifted by keeps its own width."""

_CELL = re.compile(r"^  cell (\$\w+) .*?^  end$", re.MULTILINE | re.DOTALL)


def with_equal_widths(rtlil: str) -> str:
    """The same design in RTLIL text."""
    return _CELL.sub(_equalise, rtlil)


def _equalise(match: re.Match[str]) -> str:
    cell, kind = match[0], match[1]
    if kind in _SAME:
        width = _number(cell, "Y_WIDTH")
    elif kind in _COMPARE:
        width = max(_number(cell, "A_WIDTH"), _number(cell, "B_WIDTH"))
    elif kind in _SINGLE:
        return _resize(cell, "A", _number(cell, "Y_WIDTH"), _number(cell, "A_SIGNED") == 1)
    else:
        return cell
    is_signed = _number(cell, "A_SIGNED") == 1 and _number(cell, "B_SIGNED") == 1
    return _resize(_resize(cell, "A", width, is_signed), "B", width, is_signed)


def _number(cell: str, name: str) -> int:
    found = re.search(rf"parameter \\{name} (\d+)", cell)
    assert found is not None, cell
    return int(found[1])


def _resize(cell: str, port: str, width: int, is_signed: bool) -> str:
    """Extends or cuts what is connected to `port`."""
    now = _number(cell, f"{port}_WIDTH")
    if now == width:
        return cell
    connected = re.search(rf"connect \\{port} (.*)$", cell, re.MULTILINE)
    assert connected is not None, cell
    signal = connected[1]
    if now > width:
        new = f"{signal} [{width - 1}:0]"
    elif now == 0:
        new = f"{width}'{'0' * width}"
    elif is_signed:
        new = "{ " + f"{signal} [{now - 1}] " * (width - now) + signal + " }"
    else:
        new = f"{{ {width - now}'{'0' * (width - now)} {signal} }}"
    cell = cell.replace(connected[0], f"connect \\{port} {new}")
    return cell.replace(f"parameter \\{port}_WIDTH {now}", f"parameter \\{port}_WIDTH {width}")
