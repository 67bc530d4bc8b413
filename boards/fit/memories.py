"""Which memories a core needs, and how many blocks of a device each of them takes."""

from dataclasses import dataclass

from toreq_hw.boards.board import Family
from toreq_hw.rtl.parameters import CoreParameters

_SHAPES = {
    Family.ICE40: ((256, 16), (512, 8), (1024, 4), (2048, 2)),
    Family.ECP5: ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    Family.GOWIN: ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
}
"""Words and bits of a block with one port that reads and one that writes."""


@dataclass(frozen=True)
class Memory:
    """`copies` memories of `depth` words of `width` bits.

    initialised: it holds something at power-up, which single-port RAM cannot.
    """

    name: str
    depth: int
    width: int
    copies: int = 1
    initialised: bool = True

    @property
    def single_port_blocks(self) -> int:
        """Blocks of SPRAM (16,384 words of 16 bits) that all copies take."""
        return -(-self.depth // 16_384) * -(-self.width // 16) * self.copies

    @property
    def bits(self) -> int:
        """Of all copies."""
        return self.depth * self.width * self.copies

    def blocks(self, family: Family) -> int:
        """Blocks of block RAM that all copies take, each in the shape that takes fewest."""
        each = min(-(-self.depth // d) * -(-self.width // w) for d, w in _SHAPES[family])
        return each * self.copies


def weight_memories(parameters: CoreParameters) -> tuple[Memory, ...]:
    """The stores: of rows one memory, skewed ones a bank a lane."""
    return tuple(
        Memory(
            name=f"{store.weight_format.value} weights",
            depth=store.words,
            width=store.width if store.skewed else parameters.lanes * store.width,
            copies=parameters.lanes if store.skewed else 1,
            initialised=store.initialised,
        )
        for store in parameters.stores
    )
