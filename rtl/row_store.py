"""Weights in rows: the weights of one neuron side by side, for walks in one direction."""

from amaranth import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.learning.latent_port import chunk_lanes, latent_port
from toreq_hw.rtl.learning.stuck_bits import read_through, stuck_port
from toreq_hw.rtl.memory import was_read
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.single_port_ram import SinglePortRam
from toreq_hw.rtl.two_port_ram import TwoPortRam


class RowStore(wiring.Component):
    """One memory of words of `lanes` weights, with one port.

    Read: `read` and `address` in one cycle, `weights` (lane order) two cycles later; 0 where there
    are other stores, which are read instead. Write: `load`, in a cycle without `read`.

    In a core that learns the fields are latents, and what is initialised has two ports;
    `latent_port` says how LEARN writes. faulty: some of their bits may be stuck (`stuck_port`).
    """

    def __init__(
        self, parameters: CoreParameters, index: int, words: list[int], *, faulty: bool = False
    ) -> None:
        store = parameters.stores[index]
        self._parameters = parameters
        self._has_stuck_bits = faulty
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
            | latent_port(parameters)
            | (stuck_port(parameters, index) if self._has_stuck_bits else {})
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the memory; loads and reads share its port."""
        m = Module()
        weights = Signal.like(self.weights, reset_less=True)
        word = self._one_memory(m) if self._parameters.learning is None else self._learned(m)
        if self._has_stuck_bits:
            word = read_through(m, self, self._memory, word, self.address)
        m.d.comb += self.weights.eq(weights)
        m.d.sync += weights.eq(Mux(was_read(m, len(self._parameters.stores), self.read), word, 0))
        return m

    def _one_memory(self, m: Module) -> Value:
        m.submodules.ram = ram = SinglePortRam(self._memory, self._words)
        m.d.comb += [
            ram.enable.eq(self.read | self.load),
            ram.write.eq(self.load),
            ram.read_address.eq(self.address),
            ram.write_address.eq(self.load_address),
            ram.write_data.eq(self.load_data),
        ]
        return ram.read_data

    def _learned(self, m: Module) -> Value:
        """A memory for each lane that is written by itself, or one for all."""
        copies, width = self._memory.copies, self._memory.width
        lanes = chunk_lanes(self._parameters, self.learn_part, self.learn_mask)
        word = Signal(copies * width)
        for copy in range(copies):
            enable = self.load | (self.learn & lanes[copy])
            piece = self.load_data.word_select(copy, width)
            contents = self._contents(copy)
            ram: SinglePortRam | TwoPortRam
            if contents is None:
                m.submodules[f"ram{copy}"] = ram = SinglePortRam(self._memory, None)
                m.d.comb += ram.enable.eq(self.read | enable)
            else:
                m.submodules[f"ram{copy}"] = ram = TwoPortRam(self._memory, contents)
                m.d.comb += ram.read.eq(self.read)
            m.d.comb += [
                ram.write.eq(enable),
                ram.read_address.eq(self.address),
                ram.write_address.eq(self.load_address),
                ram.write_data.eq(piece),
                word.word_select(copy, width).eq(ram.read_data),
            ]
        return word

    def _contents(self, copy: int) -> list[int] | None:
        if self._words is None:
            return None
        width = self._memory.width
        return [word >> (copy * width) & (1 << width) - 1 for word in self._words]
