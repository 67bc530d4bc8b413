"""Decodes load words: weights, biases, the sweep limit, the threshold; while the core is idle."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.below import below
from toreq_hw.rtl.interfaces import Fault, load_payload, source_of
from toreq_hw.rtl.learning.sizes import THETA_BITS
from toreq_hw.rtl.learning.tables import HIGHEST_RATE, LOWEST_RATE
from toreq_hw.rtl.load_spaces import LEARNING_SPACES, Accepts, LoadSpace, Space
from toreq_hw.rtl.parameters import CoreParameters


class LoadPort(wiring.Component):
    """Takes two cycles a word while `idle`: one to check it, one to take it.

    In the second comes a fault, or `accepted` with a strobe of what the word belongs to. stores:
    one strobe per weight store. learning: one per space of `LEARNING_SPACES`. threshold: the one
    loaded last, or at power-up and after reset that of the parameters; of a lossy core only.
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
                **({"learning": Out(len(LEARNING_SPACES))} if parameters.learning else {}),
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
            for space in parameters.load_spaces:
                with m.Case(space.code):
                    single = space.rows == 1 and not space.is_network
                    fits = word.address == 0 if single else below(word.address, space.rows)
                    m.d.comb += address_fits.eq(fits)
                    if space.accepts is not Accepts.ANY:
                        m.d.comb += data_fits.eq(self._data_fits(space, word.data))
                    self._take(m, space, good)
        return m

    def _data_fits(self, space: LoadSpace, word: Value) -> Value:
        """Whether the space takes the data of a word."""
        lanes = self._parameters.lanes
        if space.accepts is Accepts.WEIGHTS:
            width = space.bits // lanes
            lowest = 1 << (width - 1)  # -2 or -128, which are not weights
            return ~Cat(*(word.word_select(k, width) == lowest for k in range(lanes))).any()
        if space.accepts is Accepts.POSITIVE:
            return word[: space.bits] != 0
        if space.accepts is Accepts.RATE:
            rate = word[: space.bits]
            return ~below(rate, LOWEST_RATE) & below(rate, HIGHEST_RATE + 1)
        if space.accepts is Accepts.THETA:
            return (word[:THETA_BITS] != 0) & ~word[THETA_BITS : space.bits].any()
        return below(word, self._parameters.highest_threshold + 1)

    def _take(self, m: Module, space: LoadSpace, good: Value) -> None:
        """Raises the strobe of what the word belongs to."""
        if space.code == Space.THRESHOLD:
            with m.If(good):
                m.d.sync += self.threshold.eq(self.words.payload.data)
            return
        if space.code in LEARNING_SPACES:
            m.d.comb += self.learning[LEARNING_SPACES.index(space.code)].eq(good)
            return
        strobes: dict[int, Value] = {Space.BIAS: self.bias, Space.MAX_SWEEPS: self.max_sweeps}
        known = space.code in strobes
        m.d.comb += (strobes[space.code] if known else self.stores[space.code]).eq(good)
