"""Reads back what a core has learned, while it is idle."""

from amaranth import Module, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.below import below
from toreq_hw.rtl.interfaces import Fault, readback_payload, readings_payload, source_of
from toreq_hw.rtl.learning.lanes import field_bits
from toreq_hw.rtl.learning.sizes import BIAS_LATENT_BITS
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.parameters import CoreParameters


class Reader(wiring.Component):
    """Answers words of `asked` in `readings`, while `idle`; `busy` until then.

    A word of `asked` is taken with its answer, so nothing of it is kept here. fetches: the word or
    tile that `asked` names is addressed in this cycle. fields: of all lanes, two cycles later;
    bias_latent likewise. What the core does not have is answered with some word, and a fault.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "idle": In(1),
                "asked": In(source_of(readback_payload(parameters))),
                "readings": Out(source_of(readings_payload(parameters))),
                "busy": Out(1),
                "faults": Out(len(Fault)),
                "fetches": Out(1),
                "fields": In(data.ArrayLayout(unsigned(field_bits(parameters)), parameters.lanes)),
                "bias_latent": In(BIAS_LATENT_BITS),
                "generator": In(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the machine."""
        m = Module()
        exists = Signal()  # in the cycle behind the one in which it is asked for, and on
        m.d.sync += exists.eq(self._exists(m))
        with m.FSM(name="read") as fsm:
            m.d.comb += [self.busy.eq(~fsm.ongoing("IDLE")), self.fetches.eq(self.busy & exists)]
            with m.State("IDLE"), m.If(self.asked.valid & self.idle):
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.faults.eq(~exists << Fault.LOAD_ADDRESS)
                m.next = "WAIT"
            with m.State("WAIT"):
                m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += [
                    self.readings.valid.eq(1),
                    self.asked.ready.eq(self.readings.ready),
                ]
                with m.If(self.readings.ready):
                    m.next = "IDLE"
        self._choose(m)
        return m

    def _exists(self, m: Module) -> Value:
        """Whether the core has what is asked for."""
        exists, word = Signal(name="has"), self.asked.payload
        with m.Switch(word.space):
            for space in self._parameters.load_spaces:
                if space.is_read_back:
                    with m.Case(space.code):
                        m.d.comb += exists.eq(below(word.address, space.rows))
        return exists

    def _choose(self, m: Module) -> None:
        """What is answered; it stands while it waits, as nothing else runs."""
        reading = self.readings.payload.data
        with m.Switch(self.asked.payload.space):
            with m.Case(Space.BIAS_LATENT):
                m.d.comb += reading.eq(self.bias_latent)
            with m.Case(Space.GENERATOR):
                m.d.comb += reading.eq(self.generator)
            widths = [store.width for store in self._parameters.stores]
            for width in reversed(dict.fromkeys(widths)):
                numbers = [Space.WEIGHTS + n for n, own in enumerate(widths) if own == width]
                with m.Case(*numbers) if width != widths[0] else m.Default():
                    for lane in range(self._parameters.lanes):
                        field = self.fields[lane][:width]
                        m.d.comb += reading.word_select(lane, width).eq(field)
