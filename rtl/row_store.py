"""Weights in rows: the weights of one neuron side by side, for walks in one direction."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.single_port_ram import SinglePortRam


class RowStore(wiring.Component):
    """One memory of words of `lanes` weights, with one port.

    Read: `read` and `address` in one cycle, `weights` (lane order) two cycles later. Write:
    `load`, in a cycle without `read`.
    """

    def __init__(self, parameters: CoreParameters, index: int, words: list[int]) -> None:
        store = parameters.stores[index]
        self._memory = parameters.memories[index]
        self._words = words if store.initialised else None
        super().__init__(
            {
                "read": In(1),
                "address": In(index_bits(store.words)),
                "weights": Out(data.ArrayLayout(unsigned(store.width), parameters.lanes)),
                "load": In(1),
                "load_address": In(index_bits(store.words)),
                "load_data": In(parameters.lanes * store.width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the memory; loads and reads share its port."""
        m = Module()
        weights = Signal.like(self.weights, reset_less=True)
        m.submodules.ram = ram = SinglePortRam(self._memory, self._words)
        m.d.comb += [
            ram.enable.eq(self.read | self.load),
            ram.write.eq(self.load),
            ram.read_address.eq(self.address),
            ram.write_address.eq(self.load_address),
            ram.write_data.eq(self.load_data),
            self.weights.eq(weights),
        ]
        m.d.sync += weights.eq(ram.read_data)
        return m
