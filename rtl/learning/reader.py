"""Reads back what a core has learned, while it is idle."""

from amaranth import Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.interfaces import Fault, readback_payload, readings_payload, source_of
from toreq_hw.rtl.learning.lanes import field_bits
from toreq_hw.rtl.learning.sizes import BIAS_LATENT_BITS
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.parameters import CoreParameters


class Reader(wiring.Component):
    """Takes a word of `asked` while `idle`, and answers it in `readings`; `busy` until then.

    fetches: the word or tile `address` of `store` is addressed in this cycle, there the row `lane`.
    fields: of all lanes, two cycles later. bias_latent: of the neuron `neuron`, likewise. What the
    core does not have reads as 0, with a fault.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        asked = readback_payload(parameters)
        super().__init__(
            {
                "idle": In(1),
                "asked": In(source_of(asked)),
                "readings": Out(source_of(readings_payload(parameters))),
                "busy": Out(1),
                "faults": Out(len(Fault)),
                "fetches": Out(1),
                "space": Out(asked["space"].shape),
                "address": Out(asked["address"].shape),
                "fields": In(data.ArrayLayout(unsigned(field_bits(parameters)), parameters.lanes)),
                "bias_latent": In(BIAS_LATENT_BITS),
                "generator": In(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the machine."""
        m = Module()
        word = self.asked.payload
        exists = Signal()
        reading = self.readings.payload.data
        with m.FSM(name="read") as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.comb += self.asked.ready.eq(self.idle)
                with m.If(self.asked.valid & self.idle):
                    m.d.sync += [self.space.eq(word.space), self.address.eq(word.address)]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += [
                    exists.eq(self._exists(m)),
                    self.fetches.eq(exists),
                    self.faults.eq(~exists << Fault.LOAD_ADDRESS),
                ]
                m.d.sync += reading.eq(0)
                m.next = "WAIT"
                with m.If(~exists):
                    m.next = "ANSWER"
            with m.State("WAIT"):
                m.next = "TAKE"
            with m.State("TAKE"):
                self._take(m, reading)
                m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += self.readings.valid.eq(1)
                with m.If(self.readings.ready):
                    m.next = "IDLE"
        return m

    def _exists(self, m: Module) -> Value:
        """Whether the core has what was asked for."""
        exists = Signal(name="has")
        with m.Switch(self.space):
            for space in self._parameters.load_spaces:
                if space.is_read_back:
                    with m.Case(space.code):
                        m.d.comb += exists.eq(self.address < space.rows)
        return exists

    def _take(self, m: Module, reading: Signal) -> None:
        with m.Switch(self.space):
            for number, store in enumerate(self._parameters.stores):
                with m.Case(Space.WEIGHTS + number):
                    for lane in range(self._parameters.lanes):
                        field = self.fields[lane][: store.width]
                        m.d.sync += reading.word_select(lane, store.width).eq(field)
            with m.Case(Space.BIAS_LATENT):
                m.d.sync += reading.eq(self.bias_latent)
            with m.Case(Space.GENERATOR):
                m.d.sync += reading.eq(self.generator)
