"""Keeps the input events of the image at hand: the rows that LEARN walks from the input."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.interfaces import input_payload
from toreq_hw.rtl.memory import check_width, make_memory
from toreq_hw.rtl.parameters import CoreParameters


def kept_layout(parameters: CoreParameters) -> data.StructLayout:
    """An input that is not 0."""
    value = input_payload(parameters)["value"].shape
    return data.StructLayout({"value": value, "index": unsigned(index_bits(parameters.input.size))})


class InputEvents(wiring.Component):
    """`clear` forgets; `keep` appends `event`. `at` in one cycle, `found` in the next."""

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        size = parameters.input.size
        super().__init__(
            {
                "clear": In(1),
                "keep": In(1),
                "event": In(kept_layout(parameters)),
                "count": Out(range(size + 1)),
                "at": In(index_bits(size)),
                "found": Out(kept_layout(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the memory; indices rise, so an image fits."""
        m = Module()
        spec = self._parameters.memory("input events")
        check_width(spec, kept_layout(self._parameters))
        m.submodules.events = memory = make_memory(spec)
        write, read = memory.write_port(), memory.read_port()
        count = Signal.like(self.count)
        m.d.comb += [
            self.count.eq(count),
            write.addr.eq(count),
            write.data.eq(self.event.as_value()),
            write.en.eq(self.keep),
            read.addr.eq(self.at),
            self.found.eq(read.data),
        ]
        with m.If(self.clear):
            m.d.sync += count.eq(0)
        with m.Elif(self.keep):
            m.d.sync += count.eq(count + 1)
        return m
