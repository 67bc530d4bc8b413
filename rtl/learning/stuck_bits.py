"""Stuck bits of stored latents: a part of the fault port of a core that learns.

docs/robustness.md, "Fault maps", entry `latents`.
"""

from typing import Any

from amaranth import Cat, Module, Mux, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.interfaces import Members, load_payload
from toreq_hw.rtl.memory_spec import MemorySpec
from toreq_hw.rtl.parameters import CoreParameters


def stuck_signature(parameters: CoreParameters) -> Members:
    """The fault port's part: writes masks where a load word would write latents.

    stuck_stores: one strobe a store. stuck_address, stuck_at_zero, stuck_at_one: as `address` and
    `data` of a load word. Masks are 0 at power-up, and reset leaves them. None in a core that
    cannot learn.
    """
    if parameters.learning is None:
        return {}
    word = load_payload(parameters)
    return {
        "stuck_stores": In(len(parameters.stores)),
        "stuck_address": In(word["address"].shape),
        "stuck_at_zero": In(word["data"].shape),
        "stuck_at_one": In(word["data"].shape),
    }


def stuck_port(parameters: CoreParameters, index: int) -> Members:
    """The same at one store."""
    store = parameters.stores[index]
    width = parameters.lanes * store.width
    return {
        "stuck": In(1),
        "stuck_address": In(index_bits(store.words)),
        "stuck_at_zero": In(width),
        "stuck_at_one": In(width),
    }


def read_through(
    m: Module, store: Any, memory: MemorySpec, word: Value, address: Value, copy: int | None = None
) -> Value:
    """What a memory of `store` reads: `word`, with the bits that `stuck_port` wrote.

    address: in the cycle before. copy: number of the memory among those of a word, which is one
    field each; None: one memory holds all fields.
    """
    fields = 1 if copy is not None else len(store.weights)
    width = len(Value.cast(store.weights)) // len(store.weights)
    part = StuckBits(memory.depth, fields, width)
    m.submodules[f"stuck{copy or 0}"] = part
    first = (copy or 0) * width
    m.d.comb += [
        part.address.eq(address),
        part.word.eq(word),
        part.write.eq(store.stuck),
        part.write_address.eq(store.stuck_address),
        part.at_zero.eq(store.stuck_at_zero[first:]),
        part.at_one.eq(store.stuck_at_one[first:]),
    ]
    found: Value = part.found
    return found


class StuckBits(wiring.Component):
    """The masks of a memory of `depth` words of `fields` latents, each `width` bits wide.

    found: `word`, as it reads with its stuck bits, where the memory read it at the `address` of the
    cycle before. The lowest number of a field, which is no latent, reads as the one above it.
    """

    def __init__(self, depth: int, fields: int, width: int) -> None:
        self._depth, self._fields, self._width = depth, fields, width
        bits = fields * width
        super().__init__(
            {
                "address": In(index_bits(depth)),
                "word": In(bits),
                "found": Out(bits),
                "write": In(1),
                "write_address": In(index_bits(depth)),
                "at_zero": In(bits),
                "at_one": In(bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds a memory of both masks."""
        m = Module()
        bits = self._fields * self._width
        m.submodules.masks = masks = Memory(shape=unsigned(2 * bits), depth=self._depth, init=[])
        write, read = masks.write_port(), masks.read_port()
        at_zero, at_one = read.data[:bits], read.data[bits:]
        read_word = (self.word & ~at_zero) | at_one
        m.d.comb += [
            write.addr.eq(self.write_address),
            write.data.eq(Cat(self.at_zero, self.at_one)),
            write.en.eq(self.write),
            read.addr.eq(self.address),
            self.found.eq(
                Cat(
                    self._latent(read_word.word_select(k, self._width)) for k in range(self._fields)
                )
            ),
        ]
        return m

    def _latent(self, field: Value) -> Value:
        lowest = 1 << self._width - 1
        return Mux(field == lowest, lowest + 1, field)[: self._width]
