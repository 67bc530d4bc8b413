"""Decodes load words: weights, biases, the sweep limit, the threshold; while the core is idle."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.interfaces import Fault, Space, load_payload, source_of
from toreq_hw.rtl.parameters import CoreParameters


class LoadPort(wiring.Component):
    """Takes two cycles a word while `idle`: one to check it, one to take it.

    In the second comes a fault, or `accepted` with a strobe of what the word belongs to. stores:
    one strobe per weight store. threshold: the one loaded last, or at power-up and after reset
    that of the parameters; of a lossy core only.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        threshold = Out(parameters.threshold_bits, init=parameters.threshold)
        super().__init__(
            ({"threshold": threshold} if parameters.lossy else {})
            | {
                "idle": In(1),
                "words": In(source_of(load_payload(parameters))),
                "accepted": Out(1),
                "stores": Out(max(1, len(parameters.stores))),
                "bias": Out(1),
                "max_sweeps": Out(1),
                "faults": Out(len(Fault)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the decoder."""
        m = Module()
        parameters, word = self._parameters, self.words.payload
        address_fits, data_fits = Signal(), Signal(init=1)
        checked, wrong_address, wrong_data = Signal(), Signal(), Signal()
        taken, good = Signal(), Signal()
        m.d.comb += [
            self.words.ready.eq(self.idle & checked),
            taken.eq(self.words.valid & self.words.ready),
            good.eq(taken & ~wrong_address & ~wrong_data),
            self.accepted.eq(good),
            self.faults.eq(
                Mux(
                    taken,
                    wrong_address << Fault.LOAD_ADDRESS | wrong_data << Fault.LOAD_DATA,
                    0,
                )
            ),
        ]
        m.d.sync += [
            checked.eq(self.idle & self.words.valid & ~checked),
            wrong_address.eq(~address_fits),
            wrong_data.eq(address_fits & ~data_fits),
        ]
        with m.Switch(word.space):
            for number, store in enumerate(parameters.stores):
                with m.Case(Space.WEIGHTS + number):
                    fields = [
                        word.data.word_select(k, store.width) for k in range(parameters.lanes)
                    ]
                    lowest = 1 << (store.width - 1)  # -2 or -128, which are not weights
                    wrong = [field == lowest for field in fields]
                    m.d.comb += [
                        address_fits.eq(word.address < store.words),
                        data_fits.eq(~Cat(*wrong).any()),
                        self.stores[number].eq(good),
                    ]
            with m.Case(Space.BIAS):
                m.d.comb += [
                    address_fits.eq(word.address < parameters.groups * parameters.lanes),
                    self.bias.eq(good),
                ]
            with m.Case(Space.MAX_SWEEPS):
                m.d.comb += [
                    address_fits.eq(word.address == 0),
                    data_fits.eq(word.data[: parameters.sweep_bits] != 0),
                    self.max_sweeps.eq(good),
                ]
            if parameters.lossy:
                with m.Case(Space.THRESHOLD):
                    m.d.comb += [
                        address_fits.eq(word.address == 0),
                        data_fits.eq(word.data <= parameters.highest_threshold),
                    ]
                    with m.If(good):
                        m.d.sync += self.threshold.eq(word.data)
        return m
