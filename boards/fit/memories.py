"""Which memories a design has, and how many blocks of a device each of them takes."""

from dataclasses import dataclass

from toreq_hw.boards.board import Family
from toreq_hw.boards.link.identity import buffer_bytes
from toreq_hw.rtl import input_port
from toreq_hw.rtl.event_queue import row_layout
from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.interfaces import Page
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


@dataclass(frozen=True)
class Memory:
    """`copies` memories of `depth` words of `width` bits.

    initialised: it holds something at power-up, which single-port RAM cannot. gated: it is read
    when something asks, not in every cycle. block: it asks for block RAM however small it is.
    column: bits of each of the memories side by side that it is made of; None: it is one.
    """

    name: str
    depth: int
    width: int
    copies: int = 1
    initialised: bool = True
    gated: bool = False
    block: bool = False
    column: int | None = None

    @property
    def single_port_blocks(self) -> int:
        """Blocks of SPRAM (16,384 words of 16 bits) that all copies take."""
        return -(-self.depth // 16_384) * -(-self.width // 16) * self.copies

    @property
    def bits(self) -> int:
        """Of all copies."""
        return self.depth * self.width * self.copies

    def blocks(self, family: Family) -> int:
        """Blocks of block RAM that all copies take, each in the shape that takes fewest.

        None are where tables or flip-flops are cheaper.
        """
        full, rest = divmod(self.width, self.column or self.width)
        pieces = [self.column or self.width] * full + [rest] * (rest > 0)
        return sum(self._piece(width, family) for width in pieces) * self.copies

    def _piece(self, width: int, family: Family) -> int:
        """Blocks of a memory of `depth` words of `width` bits."""
        blocks = min(-(-self.depth // d) * -(-width // w) for d, w in _SHAPES[family])
        # Gowin's script passes the design on as Verilog without attributes (flow/plan.py).
        asked = self.block and family is not Family.GOWIN
        small = self.depth * width
        if family is not Family.ICE40:
            small = -(-self.depth // 16) * -(-width // 4) * _TABLE_RAM_COST
        return 0 if not asked and small < blocks * _BLOCK_COST[family] else blocks


def memories(parameters: CoreParameters) -> tuple[Memory, ...]:
    """All of a core and its link, the weights first."""
    p = parameters
    slice_bits = (1 + p.lossy) * p.update_lanes * p.state_bits  # lossy: beside those sent last
    return (
        *weight_memories(p),
        Memory("accumulators", len(Page) * p.groups, p.lanes * p.accumulator_bits, block=True),
        Memory("states", len(Page) * p.slices, slice_bits),
        Memory("event queue", p.queue_depth, row_layout(p).size),
        Memory("input queue", input_port.DEPTH, input_port.event_layout(p).size),
        Memory("link's buffer", 2 * buffer_bytes(p), 8),
    )


def weight_memories(parameters: CoreParameters) -> tuple[Memory, ...]:
    """The stores: of rows one memory, skewed ones a bank a lane."""
    return tuple(
        Memory(
            name=f"{store.weight_format.value} weights",
            depth=store.words,
            width=store.width if store.skewed else parameters.lanes * store.width,
            copies=parameters.lanes if store.skewed else 1,
            initialised=store.initialised,
            gated=not store.skewed,
            column=None if store.skewed else _column(parameters, store.words),
        )
        for store in parameters.stores
    )


def _column(parameters: CoreParameters, words: int) -> int:
    """Bits of a column of a store of rows, which rtl/single_port_ram.py cuts for one block."""
    return max(1, parameters.block_bits >> index_bits(words))
