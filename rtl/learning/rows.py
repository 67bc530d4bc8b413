"""Which row is walked next: couplings in file order, and their rows in order."""

from amaranth import Const, Module, Signal, Value, signed

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.learning.chunk_lists import ChunkLists
from toreq_hw.rtl.learning.input_events import InputEvents
from toreq_hw.rtl.learning.lanes import learn_beat
from toreq_hw.rtl.learning.registers import LearningRegisters
from toreq_hw.rtl.learning.scan import StatePairs
from toreq_hw.rtl.learning.tables import LearnedCoupling
from toreq_hw.rtl.multiple import times
from toreq_hw.rtl.parameters import CoreParameters


class Rows:
    """The states COUPLING, INPUT, INPUT_ROW and ROWS.

    coupling: the one at hand. stands: the row's neuron did not move. plus, minus: its states, the
    second one negated, and of no use where it stands.
    row: its number. base: the word or tile of its first column, lane: the row's place in its tile.
    mirror: the first tile of its column, in a self-coupling. two_slots: each of its chunks takes
    two cycles. single_port: its memory reads or writes a lane in a cycle, not both.
    """

    def __init__(
        self,
        parameters: CoreParameters,
        registers: LearningRegisters,
        pairs: StatePairs,
        lists: ChunkLists,
        inputs: InputEvents,
    ) -> None:
        assert parameters.learning is not None, "only a core that learns has rows"
        self._parameters, self._learning = parameters, parameters.learning
        self._registers, self._pairs, self._lists = registers, pairs, lists
        self._inputs = inputs
        largest = max(placement.size for placement in parameters.relaxing)
        self.coupling = Signal(range(len(self._learning.couplings) + 1))
        self._place = Signal(range(parameters.input.size + 1), name="input_place")
        self._row = Signal(range(max(largest, parameters.input.size)))
        self._left = Signal(range(largest + 1), name="rows_left")
        self.stands = Signal()
        self.plus, self.minus = (
            Signal(signed(9), name="row_plus"),
            Signal(signed(9), name="row_minus"),
        )
        self.base = Signal(learn_beat(parameters)["address"].shape)
        self.mirror = Signal.like(self.base)
        self.row = Signal.like(self._row, name="row")
        self.lane = Signal(parameters.lane_bits)
        self.two_slots, self.single_port = Signal(), Signal()

    def connect(self, m: Module) -> None:
        """The input event at hand."""
        m.d.comb += self._inputs.at.eq(self._place)

    def begin(self, m: Module) -> None:
        """Starts with the first coupling."""
        m.d.sync += self.coupling.eq(0)

    def add_states(self, m: Module, finish: str) -> None:
        """The states; behind the last coupling comes `finish`."""
        self._choose(m, finish)
        self._input_rows(m)
        self._neuron_rows(m)

    def _choose(self, m: Module, finish: str) -> None:
        """The next coupling in which a neuron at either end moved."""
        with m.State("COUPLING"), m.Switch(self.coupling):
            for number, coupling in enumerate(self._learning.couplings):
                with m.Case(number):
                    moved = self._lists.moved(coupling.walk.target)
                    if not coupling.from_input:
                        moved |= self._lists.moved(coupling.walk.source)
                    with m.If(moved):
                        self._begin_coupling(m, number, coupling)
                    with m.Else():
                        m.d.sync += self.coupling.eq(number + 1)
            with m.Default():
                m.next = finish

    def _begin_coupling(self, m: Module, number: int, coupling: LearnedCoupling) -> None:
        self._lists.begin(m, self._learning.region_of(coupling))
        self._registers.choose_rate(m, Const(number, index_bits(self._learning.rates)))
        if coupling.from_input:
            m.d.sync += self._place.eq(0)
            m.next = "INPUT"
        else:
            source = coupling.walk.source
            m.d.sync += [
                self._row.eq(0),
                self._left.eq(self._parameters.relaxing[source].size),
                self._pairs.slice.eq(self._parameters.first_slice(source)),
            ]
            m.next = "READ_PLUS"

    def _end_coupling(self, m: Module) -> None:
        m.d.sync += self.coupling.eq(self.coupling + 1)
        m.next = "COUPLING"

    def _input_rows(self, m: Module) -> None:
        """The next input event, in two cycles."""
        found = self._inputs.found
        with m.State("INPUT"):
            with m.If(self._place == self._inputs.count):
                self._end_coupling(m)
            with m.Else():
                m.d.sync += self._place.eq(self._place + 1)
                m.next = "INPUT_ROW"
        with m.State("INPUT_ROW"):
            self._begin_row(m, found.index, found.value)
            with m.If(self._lists.empty):
                m.next = "INPUT"
            with m.Else():
                m.next = "WALK"

    def _neuron_rows(self, m: Module) -> None:
        """A neuron a cycle; one that is not 0 in both phases is a row."""
        pairs = self._pairs
        plus, minus = pairs.plus[0], pairs.minus[0]
        with m.State("ROWS"):
            with m.If(self._left == 0):
                self._end_coupling(m)
            with m.Elif(pairs.left == 0):
                m.next = "READ_PLUS"
            with m.Else():
                pairs.shift(m, 1)
                m.d.sync += [self._left.eq(self._left - 1), self._row.eq(self._row + 1)]
                with m.If((plus != 0) | (minus != 0)):
                    self._begin_row(m, self._row, plus, minus)
                    with m.If(~self._lists.empty):
                        m.next = "WALK"

    def _begin_row(self, m: Module, row: Value, plus: Value, minus: Value | None = None) -> None:
        """Operands and address of a row, and its random word. minus: None of an input's."""
        self._registers.advance(m)
        stands = Const(1) if minus is None else plus == minus
        if minus is not None:
            m.d.sync += self.minus.eq(-minus)
        m.d.sync += [
            self.plus.eq(plus),
            self.stands.eq(stands),
            self.lane.eq(row),
            self.row.eq(row),
        ]
        with m.Switch(self.coupling):
            for number, coupling in enumerate(self._learning.couplings):
                walk = coupling.walk
                with m.Case(number):
                    if walk.skewed:
                        base = walk.first + (row >> self._parameters.lane_bits)
                    else:
                        base = walk.first + times(row, walk.beats)
                    m.d.sync += [
                        self.base.eq(base),
                        self.two_slots.eq(1 if coupling.is_self else ~stands),
                        self.single_port.eq(coupling.single_port),
                    ]
                    if coupling.is_self:
                        group = row >> self._parameters.lane_bits
                        m.d.sync += self.mirror.eq(walk.first + times(group, walk.pre_groups))

    def next_row(self, m: Module) -> None:
        """Goes on behind a row that was walked."""
        with m.Switch(self.coupling):
            for number, coupling in enumerate(self._learning.couplings):
                with m.Case(number):
                    m.next = "INPUT" if coupling.from_input else "ROWS"

    def begin_bias(self, m: Module, s_max: Value) -> None:
        """A bias learns as a coupling from a neuron that always sits at s_max."""
        self._registers.advance(m)
        m.d.sync += [self.plus.eq(s_max), self.stands.eq(1)]
