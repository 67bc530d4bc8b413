"""The Verilog of a wrapper around core.v."""

from toreq_hw.rtl.bus.axi import AxiCore
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.rtl.bus.wishbone import WishboneCore
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.verilog import verilog_of

_COMPONENTS = {Bus.AXI: AxiCore, Bus.WISHBONE: WishboneCore}


def wrapper_top(bus: Bus) -> str:
    """Name of the module that wraps a core for a bus."""
    return f"toreq_{bus.value}"


def wrapper_verilog(parameters: CoreParameters, bus: Bus) -> str:
    """A module of that name, which holds one `toreq_core`; `bus` is not NONE.

    Raises NetworkError where the core is too large for the registers.
    """
    return verilog_of(_COMPONENTS[bus](parameters), wrapper_top(bus))
