"""The lanes of LEARN: one chunk of synapses a beat, or one bias.

    cycle  1  the latents are addressed; operand of the row * operand of the column
           2  + the rounding word, or + the first of two products
           3  latents arrive; V + the step, clipped, goes into the register that loads go into
           4  written

The shift by the rate is done on the operands: (G + r) >> k = ((G << (16 - k)) + w) >> 16. Here w is
the column's 16-bit random word, and r its top k bits (docs/numerics.md, section 6). So lanes hold a
multiplier of 16 x 16 bits and no shifter.
"""

from typing import Any

from amaranth import Array, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.contract.learning import BIAS_GUARD_BITS
from toreq_hw.rtl.beat import address_bits, population_bits
from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.interfaces import Members
from toreq_hw.rtl.learning.latent_port import parts_of_word
from toreq_hw.rtl.learning.latents import clipped, stepped
from toreq_hw.rtl.learning.sizes import BIAS_LATENT_BITS
from toreq_hw.rtl.parameters import CoreParameters

OPERAND_BITS = 16
"""Of a row's and a column's operand."""

WRITE_LATENCY = 4
"""Cycles from the one in which a chunk leaves the lists to the one that writes its latents."""


def learn_beat(parameters: CoreParameters) -> data.StructLayout:
    """Where a beat of LEARN reads and writes.

    first, last: of the products that make its step. is_bias: of the bias of a neuron, whose
    `address` is as in load words; else of the chunk `part` of the word or tile `address` of
    `store`, there of the row `lane`.
    """
    assert parameters.learning is not None, "only a core that learns has beats of LEARN"
    return data.StructLayout(
        {
            "first": 1,
            "last": 1,
            "is_bias": 1,
            "store": unsigned(index_bits(len(parameters.stores))),
            "address": unsigned(max(address_bits(parameters), parameters.neuron_address_bits)),
            "lane": unsigned(parameters.lane_bits),
            "part": unsigned(index_bits(parts_of_word(parameters))),
            "population": unsigned(population_bits(parameters)),
            **(_mirror_fields(parameters) if parameters.learning.mirrors else {}),
        }
    )


def _mirror_fields(parameters: CoreParameters) -> Members:
    """mirrors: lanes of `mask` are written a second time, into the tile `mirror`, in a column."""
    assert parameters.learning is not None, "only a core that learns has beats of LEARN"
    return {
        "mirrors": 1,
        "mirror": unsigned(address_bits(parameters)),
        "mask": unsigned(parameters.learning.lanes),
    }


def field_bits(parameters: CoreParameters) -> int:
    """Bits of the widest field of any store."""
    return max(store.width for store in parameters.stores)


class UpdateLanes(wiring.Component):
    """`issue` with `beat` and operands in one cycle, written four cycles later.

    row: operand of the row. columns, words: operand and 16-bit random word of each lane; a bias
    has those of lane 0. read: the beat whose latents are addressed in this cycle. latents: of all
    lanes of the word that was addressed two cycles ago, bias_latent likewise.
    writes_next: the chunk `part_next` of a word is written in the next cycle, in which a beat that
    is issued now would read.
    next_latents: of the chunk that is written in the next cycle, of `next_store` and
    `next_address`; or, where it `repeats`, those of the cycle before are.
    write: lanes of `mask` of the chunk go to the place of `target`, in a row or `by_column`.
    bias_write: `bias` is the bias latent of the neuron at the address, and `bias_value` what stands
    for it in an accumulator, half included.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        assert parameters.learning is not None, "only a core that learns has these lanes"
        self._lanes = lanes = parameters.learning.lanes
        bits = field_bits(parameters)
        super().__init__(
            {
                "issue": In(1),
                "beat": In(learn_beat(parameters)),
                "row": In(signed(OPERAND_BITS)),
                "columns": In(data.ArrayLayout(signed(OPERAND_BITS), lanes)),
                "words": In(data.ArrayLayout(unsigned(16), lanes)),
                "reads": Out(1),
                "read": Out(learn_beat(parameters)),
                "writes_next": Out(1),
                "part_next": Out(learn_beat(parameters)["part"].shape),
                "latents": In(data.ArrayLayout(unsigned(bits), parameters.lanes)),
                "bias_latent": In(signed(BIAS_LATENT_BITS)),
                "write": Out(1),
                "bias_write": Out(1),
                "target": Out(learn_beat(parameters)),
                "mask": Out(lanes),
                "by_column": Out(1),
                "next_latents": Out(data.ArrayLayout(unsigned(bits), lanes)),
                "next_store": Out(learn_beat(parameters)["store"].shape),
                "next_address": Out(learn_beat(parameters)["address"].shape),
                "repeats": Out(1),
                "bias": Out(signed(BIAS_LATENT_BITS)),
                "bias_value": Out(signed(parameters.bias_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the stages."""
        m = Module()
        beats, valid = [self.beat], [self.issue]
        for cycle in range(1, WRITE_LATENCY + 1):
            beat = Signal(self.beat.shape(), name=f"beat{cycle}", reset_less=True)
            present = Signal(name=f"valid{cycle}")
            m.d.sync += [beat.eq(beats[-1]), present.eq(valid[-1])]
            beats.append(beat)
            valid.append(present)
        m.d.comb += [
            self.reads.eq(valid[1] & beats[1].last),
            self.read.eq(beats[1]),
            self.writes_next.eq(valid[3] & beats[3].last & ~beats[3].is_bias),
            self.part_next.eq(beats[3].part),
            self.next_store.eq(beats[3].store),
            self.next_address.eq(beats[3].address),
            self.target.eq(beats[4]),
            self.write.eq(valid[4] & beats[4].last & ~beats[4].is_bias),
            self.mask.eq(~0),
            self.bias_write.eq(valid[4] & beats[4].last & beats[4].is_bias),
        ]
        steps = [self._step(m, lane, beats[2].first) for lane in range(self._lanes)]
        news = [self._new_latent(m, lane, step, beats[3]) for lane, step in enumerate(steps)]
        m.d.comb += [self.next_latents[lane].eq(new) for lane, new in enumerate(news)]
        assert self._parameters.learning is not None, "only a core that learns has these lanes"
        if self._parameters.learning.mirrors:
            self._mirror(m, beats[4])
        self._write_bias(m, steps[0])
        return m

    def _step(self, m: Module, lane: int, first: Value) -> Value:
        """Cycles 0 to 2: what is added to a latent in cycle 3."""
        row = Signal.like(self.row, name=f"row{lane}", reset_less=True)
        column = Signal.like(self.row, name=f"column{lane}", reset_less=True)
        product = Signal(signed(2 * OPERAND_BITS), name=f"product{lane}", reset_less=True)
        total = Signal(signed(2 * OPERAND_BITS), name=f"sum{lane}", reset_less=True)
        words = [self.words[lane]]
        for cycle in (1, 2):
            word = Signal(16, name=f"word{lane}_{cycle}", reset_less=True)
            m.d.sync += word.eq(words[-1])
            words.append(word)
        m.d.sync += [
            row.eq(self.row),
            column.eq(self.columns[lane]),
            product.eq(row * column),
            total.eq(product + Mux(first, words[2], total)),
        ]
        return (total >> 16).as_signed()

    def _mirror(self, m: Module, beat: Any) -> None:
        """Cycle 5: what a self-coupling learned goes into its column too."""
        mirrors, mirrored = Signal(), Signal(self.beat.shape(), reset_less=True)
        m.d.sync += [mirrors.eq(self.repeats), mirrored.eq(beat)]
        m.d.comb += [
            self.repeats.eq(self.write & beat.mirrors & ~mirrors),
            self.mask.eq(self.target.mask),
        ]
        with m.If(self.repeats):
            m.d.comb += self.next_address.eq(beat.mirror)
        with m.If(mirrors):
            m.d.comb += [
                self.write.eq(1),
                self.by_column.eq(1),
                self.target.eq(mirrored),
            ]

    def _new_latent(self, m: Module, lane: int, step: Value, beat: Value) -> Signal:
        """Cycle 3: the latent of a lane of the chunk, with its step."""
        parameters = self._parameters
        parts = parts_of_word(parameters)
        choices = [self.latents[lane + part * self._lanes] for part in range(parts)]
        old = Array(choices)[beat.part] if parts > 1 else choices[0]
        new = Signal(field_bits(parameters), name=f"new{lane}")
        widths = sorted({store.width for store in parameters.stores})
        with m.Switch(beat.store):
            for width in widths:
                numbers = [n for n, s in enumerate(parameters.stores) if s.width == width]
                with m.Case(*numbers) if len(widths) > 1 else m.Default():
                    m.d.comb += new.eq(stepped(old[:width], step, width))
        return new

    def _write_bias(self, m: Module, step: Value) -> None:
        """Cycle 3: the bias latent with its step, for cycle 4."""
        total = self.bias_latent + step
        m.d.sync += self.bias.eq(clipped(total, BIAS_LATENT_BITS).as_signed())
        halves = [placement.half for placement in self._parameters.relaxing]
        half = Array(halves)[self.target.population] if len(set(halves)) > 1 else halves[0]
        m.d.comb += self.bias_value.eq((self.bias >> BIAS_GUARD_BITS) + half)
