"""WALK: a row along its list of chunks, or the biases of a population along theirs."""

from amaranth import Array, Const, Module, Mux, Signal, Value, signed

from toreq_hw.contract.learning import WEYL_STEP
from toreq_hw.rtl.beat import is_one_of
from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.learning.chunk_lists import ChunkLists
from toreq_hw.rtl.learning.lanes import UpdateLanes
from toreq_hw.rtl.learning.latent_port import parts_of_word
from toreq_hw.rtl.learning.registers import LOW_SHIFTS, LearningRegisters
from toreq_hw.rtl.learning.rows import Rows
from toreq_hw.rtl.multiple import times
from toreq_hw.rtl.parameters import CoreParameters


class ChunkWalk:
    """The states WALK, BIAS and BIAS_ROW.

    A chunk takes one cycle, or two where its row moved, or of biases one a lane: its *slots*.
    With a memory of one port it waits while the same lanes of another word are written.
    """

    def __init__(
        self,
        parameters: CoreParameters,
        registers: LearningRegisters,
        lists: ChunkLists,
        rows: Rows,
        lanes: UpdateLanes,
    ) -> None:
        assert parameters.learning is not None, "only a core that learns walks chunks"
        self._parameters, self._learning = parameters, parameters.learning
        self._registers, self._lists = registers, lists
        self._rows, self._lanes = rows, lanes
        self._population = Signal(range(len(parameters.relaxing) + 1), name="learned")
        self._slot = Signal(range(max(2, self._learning.lanes)))
        self._is_bias = Signal()
        self._last_slot = Signal()

    def begin(self, m: Module) -> None:
        """Rows come first."""
        m.d.sync += [self._is_bias.eq(0), self._slot.eq(0), self._population.eq(0)]

    def connect(self, m: Module) -> None:
        """The beat of the chunk at hand."""
        rows, chunk = self._rows, self._lists.chunk
        beat, row = self._lanes.beat, rows.base
        parts = parts_of_word(self._parameters)
        group = chunk.number[parts.bit_length() - 1 :]
        m.d.comb += [
            beat.first.eq(rows.stands | (self._slot == 0)),
            beat.last.eq(self._last_slot | self._is_bias),
            beat.is_bias.eq(self._is_bias),
            beat.address.eq(Mux(self._is_bias, self._neuron(m), row + self._offset(m, group))),
            beat.lane.eq(rows.lane),
            beat.part.eq(chunk.number[: parts.bit_length() - 1]),
            beat.population.eq(self._population),
        ]
        if self._learning.mirrors:
            self._mirror(m, group)
        self._operands(m)
        most_slots = Mux(self._is_bias, self._learning.lanes - 1, rows.two_slots)
        m.d.comb += self._last_slot.eq(self._slot == most_slots)

    def _offset(self, m: Module, group: Value) -> Value:
        """From the first word or tile of a row to that of a group of columns; chooses the store."""
        offset = Signal.like(self._rows.base, name="offset")
        with m.Switch(self._rows.coupling):
            for number, coupling in enumerate(self._learning.couplings):
                walk = coupling.walk
                with m.Case(number):
                    m.d.comb += [
                        offset.eq(times(group, walk.pre_groups) if walk.skewed else group),
                        self._lanes.beat.store.eq(walk.store),
                    ]
        return offset

    def _mirror(self, m: Module, group: Value) -> None:
        """In a self-coupling, columns above the row learn, and are mirrored in the row's column."""
        rows, beat, size = self._rows, self._lanes.beat, self._learning.lanes
        selfs = [n for n, coupling in enumerate(self._learning.couplings) if coupling.is_self]
        mirrors = Signal()
        m.d.comb += [
            mirrors.eq(~self._is_bias & is_one_of(rows.coupling, tuple(selfs))),
            beat.mirrors.eq(mirrors),
            beat.mirror.eq(rows.mirror + group),
        ]
        first = self._lists.chunk.number << (size.bit_length() - 1)
        for lane in range(size):
            m.d.comb += beat.mask[lane].eq(~mirrors | (first + lane > rows.row))

    def _neuron(self, m: Module) -> Value:
        """The address of the neuron whose bias is at hand."""
        lanes = self._learning.lanes
        neuron = Signal(self._parameters.neuron_address_bits, name="neuron")
        within = (self._lists.chunk.number << (lanes.bit_length() - 1)) + self._slot
        with m.Switch(self._population):
            for number, placement in enumerate(self._parameters.relaxing):
                with m.Case(number):
                    first = placement.first_group * self._parameters.lanes
                    m.d.comb += neuron.eq(first + within)
        return neuron

    def _operands(self, m: Module) -> None:
        """Of the row: its state. Of a column: its difference, or one of its states."""
        rows, chunk, lanes = self._rows, self._lists.chunk, self._lanes
        word, state = Signal(16), Signal(signed(9))
        second = ~rows.stands & (self._slot != 0)
        m.d.comb += [
            word.eq(self._registers.word + chunk.step),
            state.eq(Mux(second, rows.minus, rows.plus)),
            lanes.row.eq(state << self._registers.row_shift),
        ]
        columns, words = [], []
        for lane in range(self._learning.lanes):
            plus, minus = chunk.plus[lane], chunk.minus[lane]
            column = Signal(signed(9), name=f"column{lane}")
            m.d.comb += column.eq(Mux(rows.stands, plus - minus, Mux(second, minus, plus)))
            columns.append(column)
            words.append((word + (WEYL_STEP * lane & 0xFFFF))[:16])
        if len(columns) > 1:
            at = Mux(self._is_bias, self._slot, 0)[: index_bits(len(columns))]
            columns[0], words[0] = Array(columns)[at], Array(words)[at]
        for lane, (column, own) in enumerate(zip(columns, words, strict=True)):
            shifted = Mux(self._registers.shifts_columns, column << LOW_SHIFTS, column)
            m.d.comb += [lanes.columns[lane].eq(shifted), lanes.words[lane].eq(own)]

    def add_states(self, m: Module, finish: str) -> None:
        """The states; behind the last population comes `finish`."""
        self._walk(m)
        self._biases(m, finish)

    def _walk(self, m: Module) -> None:
        """Issues beats until the list ends."""
        rows, chunk = self._rows, self._lists.chunk
        lanes, held = self._lanes, Signal()
        same_part = lanes.writes_next & (lanes.part_next == lanes.beat.part)
        m.d.comb += held.eq(rows.single_port & ~self._is_bias & same_part)
        with m.State("WALK"):
            idle = rows.stands & ~chunk.moved
            waits = ~self._is_bias & rows.stands & ~self._last_slot
            m.d.comb += lanes.issue.eq(~idle & ~waits & ~held)
            with m.If(~held):
                m.d.sync += self._slot.eq(Mux(self._last_slot, 0, self._slot + 1))
            with m.If(self._last_slot & ~held):
                self._lists.advance(m)
                with m.If(self._lists.last & self._is_bias):
                    m.d.sync += self._population.eq(self._population + 1)
                    m.next = "BIAS"
                with m.Elif(self._lists.last):
                    rows.next_row(m)

    def _biases(self, m: Module, finish: str) -> None:
        """The next population that moved draws a random word, then a beat for each neuron."""
        learning, placements = self._learning, self._parameters.relaxing
        with m.State("BIAS"), m.Switch(self._population):
            for number, region in enumerate(learning.moved):
                with m.Case(number):
                    with m.If(self._lists.moved(number)):
                        self._lists.begin(m, region)
                        rate = len(learning.couplings) + number
                        self._registers.choose_rate(m, Const(rate, index_bits(learning.rates)))
                        m.next = "BIAS_ROW"
                    with m.Else():
                        m.d.sync += self._population.eq(number + 1)
            with m.Default():
                m.next = finish
        with m.State("BIAS_ROW"):
            highest = [Const(placement.state_max, 8) for placement in placements]
            self._rows.begin_bias(m, Array(highest)[self._population])
            m.d.sync += self._is_bias.eq(1)
            m.next = "WALK"
