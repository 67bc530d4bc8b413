"""From a core to Verilog text."""

from amaranth.back import verilog

from toreq_hw.rtl.core import Core

TOP = "toreq_core"
"""Name of the top module."""

_HEADER = """\
// Written by toreq-hw from a network file. Operators have operands of their own widths, which
// Verilog extends as meant, and cases have no default because each process assigns one first:
// these are no defects, so the linter need not remark on them.
/* verilator lint_off CASEINCOMPLETE */
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
"""


def core_verilog(core: Core, platform: object = None) -> str:
    """The core as one Verilog file, memory contents included; ports are those of `Core`.

    platform: what the core is for, where that decides its cells (`SinglePortRam`); anything
    with an attribute `device`. Without one the text holds no vendor's cells.
    """
    text: str = verilog.convert(core, name=TOP, emit_src=False, platform=platform)
    return _HEADER + text
