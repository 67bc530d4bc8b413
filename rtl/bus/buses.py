"""The buses that a core can be wrapped for."""

from enum import Enum


class Bus(Enum):
    """NONE: named ports alone. AXI: AXI4-Stream and AXI4-Lite. WISHBONE: B4, classic cycles."""

    NONE = "none"
    AXI = "axi"
    WISHBONE = "wishbone"
