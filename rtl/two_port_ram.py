"""A memory that is read and written in one cycle, in columns as wide as one block holds."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.memory import make_memory
from toreq_hw.rtl.memory_spec import MemorySpec


class TwoPortRam(wiring.Component):
    """One copy of the memory of `spec`; reads arrive one cycle after `read_address`.

    A word must not be read in the cycle in which it is written. init: contents at power-up.
    """

    def __init__(self, spec: MemorySpec, init: list[int]) -> None:
        self._spec, self._init = spec, init
        super().__init__(
            {
                "read": In(1),
                "read_address": In(index_bits(spec.depth)),
                "read_data": Out(spec.width),
                "write": In(1),
                "write_address": In(index_bits(spec.depth)),
                "write_data": In(spec.width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds a memory for each column."""
        m = Module()
        first = 0
        for width in self._spec.columns:
            mask = (1 << width) - 1
            init = [word >> first & mask for word in self._init]
            m.submodules += (memory := make_memory(self._spec, init, width=width))
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [
                write.addr.eq(self.write_address),
                write.data.eq(self.write_data[first:][:width]),
                write.en.eq(self.write),
                read.addr.eq(self.read_address),
                read.en.eq(self.read),
                self.read_data[first:][:width].eq(read.data),
            ]
            first += width
        return m
