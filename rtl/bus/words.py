"""The 32-bit words that go in and out of a wrapper: images, and what phases came to."""

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.interfaces import input_payload, source_of, states_payload, summary_payload
from toreq_hw.rtl.parameters import CoreParameters

WORD_BITS = 32
VALUE_BITS = 8
"""Of one value in a word; no state has more."""

VALUES_PER_WORD = WORD_BITS // VALUE_BITS

SUMMARY_WORDS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("phase", 0), ("settled", 8), ("label", 16)),
    (("sweeps", 0),),
    (("ticks", 0),),
    (("events", 0),),
    (("input_events", 0),),
    (("saturations", 0),),
    (("beats", 0),),
    (("cycles", 0),),
)
"""The summary of a phase in words: each field with its lowest bit. Registers and packets have it.
"""

INPUT_WORD = data.StructLayout({"data": WORD_BITS, "keep": VALUES_PER_WORD, "last": 1})
RESULT_WORD = data.StructLayout({"data": WORD_BITS, "last": 1})


def words_per_slice(parameters: CoreParameters) -> int:
    """Words that a slice of states takes in a packet; the last may hold bytes of no neuron."""
    return -(-parameters.update_lanes // VALUES_PER_WORD)


def packet_words(parameters: CoreParameters, *, report: bool) -> int:
    """Words of the packet that a phase leaves."""
    rows = parameters.slices * words_per_slice(parameters) if report else 0
    return rows + len(SUMMARY_WORDS)


def state_offsets(parameters: CoreParameters) -> dict[str, int]:
    """Of each relaxing population, the byte in a packet with states where its first neuron lies.

    Neuron k of it lies k bytes behind where slices hold whole words, which all do with four lanes
    or more; with two, pairs of neurons lie four bytes apart.
    """
    row = words_per_slice(parameters) * VALUES_PER_WORD
    return {
        place.name: place.first_group * parameters.slices_per_group * row
        for place in parameters.relaxing
    }


def summary_words(summary: data.View) -> list[Value]:
    """The words of `SUMMARY_WORDS`, 32 bits each."""
    words = []
    for fields in SUMMARY_WORDS:
        word: Value = Const(0, 0)
        for name, low in fields:
            word = Cat(word, Const(0, low - len(word)), summary[name])
        words.append(Cat(word, Const(0, WORD_BITS - len(word))))
    return words


class InputWords(wiring.Component):
    """Words of an image in, values for a core out.

    With `sparse` low a word holds four values, the first one lowest; bytes that `keep` leaves out
    are skipped. A last word without any is the value 0, so that each image ends. With `sparse` high
    it holds one value, and above it the index.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._size = parameters.input.size
        super().__init__(
            {
                "words": In(stream.Signature(INPUT_WORD)),
                "sparse": In(1),
                "inputs": Out(source_of(input_payload(parameters))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds one word that is shifted out."""
        m = Module()
        held, full, sparse = Signal(INPUT_WORD), Signal(), Signal()
        inputs = self.inputs.payload
        index = held.data[VALUE_BITS:]
        ends, shifts, empty = Signal(), Signal(), Signal()
        m.d.comb += [
            empty.eq(held.last & ~held.keep.any()),
            ends.eq(sparse | ~held.keep[1:].any()),
            inputs.value.eq(Mux(sparse | held.keep[0], held.data[:VALUE_BITS], 0)),
            inputs.index.eq(
                index[: len(inputs.index)]
                | Mux(index[len(inputs.index) :].any(), self._size, 0)  # no such input
            ),
            inputs.dense.eq(~sparse),
            inputs.last.eq(held.last & ends),
            self.inputs.valid.eq(full & (sparse | held.keep[0] | empty)),
            shifts.eq(full & (self.inputs.ready | ~self.inputs.valid)),
            self.words.ready.eq(~full | (shifts & ends)),
        ]
        with m.If(shifts):
            m.d.sync += [
                held.data.eq(held.data >> VALUE_BITS),
                held.keep.eq(held.keep >> 1),
                full.eq(~ends),
            ]
        with m.If(self.words.valid & self.words.ready):
            m.d.sync += [held.eq(self.words.payload), sparse.eq(self.sparse), full.eq(1)]
        return m


class ResultWords(wiring.Component):
    """What a core says of a phase in, one packet of words out.

    A packet holds the states, if the command asked for them, four bytes a word, then the summary.
    With `enabled` low nothing leaves. taken: pulses with the summary that ends a phase.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "states": In(source_of(states_payload(parameters))),
                "summary": In(source_of(summary_payload(parameters))),
                "enabled": In(1),
                "words": Out(stream.Signature(RESULT_WORD)),
                "taken": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds a counter over the words of what stands at the ports."""
        m = Module()
        rows = self._state_words(m)
        summary = summary_words(self.summary.payload)
        number = Signal(range(max(len(rows), len(summary))))
        sends, ends = Signal(), Signal()
        word = self.words.payload
        m.d.comb += [
            self.words.valid.eq(self.enabled & (self.states.valid | self.summary.valid)),
            sends.eq(self.words.valid & self.words.ready),
            self.states.ready.eq(~self.enabled | (sends & ends)),
            self.summary.ready.eq(~self.states.valid & (~self.enabled | (sends & ends))),
            self.taken.eq(self.summary.valid & self.summary.ready),
        ]
        with m.If(self.states.valid):
            m.d.comb += [word.data.eq(_chosen(rows, number)), ends.eq(number == len(rows) - 1)]
        with m.Else():
            m.d.comb += [
                word.data.eq(_chosen(summary, number)),
                ends.eq(number == len(summary) - 1),
                word.last.eq(ends),
            ]
        with m.If(sends):
            m.d.sync += number.eq(Mux(ends, 0, number + 1))
        return m

    def _state_words(self, m: Module) -> list[Value]:
        """A slice in words: the low eight bits of each state, which are those of its population."""
        lanes = []
        for lane in range(self._parameters.update_lanes):
            lanes.append(byte := Signal(VALUE_BITS, name=f"state_{lane}"))
            m.d.comb += byte.eq(self.states.payload.states[lane])
        count = words_per_slice(self._parameters)
        return [Cat(*lanes[VALUES_PER_WORD * k :][:VALUES_PER_WORD]) for k in range(count)]


def _chosen(words: list[Value], number: Value) -> Value:
    return Array(words)[number]
