"""One copy of each weight, read `lanes` at a time along rows and along columns.

Matrices are cut into tiles of lanes x lanes. Element (i, j) of a tile lies in bank (i + j) mod
lanes at word i of the tile. So the `lanes` elements of a row share one address, and those of a
column lie at different ones. Neither ever meets itself in a bank. Both leave the banks rotated by
the same amount: the row's or the column's number.
"""

from typing import Any

from amaranth import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.learning.latent_port import chunk_lanes, latent_port
from toreq_hw.rtl.learning.stuck_bits import read_through, stuck_port
from toreq_hw.rtl.memory import make_memory, was_read
from toreq_hw.rtl.parameters import CoreParameters


class SkewedStore(wiring.Component):
    """The banks of one weight format.

    Read: `read`, `tile`, `lane` and `by_column` in one cycle, `weights` (lane order) two cycles
    later; 0 where there are other stores, which are read instead.
    Write: a whole row of all banks (bank order) at `load_address`. In a core that learns the fields
    are latents, and `latent_port` says how LEARN writes. faulty: some of their bits may be stuck
    (`stuck_port`).
    """

    def __init__(
        self, parameters: CoreParameters, index: int, words: list[int], *, faulty: bool = False
    ) -> None:
        self._parameters = parameters
        self._has_stuck_bits = faulty
        self._lane_bits = parameters.lane_bits
        self._words = words
        self._memory = parameters.memories[index]
        width = self._memory.width
        super().__init__(
            {
                "read": In(1),
                "tile": In(index_bits(self._memory.depth // parameters.lanes)),
                "lane": In(parameters.lane_bits),
                "by_column": In(1),
                "weights": Out(data.ArrayLayout(unsigned(width), parameters.lanes)),
                "load": In(1),
                "load_address": In(index_bits(self._memory.depth)),
                "load_data": In(parameters.lanes * width),
            }
            | latent_port(parameters)
            | (stuck_port(parameters, index) if self._has_stuck_bits else {})
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the banks; a column reads word (bank - lane) mod lanes of each."""
        m = Module()
        width = self._memory.width
        mask = (1 << width) - 1
        comes = was_read(m, len(self._parameters.stores), self.read)
        banks = []
        for number in range(self._memory.copies):
            contents = [word >> (number * width) & mask for word in self._words]
            bank = make_memory(self._memory, contents)
            m.submodules[f"bank{number}"] = bank
            read = bank.read_port()
            word = Mux(self.by_column, (number - self.lane)[: self._lane_bits], self.lane)
            m.d.comb += read.addr.eq(Cat(word, self.tile))
            held = Signal(width, name=f"held{number}", reset_less=True)
            found = read.data
            if self._has_stuck_bits:
                found = read_through(m, self, self._memory, found, read.addr, number)
            m.d.sync += held.eq(Mux(comes, found, 0))
            banks.append(held)
            write = bank.write_port()
            m.d.comb += [
                write.addr.eq(self.load_address),
                write.en.eq(self.load),
                write.data.eq(self.load_data.word_select(number, width)),
            ]
            if self._parameters.learning:
                self._learn(m, number, write)
        row, turn = Signal(self._lane_bits), Signal(self._lane_bits)
        m.d.sync += [row.eq(self.lane), turn.eq(row)]
        m.d.comb += self.weights.eq(_rotate(banks, turn))
        return m

    def _learn(self, m: Module, number: int, write: Any) -> None:
        """Lane l of a row, or of a column, lies in bank (l + its number) mod lanes.

        Chunks repeat along the lanes.
        """
        parameters, width = self._parameters, self._memory.width
        assert parameters.learning is not None, "only a core that learns has this port"
        size = parameters.learning.lanes
        lane = (number - self.learn_lane)[: self._lane_bits]
        lanes = chunk_lanes(parameters, self.learn_part, self.learn_mask)
        word = self.learn_lane
        if parameters.learning.mirrors:
            word = Mux(self.learn_by_column, lane, self.learn_lane)
        with m.If(self.learn):
            tile = self.load_address[: len(self.tile)]
            m.d.comb += [
                write.addr.eq(Cat(word, tile)),
                write.en.eq(lanes.bit_select(lane, 1)),
            ]
            if size > 1:
                pieces = Array(self.load_data.word_select(k, width) for k in range(size))
                m.d.comb += write.data.eq(pieces[lane[: size.bit_length() - 1]])


def _rotate(banks: list[Value], amount: Signal) -> Value:
    """Lane l gets bank (l + amount) mod lanes: log2(lanes) levels of two-way switches."""
    turned = banks
    for level in range(len(amount)):
        step = 1 << level
        turned = [
            Mux(amount[level], turned[(k + step) % len(turned)], turned[k])
            for k in range(len(turned))
        ]
    return Cat(*turned)
