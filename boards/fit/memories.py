"""Which memories a design has, and how many blocks of a device each of them takes."""

from toreq_hw.boards.board import Family
from toreq_hw.boards.link.identity import buffer_bytes
from toreq_hw.rtl.memory_spec import MemorySpec
from toreq_hw.rtl.parameters import CoreParameters

_SHAPES = {
    Family.ICE40: ((256, 16), (512, 8), (1024, 4), (2048, 2)),
    Family.ECP5: ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    Family.GOWIN: ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
}
"""Words and bits of a block with one port that reads and one that writes."""

_BLOCK_COST = {Family.ICE40: 64, Family.ECP5: 128, Family.GOWIN: 128}
"""What Yosys weighs a block at (brams*.txt of its folder for the family)."""

_TABLE_RAM_COST = 4
"""Of 16 words of 4 bits in tables (lutrams*.txt). iCE40 has none: there a bit in a flip-flop
weighs 1."""

_CHOICE_COST = 0.5
"""Of a bit that is chosen among tables, and of a write enable (memory_libmap.cc: FACTOR_MUX,
FACTOR_DEMUX). On ECP5 it decides; designs for Gowin came out as if there were none."""


def memories(parameters: CoreParameters) -> tuple[MemorySpec, ...]:
    """All of a core and its link, the weights first."""
    name = "link's buffer"
    return (*parameters.memories, MemorySpec(name, name, 2 * buffer_bytes(parameters), 8))


def single_port_blocks(memory: MemorySpec) -> int:
    """Blocks of SPRAM (16,384 words of 16 bits) that all copies take."""
    return -(-memory.depth // 16_384) * -(-memory.width // 16) * memory.copies


def blocks(memory: MemorySpec, family: Family) -> int:
    """Blocks of block RAM that all copies take, each column in the shape that takes fewest.

    None are where tables or flip-flops are cheaper.
    """
    return sum(_column_blocks(memory, width, family) for width in memory.columns) * memory.copies


def _column_blocks(memory: MemorySpec, width: int, family: Family) -> int:
    """Blocks of `depth` words of `width` bits."""
    depth = memory.depth
    fewest = min(-(-depth // d) * -(-width // w) for d, w in _SHAPES[family])
    # Gowin's script passes the design on as Verilog without attributes (flow/plan.py).
    asked = memory.block and family is not Family.GOWIN
    small: float = depth * width
    if family is not Family.ICE40:
        rows = -(-depth // 16)
        small = rows * -(-width // 4) * _TABLE_RAM_COST
        if rows > 1 and family is Family.ECP5:
            small += _CHOICE_COST * ((rows - 1) * width + rows)
    return 0 if not asked and small < fewest * _BLOCK_COST[family] else fewest
