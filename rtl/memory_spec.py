"""The memories of a core, listed once.

The parts of the core build the memories of this list, the datasheet shows it, and boards count it
against their device. A new memory is one more entry.
"""

from dataclasses import dataclass

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.storage import Store


@dataclass(frozen=True)
class MemorySpec:
    """`copies` memories side by side, each of `depth` words of `width` bits.

    contents: what is in it, as a refusal calls it. initialised: it holds something at power-up,
    which single-port RAM cannot. gated: it is read when something asks, not in every cycle. block:
    it asks for block RAM however small it is. collides: what is read in the cycle in which it is
    written is used. column: bits of each of the memories side by side
    that one copy is built of; None: it is built as one.
    """

    name: str
    contents: str
    depth: int
    width: int
    copies: int = 1
    initialised: bool = True
    gated: bool = False
    block: bool = False
    collides: bool = False
    column: int | None = None

    @property
    def word_bits(self) -> int:
        """Bits of a word of all copies."""
        return self.width * self.copies

    @property
    def bits(self) -> int:
        """Bits of all copies."""
        return self.depth * self.word_bits

    @property
    def columns(self) -> tuple[int, ...]:
        """Widths of the memories that one copy is built of, the lowest bits first."""
        column = self.column or self.width
        full, rest = divmod(self.width, column)
        return (column,) * full + (rest,) * (rest > 0)


def store_memory(store: Store, lanes: int, block_bits: int, *, by_lane: bool = False) -> MemorySpec:
    """The memory of a store of weights: skewed a bank a lane; of rows one, cut into columns each of
    which a block of `block_bits` holds in that depth. by_lane: each lane of a row is written by
    itself, and so is a memory of its own.
    """
    kind = store.weight_format.value
    what = "weights" if store.latent_bits is None else f"{store.latent_bits}-bit latents"
    apart = store.skewed or by_lane
    return MemorySpec(
        name=f"{kind}-{'skewed' if store.skewed else 'rows'} {what}",
        contents=f"{kind} {what}",
        depth=store.words,
        width=store.width if apart else lanes * store.width,
        copies=lanes if apart else 1,
        initialised=store.initialised,
        gated=not store.skewed,
        column=None if apart else _column(store, lanes * store.width, block_bits),
    )


def _column(store: Store, width: int, block_bits: int) -> int:
    """Bits of a column: what a block holds in the depth of the store, so that nothing chooses among
    blocks. Latents take many: there, columns of several blocks wherever that makes fewer in all.
    """
    deep = max(1, block_bits >> index_bits(store.words))
    if store.latent_bits is None:
        return deep
    widest = block_bits // _WIDEST_DEPTH

    def blocks(column: int) -> int:
        # Narrow shapes of a block leave its parity bits unused.
        depth = 1 << (block_bits // column).bit_length() - 1
        return -(-store.words // depth) * -(-width // column)

    wider = [widest >> k for k in range(widest.bit_length()) if widest >> k > deep]
    return min((deep, *reversed(wider)), key=blocks)


_WIDEST_DEPTH = 1024
"""Words of a block where it is as wide as one port that reads and one that writes can be."""
