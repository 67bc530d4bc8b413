"""A stream whose control signals stop at a register, so that two parts share no long path."""

from amaranth import Module
from amaranth.hdl import ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamRegister(wiring.Component):
    """Passes words from `source` to `sink`, at best one in three cycles.

    Neither `valid` nor `ready` goes through without a register. The payload does: a source keeps
    it steady while it waits, so it needs none.
    """

    def __init__(self, payload: ShapeLike) -> None:
        signature = stream.Signature(payload)
        super().__init__({"source": In(signature), "sink": Out(signature)})

    def elaborate(self, platform: object) -> Module:
        """Offers a word until it is taken, then tells the source so, once."""
        m = Module()
        offers, taken = self.sink.valid, self.source.ready
        accepted = offers & self.sink.ready
        m.d.comb += self.sink.payload.eq(self.source.payload)
        m.d.sync += [
            offers.eq(self.source.valid & ~taken & ~accepted),
            taken.eq(accepted),
        ]
        return m
