"""Checks the input stream, drops zeros, and works ahead of the walker.

Zeros are dropped here, a word a cycle, while events before them are walked: they cost nothing.
"""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.below import below
from toreq_hw.rtl.input_queue import InputQueue
from toreq_hw.rtl.interfaces import Fault, input_payload, source_of
from toreq_hw.rtl.memory import check_width
from toreq_hw.rtl.parameters import CoreParameters


def event_layout(parameters: CoreParameters) -> data.StructLayout:
    """A checked input event, or with `is_event` low just the end of an image."""
    payload = input_payload(parameters)
    return data.StructLayout(
        {
            "value": payload["value"].shape,
            "index": payload["index"].shape,
            "is_event": 1,
            "last": 1,
        }
    )


class InputPort(wiring.Component):
    """Words in, events out. `faults` pulses the bits of `Fault` that a word raised."""

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "words": In(source_of(input_payload(parameters))),
                "events": Out(source_of(event_layout(parameters))),
                "faults": Out(len(Fault)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the check and a queue."""
        m = Module()
        placement = self._parameters.input
        layout = event_layout(self._parameters)
        spec = self._parameters.memory("input queue")
        check_width(spec, layout)
        m.submodules.fifo = fifo = InputQueue(spec)
        word = self.words.payload
        next_index = Signal.like(word.index)
        index = Signal.like(word.index)
        index_fits, value_fits, taken = Signal(), Signal(), Signal()
        event = Signal(layout)
        m.d.comb += [
            index.eq(Mux(word.dense, next_index, word.index)),
            index_fits.eq((index >= next_index) & below(index, placement.size)),
            value_fits.eq(word.value >= placement.state_min if placement.signed else 1),
            taken.eq(self.words.valid & self.words.ready),
            self.faults.eq(
                Mux(taken, ~index_fits << Fault.INPUT_INDEX | ~value_fits << Fault.INPUT_VALUE, 0)
            ),
            event.value.eq(word.value),
            event.index.eq(index),
            event.is_event.eq((word.value != 0) & index_fits & value_fits),
            event.last.eq(word.last),
            fifo.w_data.eq(event.as_value()),
            self.words.ready.eq(fifo.w_rdy),
            self.events.payload.eq(fifo.r_data),
            self.events.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.events.ready),
        ]
        with m.If(taken):
            m.d.comb += fifo.w_en.eq(event.is_event | event.last)
            with m.If(word.last):
                m.d.sync += next_index.eq(0)
            with m.Elif(index_fits):
                m.d.sync += next_index.eq(index + 1)
        return m
