"""The queue of input events ahead of the walker: a ring in memory, and the word at its end."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.memory import make_memory
from toreq_hw.rtl.memory_spec import MemorySpec


class InputQueue(wiring.Component):
    """Holds as many words as the memory of `spec`, whose depth is a power of two.

    `w_en` with `w_rdy` takes `w_data`. The oldest word is at `r_data` while `r_rdy`, two cycles
    after it was taken or later; `r_en` with `r_rdy` drops it. A word is read behind the cycle that
    writes it, so memory need not pass it on.
    """

    def __init__(self, spec: MemorySpec) -> None:
        self._spec = spec
        assert spec.depth & (spec.depth - 1) == 0, "a ring has a power of two of words"
        super().__init__(
            {
                "w_data": In(spec.width),
                "w_en": In(1),
                "w_rdy": Out(1),
                "r_data": Out(spec.width),
                "r_en": In(1),
                "r_rdy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the ring; it is full when one of its words is free, the last one is outside."""
        m = Module()
        m.submodules.words = words = make_memory(self._spec)
        write, read = words.write_port(), words.read_port()
        newest, oldest = Signal(range(self._spec.depth)), Signal(range(self._spec.depth))
        behind = (newest + 1)[: len(newest)]
        m.d.comb += [
            self.w_rdy.eq(behind != oldest),
            write.addr.eq(newest),
            write.data.eq(self.w_data),
            write.en.eq(self.w_rdy & self.w_en),
            read.addr.eq(oldest),
            read.en.eq((newest != oldest) & (~self.r_rdy | self.r_en)),
            self.r_data.eq(read.data),
        ]
        with m.If(write.en):
            m.d.sync += newest.eq(behind)
        with m.If(read.en):
            m.d.sync += [oldest.eq(oldest + 1), self.r_rdy.eq(1)]
        with m.Elif(self.r_en):
            m.d.sync += self.r_rdy.eq(0)
        return m
