"""Passes: one beat a cycle over consecutive slices."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import beat_layout
from toreq_hw.rtl.parameters import CoreParameters


def pass_layout(parameters: CoreParameters) -> data.StructLayout:
    """The first beat of a pass, and how many follow it."""
    return data.StructLayout(
        {"first": beat_layout(parameters), "following": unsigned(parameters.slice_bits)}
    )


class Passes(wiring.Component):
    """`start` in one cycle, the first beat of `request` in the next.

    active: this cycle has `beat`. last: it is the last one of its pass. `stop` ends the pass
    with the beat at hand.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "start": In(1),
                "request": In(pass_layout(parameters)),
                "stop": In(1),
                "active": Out(1),
                "last": Out(1),
                "beat": Out(beat_layout(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds a counter."""
        m = Module()
        left = Signal.like(self.request.following)
        m.d.comb += self.last.eq(self.active & (left == 0))
        with m.If(self.start):
            m.d.sync += [
                self.beat.eq(self.request.first),
                left.eq(self.request.following),
                self.active.eq(1),
            ]
        with m.Elif(self.last | self.stop):
            m.d.sync += self.active.eq(0)
        with m.Elif(self.active):
            m.d.sync += [
                self.beat.slice.eq(self.beat.slice + 1),
                self.beat.first_lane.eq(0),
                left.eq(left - 1),
            ]
        return m
