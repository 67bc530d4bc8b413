"""From parameters and images to Verilog text."""

from amaranth.back import verilog

from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters

TOP = "toreq_core"
"""Name of the top module."""


def core_verilog(parameters: CoreParameters, images: MemoryImages) -> str:
    """The core as one Verilog file, memory contents included; ports are those of `Core`."""
    text: str = verilog.convert(Core(parameters, images), name=TOP, emit_src=False)
    return text
