"""What the datasheet says of the modules around a core: their ports, and the registers."""

import re

from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.named_ports import NAMED_TOP, named_ports
from toreq_hw.rtl.bus.registers import registers
from toreq_hw.rtl.bus.texts import registers_table
from toreq_hw.rtl.parameters import CoreParameters

_PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)


def module_sections(parameters: CoreParameters, bus: Bus, wrapper: str = "") -> str:
    """Markdown. wrapper: Verilog of the module behind `bus`, which is its first one."""
    rows = [("clk", True, 1), ("rst", True, 1)]
    rows += [(port.name, port.is_input, port.shape.width) for port in named_ports(parameters)]
    parts = [f"## Ports of {NAMED_TOP}", _table(rows)]
    if bus is not Bus.NONE:
        name = f"toreq_{bus.value}"
        module = wrapper.split(f"module {name}(", 1)[1].split("endmodule", 1)[0]
        rows = [(p[3], p[1] == "input", int(p[2] or 0) + 1) for p in _PORT.finditer(module)]
        parts += [f"## Ports of {name}", _table(rows)]
        parts += ["## Registers", "Offsets are hexadecimal and count bytes; protocol: docs/bus.md."]
        parts.append(registers_table(registers(parameters, bus)))
    return "\n" + "\n\n".join(parts) + "\n"


def _table(rows: list[tuple[str, bool, int]]) -> str:
    lines = ["| port | direction | bits |", "|---|---|---|"]
    lines += [f"| {name} | {'in' if is_in else 'out'} | {width} |" for name, is_in, width in rows]
    return "\n".join(lines)
