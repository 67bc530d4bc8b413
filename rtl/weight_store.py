"""One copy of each weight, read `lanes` at a time along rows and along columns.

Matrices are cut into tiles of lanes x lanes. Element (i, j) of a tile lies in bank
(i + j) mod lanes at word i of the tile, so that the `lanes` elements of a row share one
address, those of a column lie at different ones, and neither ever meets itself in a bank.
Both leave the banks rotated by the same amount: the row's or the column's number.
"""

from amaranth import Cat, Module, Mux, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.parameters import CoreParameters


class WeightStore(wiring.Component):
    """The banks of one weight format.

    Read: `tile`, `lane` and `by_column` in one cycle, `weights` (bank order) in the next.
    Write: a whole row of all banks at `load_address`.
    """

    def __init__(self, parameters: CoreParameters, index: int, images: list[list[int]]) -> None:
        self._lanes = parameters.lanes
        self._lane_bits = parameters.lane_bits
        store = parameters.stores[index]
        self._width = store.width
        self._depth = store.tiles * parameters.lanes
        self._images = images
        tile_bits = max(1, (store.tiles - 1).bit_length())
        super().__init__(
            {
                "tile": In(tile_bits),
                "lane": In(parameters.lane_bits),
                "by_column": In(1),
                "weights": Out(data.ArrayLayout(unsigned(store.width), parameters.lanes)),
                "load": In(1),
                "load_address": In((self._depth - 1).bit_length()),
                "load_data": In(parameters.lanes * store.width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the banks; a column reads word (bank - lane) mod lanes of each."""
        m = Module()
        for number in range(self._lanes):
            bank = Memory(shape=unsigned(self._width), depth=self._depth, init=self._images[number])
            m.submodules[f"bank{number}"] = bank
            read = bank.read_port()
            word = Mux(self.by_column, (number - self.lane)[: self._lane_bits], self.lane)
            m.d.comb += [
                read.addr.eq(Cat(word, self.tile)),
                self.weights[number].eq(read.data),
            ]
            write = bank.write_port()
            m.d.comb += [
                write.addr.eq(self.load_address),
                write.en.eq(self.load),
                write.data.eq(self.load_data.word_select(number, self._width)),
            ]
        return m
