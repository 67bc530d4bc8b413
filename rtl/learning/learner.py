"""LEARN as a machine: scan the states, walk couplings row by row, then the biases.

    SCAN      reads both states of every neuron, and lists the chunks that can move something
    COUPLING  the next coupling, if a neuron at either of its ends moved
    ROWS      the next row whose pre neuron is not 0 in both phases; it draws a random word
    WALK      the chunks of the list, a beat each; two where the row moved, or memory has one port
    BIAS      the next population that moved; its chunks, a beat for each lane

Nothing is read or written where no synapse can move. docs/rtl.md has the formula of its cycles.
"""

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.contract.learning import WEYL_STEP
from toreq_hw.rtl.beat import single_layout
from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.learning.chunk_list import chunk_layout
from toreq_hw.rtl.learning.input_events import InputEvents, kept_layout
from toreq_hw.rtl.learning.lanes import (
    OPERAND_BITS,
    UpdateLanes,
    field_bits,
    learn_beat,
)
from toreq_hw.rtl.learning.latent_port import parts_of_word
from toreq_hw.rtl.learning.registers import LOW_SHIFTS, LearningRegisters
from toreq_hw.rtl.learning.tables import LearnedCoupling, Region, chunks_of
from toreq_hw.rtl.memory import check_width, make_memory
from toreq_hw.rtl.multiple import times
from toreq_hw.rtl.operations import Page
from toreq_hw.rtl.parameters import BIAS_LATENT_BITS, CoreParameters

DRAIN = 8
"""Cycles behind the last beat of LEARN until every memory holds what was learned."""


class Learner(wiring.Component):
    """Learns while `run`; `done` in its last cycle.

    Before: `clear` as a FREE starts, `keep` with each of its input `event`s; `nudges` as a
    NUDGE_POSITIVE starts, `stirs` with each event of neurons from then on. States are read by
    `read_request`, of `read_page` and `read_slice`, and arrive in `states` a cycle later.

    Stores: `reads` with `read` addresses a word whose fields come in `latents` two cycles later;
    `write` with `target` and `written` writes a chunk. drives, drive: a bias that changed, with
    its half. Loads: one strobe a space, with `load_address` and `load_data`.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        assert parameters.learning is not None, "only a core that learns has a learner"
        self._parameters, self._learning = parameters, parameters.learning
        self._states = data.ArrayLayout(state_shape(parameters), parameters.update_lanes)
        bits = field_bits(parameters)
        beat = learn_beat(parameters)
        super().__init__(
            {
                "run": In(1),
                "done": Out(1),
                "clear": In(1),
                "keep": In(1),
                "event": In(kept_layout(parameters)),
                "nudges": In(1),
                "stirs": In(1),
                "read_request": Out(1),
                "read_page": Out(Page),
                "read_slice": Out(parameters.slice_bits),
                "states": In(self._states),
                "reads": Out(1),
                "read": Out(beat),
                "latents": In(data.ArrayLayout(unsigned(bits), parameters.lanes)),
                "write": Out(1),
                "target": Out(beat),
                "written": Out(data.ArrayLayout(unsigned(bits), self._learning.lanes)),
                "drives": Out(1),
                "drive": Out(single_layout(parameters)),
                "theta": Out(15),
                "load_bias_latent": In(1),
                "load_rate": In(1),
                "load_generator": In(1),
                "load_theta": In(1),
                "load_address": In(parameters.neuron_address_bits),
                "load_data": In(32),
                "bias_at": In(parameters.neuron_address_bits),
                "bias_found": Out(BIAS_LATENT_BITS),
                "generator": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the lists, the lanes and the machine."""
        m = Module()
        self._registers = LearningRegisters(self._parameters)
        m.submodules.lanes = self._lanes = UpdateLanes(self._parameters)
        m.submodules.inputs = self._inputs = InputEvents(self._parameters)
        self._make_lists(m)
        self._make_walk_registers()
        self._connect_loads(m)
        self._connect_biases(m)
        self._connect_lanes(m)
        self._connect_beat(m)
        stirred = Signal()
        with m.If(self.nudges):
            m.d.sync += stirred.eq(0)
        with m.Elif(self.stirs):
            m.d.sync += stirred.eq(1)
        with m.FSM(name="learn"):
            with m.State("IDLE"), m.If(self.run):
                with m.If(stirred):
                    self._begin_scan(m)
                with m.Else():
                    m.d.comb += self.done.eq(1)
            self._read_states(m)
            self._scan(m)
            self._choose_coupling(m)
            self._input_rows(m)
            self._rows(m)
            self._walk(m)
            self._biases(m)
            with m.State("DRAIN"):
                m.d.sync += self._left.eq(self._left - 1)
                with m.If(self._left == 0):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
        return m

    def _make_lists(self, m: Module) -> None:
        """The memory of chunks, its ports, and how many chunks each region holds."""
        layout = chunk_layout(self._parameters)
        spec = self._parameters.memory("chunks")
        check_width(spec, layout)
        m.submodules.chunks = chunks = make_memory(spec)
        self._chunk_write, self._chunk_read = chunks.write_port(), chunks.read_port()
        self._found = Signal(layout, name="new_chunk")
        self._chunk = Signal(layout, name="chunk")
        bits = self._learning.entry_bits
        self._counts = {
            region: Signal(bits, name=f"chunks{k}")
            for k, region in enumerate((*self._learning.moved, *self._learning.reached))
        }
        self._begin, self._end, self._place = (
            Signal(bits, name=name) for name in ("begin", "end", "place")
        )
        self._next_place = Signal(bits)
        m.d.comb += [
            self._chunk_write.data.eq(self._found.as_value()),
            self._chunk.eq(self._chunk_read.data),
            self._next_place.eq(self._place),
            self._chunk_read.addr.eq(self._next_place),
        ]
        m.d.sync += self._place.eq(self._next_place)

    def _make_walk_registers(self) -> None:
        parameters, learning = self._parameters, self._learning
        slots = max(2, learning.lanes)
        largest = max(placement.size for placement in parameters.relaxing)
        self._scans = Signal()
        self._plus = Signal(self._states)
        self._minus = Signal(self._states)
        self._slice = Signal(parameters.slice_bits)
        self._left = Signal(range(max(DRAIN, parameters.update_lanes) + 1))
        self._number = Signal(parameters.chunk_index_bits)
        self._step = Signal(16)
        self._second = Signal()
        self._population = Signal(range(len(parameters.relaxing) + 1))
        self._coupling = Signal(range(len(learning.couplings) + 1))
        self._input_place = Signal(range(parameters.input.size + 1))
        self._row = Signal(range(max(largest, parameters.input.size)))
        self._rows_left = Signal(range(largest + 1))
        self._stands = Signal()
        self._row_plus = Signal(signed(OPERAND_BITS))
        self._row_minus = Signal(signed(OPERAND_BITS))
        self._base = Signal(self._lanes.beat.address.shape())
        self._lane = Signal(parameters.lane_bits)
        self._slot = Signal(range(slots))
        self._is_bias = Signal()
        self._two_slots = Signal()

    # Loads, biases and what a board reads back.

    def _connect_loads(self, m: Module) -> None:
        registers = self._registers
        with m.If(self.load_rate):
            m.d.sync += registers.rates[self.load_address].eq(self.load_data)
        with m.If(self.load_generator):
            m.d.sync += registers.generator.eq(self.load_data)
        with m.If(self.load_theta):
            m.d.sync += registers.theta.eq(self.load_data)
        m.d.comb += [self.theta.eq(registers.theta), self.generator.eq(registers.generator)]

    def _connect_biases(self, m: Module) -> None:
        """Bias latents: read by LEARN or for the host, written by LEARN or by loads."""
        lanes = self._lanes
        spec = self._parameters.memory("bias latents")
        m.submodules.bias_latents = memory = make_memory(spec)
        write, read = memory.write_port(), memory.read_port()
        held = Signal(spec.width)
        m.d.sync += held.eq(read.data)
        m.d.comb += [
            read.addr.eq(Mux(self.run, lanes.read.neuron, self.bias_at)),
            lanes.bias_latent.eq(held),
            self.bias_found.eq(held),
            write.en.eq(lanes.bias_write | self.load_bias_latent),
            write.addr.eq(Mux(self.load_bias_latent, self.load_address, lanes.target.neuron)),
            write.data.eq(Mux(self.load_bias_latent, self.load_data, lanes.bias.as_unsigned())),
            self.drives.eq(lanes.bias_write),
            self.drive.neuron.eq(lanes.target.neuron),
            self.drive.value.eq(lanes.bias_value),
        ]

    def _connect_lanes(self, m: Module) -> None:
        lanes, inputs = self._lanes, self._inputs
        m.d.comb += [
            self.reads.eq(lanes.reads & ~lanes.read.is_bias),
            self.read.eq(lanes.read),
            lanes.latents.eq(self.latents),
            self.write.eq(lanes.write),
            self.target.eq(lanes.target),
            self.written.eq(lanes.written),
            inputs.clear.eq(self.clear),
            inputs.keep.eq(self.keep),
            inputs.event.eq(self.event),
            inputs.at.eq(self._input_place),
        ]

    # Reading states, a slice at a time.

    def _begin_scan(self, m: Module) -> None:
        m.d.sync += [self._scans.eq(1), self._coupling.eq(0)]
        m.d.sync += [count.eq(0) for count in self._counts.values()]
        self._scan_population(m, 0)

    def _scan_population(self, m: Module, number: int) -> None:
        m.d.sync += [
            self._population.eq(number),
            self._slice.eq(self._parameters.first_slice(number)),
            self._number.eq(0),
            self._step.eq(0),
        ]
        m.next = "READ_PLUS"

    def _read_states(self, m: Module) -> None:
        """Three cycles: both pages are addressed, and what comes is kept."""
        m.d.comb += self.read_slice.eq(self._slice)
        with m.State("READ_PLUS"):
            m.d.comb += [self.read_request.eq(1), self.read_page.eq(Page.BIAS_AND_POSITIVE)]
            m.next = "READ_MINUS"
        with m.State("READ_MINUS"):
            m.d.comb += self.read_request.eq(1)
            m.d.sync += self._plus.eq(self.states)
            m.next = "READ_DONE"
        with m.State("READ_DONE"):
            m.d.sync += [self._minus.eq(self.states), self._second.eq(0)]
            m.d.sync += self._slice.eq(self._slice + 1)
            with m.If(self._scans):
                m.d.sync += self._left.eq(self._parameters.update_lanes // self._learning.lanes)
                m.next = "SCAN"
            with m.Else():
                m.d.sync += self._left.eq(self._parameters.update_lanes)
                m.next = "ROWS"

    def _shift_states(self, m: Module, lanes: int) -> None:
        """Brings the next lanes of the slice to the front."""
        bits = lanes * self._parameters.state_bits
        m.d.sync += [
            self._plus.eq(self._plus.as_value() >> bits),
            self._minus.eq(self._minus.as_value() >> bits),
        ]

    # SCAN.

    def _scan(self, m: Module) -> None:
        """A chunk: into the list of those that moved, then of those that a row can reach."""
        lanes, found = self._learning.lanes, self._found
        moved, stands_at_zero = Signal(), Signal()
        plus = Cat(self._plus[k].as_unsigned() for k in range(lanes))
        minus = Cat(self._minus[k].as_unsigned() for k in range(lanes))
        m.d.comb += [
            moved.eq(plus != minus),
            stands_at_zero.eq((plus | minus) == 0),
            found.plus.eq(plus),
            found.minus.eq(minus),
            found.number.eq(self._number),
            found.step.eq(self._step),
            found.moved.eq(moved),
        ]
        with m.State("SCAN"), m.Switch(self._population):
            for number, region in enumerate(self._learning.moved):
                second = [r for r in self._learning.reached if r.population == number]
                with m.Case(number):
                    if second:
                        with m.If(self._second):
                            self._list(m, second[0], ~stands_at_zero)
                            self._next_chunk(m, number)
                        with m.Else():
                            self._list(m, region, moved)
                            m.d.sync += self._second.eq(1)
                    else:
                        self._list(m, region, moved)
                        self._next_chunk(m, number)

    def _list(self, m: Module, region: Region, belongs: Value) -> None:
        count = self._counts[region]
        with m.If(belongs):
            m.d.comb += [
                self._chunk_write.en.eq(1),
                self._chunk_write.addr.eq(region.first + count),
            ]
            m.d.sync += count.eq(count + 1)

    def _next_chunk(self, m: Module, number: int) -> None:
        lanes = self._learning.lanes
        self._shift_states(m, lanes)
        m.d.sync += [
            self._second.eq(0),
            self._left.eq(self._left - 1),
            self._number.eq(self._number + 1),
            self._step.eq(self._step + (WEYL_STEP * lanes & 0xFFFF)),
        ]
        last = chunks_of(self._parameters.relaxing[number], lanes) - 1
        with m.If(self._number == last):
            if number + 1 < len(self._parameters.relaxing):
                self._scan_population(m, number + 1)
            else:
                m.d.sync += self._scans.eq(0)
                m.next = "COUPLING"
        with m.Elif(self._left == 1):
            m.next = "READ_PLUS"

    # Couplings and their rows.

    def _choose_coupling(self, m: Module) -> None:
        learning = self._learning
        with m.State("COUPLING"), m.Switch(self._coupling):
            for number, coupling in enumerate(learning.couplings):
                with m.Case(number):
                    moved = self._count_of(coupling.walk.target) != 0
                    if not coupling.from_input:
                        moved |= self._count_of(coupling.walk.source) != 0
                    with m.If(moved):
                        self._begin_coupling(m, number, coupling)
                    with m.Else():
                        m.d.sync += self._coupling.eq(number + 1)
            with m.Default():
                m.d.sync += self._population.eq(0)
                m.next = "BIAS"

    def _count_of(self, population: int) -> Signal:
        return self._counts[self._learning.moved[population]]

    def _begin_coupling(self, m: Module, number: int, coupling: LearnedCoupling) -> None:
        region = self._learning.region_of(coupling)
        self._begin_list(m, region)
        self._registers.choose_rate(m, Const(number, index_bits(self._learning.rates)))
        m.d.sync += self._is_bias.eq(0)
        if coupling.from_input:
            m.d.sync += self._input_place.eq(0)
            m.next = "INPUT"
        else:
            source = coupling.walk.source
            m.d.sync += [
                self._row.eq(0),
                self._rows_left.eq(self._parameters.relaxing[source].size),
                self._slice.eq(self._parameters.first_slice(source)),
            ]
            m.next = "READ_PLUS"

    def _begin_list(self, m: Module, region: Region) -> None:
        m.d.comb += self._next_place.eq(region.first)
        m.d.sync += [
            self._begin.eq(region.first),
            self._end.eq(region.first + self._counts[region]),
        ]

    def _input_rows(self, m: Module) -> None:
        """The next input event, in two cycles."""
        found = self._inputs.found
        with m.State("INPUT"):
            with m.If(self._input_place == self._inputs.count):
                self._next_coupling(m)
            with m.Else():
                m.d.sync += self._input_place.eq(self._input_place + 1)
                m.next = "INPUT_ROW"
        with m.State("INPUT_ROW"):
            self._begin_row(m, found.index, found.value, found.value)
            with m.If(self._begin == self._end):
                m.next = "INPUT"
            with m.Else():
                m.next = "WALK"

    def _next_coupling(self, m: Module) -> None:
        m.d.sync += self._coupling.eq(self._coupling + 1)
        m.next = "COUPLING"

    def _rows(self, m: Module) -> None:
        """A neuron a cycle; one that is not 0 in both phases is a row."""
        plus, minus = self._plus[0], self._minus[0]
        with m.State("ROWS"):
            with m.If(self._rows_left == 0):
                self._next_coupling(m)
            with m.Elif(self._left == 0):
                m.next = "READ_PLUS"
            with m.Else():
                self._shift_states(m, 1)
                m.d.sync += [
                    self._left.eq(self._left - 1),
                    self._rows_left.eq(self._rows_left - 1),
                    self._row.eq(self._row + 1),
                ]
                with m.If((plus != 0) | (minus != 0)):
                    self._begin_row(m, self._row, plus, minus)
                    with m.If(self._begin != self._end):
                        m.next = "WALK"

    def _begin_row(self, m: Module, row: Value, plus: Value, minus: Value) -> None:
        """Operands and address of a row, and its random word."""
        shift = self._registers.row_shift
        self._registers.advance(m)
        m.d.sync += [
            self._row_plus.eq(plus << shift),
            self._row_minus.eq(minus << shift),
            self._stands.eq(plus == minus),
            self._slot.eq(0),
            self._lane.eq(row),
        ]
        with m.Switch(self._coupling):
            for number, coupling in enumerate(self._learning.couplings):
                walk = coupling.walk
                with m.Case(number):
                    if walk.skewed:
                        base = walk.first + (row >> self._parameters.lane_bits)
                    else:
                        base = walk.first + times(row, walk.beats)
                    m.d.sync += [
                        self._base.eq(base),
                        self._two_slots.eq(coupling.single_port | (plus != minus)),
                    ]

    # WALK.

    def _connect_beat(self, m: Module) -> None:
        """The beat of the chunk at hand: of a row along its list, or of a population's biases."""
        parameters, lanes, chunk = self._parameters, self._lanes, self._chunk
        beat = lanes.beat
        parts = parts_of_word(parameters)
        group = chunk.number[parts.bit_length() - 1 :]
        self._last_slot = last_slot = Signal()
        m.d.comb += [
            beat.first.eq(self._stands | (self._slot == 0)),
            beat.last.eq(last_slot | self._is_bias),
            beat.is_bias.eq(self._is_bias),
            beat.address.eq(self._base + self._offset(m, group)),
            beat.lane.eq(self._lane),
            beat.part.eq(chunk.number[: parts.bit_length() - 1]),
            beat.population.eq(self._population),
        ]
        self._choose_store(m)
        self._choose_neuron(m)
        self._operands(m)
        most_slots = Mux(self._is_bias, self._learning.lanes - 1, self._two_slots)
        m.d.comb += last_slot.eq(self._slot == most_slots)

    def _walk(self, m: Module) -> None:
        """Issues beats until the list ends."""
        chunk, lanes, last_slot = self._chunk, self._lanes, self._last_slot
        with m.State("WALK"):
            idle = self._stands & ~chunk.moved
            waits = ~self._is_bias & self._stands & ~last_slot
            m.d.comb += lanes.issue.eq(~idle & ~waits)
            m.d.sync += self._slot.eq(Mux(last_slot, 0, self._slot + 1))
            with m.If(last_slot):
                m.d.comb += self._next_place.eq(self._place + 1)
                with m.If(self._place + 1 == self._end):
                    m.d.comb += self._next_place.eq(self._begin)
                    self._end_walk(m)

    def _end_walk(self, m: Module) -> None:
        """Behind the last chunk: the next row, or the next population's biases."""
        with m.If(self._is_bias):
            m.d.sync += self._population.eq(self._population + 1)
            m.next = "BIAS"
        with m.Else(), m.Switch(self._coupling):
            for number, coupling in enumerate(self._learning.couplings):
                with m.Case(number):
                    m.next = "INPUT" if coupling.from_input else "ROWS"

    def _offset(self, m: Module, group: Value) -> Value:
        """From the first word or tile of a row to that of a group of columns."""
        offset = Signal.like(self._base, name="offset")
        with m.Switch(self._coupling):
            for number, coupling in enumerate(self._learning.couplings):
                walk = coupling.walk
                with m.Case(number):
                    m.d.comb += offset.eq(times(group, walk.pre_groups) if walk.skewed else group)
        return offset

    def _choose_store(self, m: Module) -> None:
        with m.Switch(self._coupling):
            for number, coupling in enumerate(self._learning.couplings):
                with m.Case(number):
                    m.d.comb += self._lanes.beat.store.eq(coupling.walk.store)

    def _choose_neuron(self, m: Module) -> None:
        """The address of the neuron whose bias is at hand."""
        parameters, lanes = self._parameters, self._learning.lanes
        within = (self._chunk.number << (lanes.bit_length() - 1)) + self._slot
        with m.Switch(self._population):
            for number, placement in enumerate(parameters.relaxing):
                with m.Case(number):
                    first = placement.first_group * parameters.lanes
                    m.d.comb += self._lanes.beat.neuron.eq(first + within)

    def _operands(self, m: Module) -> None:
        """Of the row: its state. Of a column: its difference, or one of its states."""
        chunk, lanes = self._chunk, self._lanes
        word = Signal(16)
        m.d.comb += word.eq(self._registers.word + chunk.step)
        columns, words = [], []
        second = ~self._stands & (self._slot != 0)
        m.d.comb += lanes.row.eq(Mux(second, -self._row_minus, self._row_plus))
        for lane in range(self._learning.lanes):
            plus, minus = chunk.plus[lane], chunk.minus[lane]
            column = Signal(signed(9), name=f"column{lane}")
            m.d.comb += column.eq(Mux(self._stands, plus - minus, Mux(second, minus, plus)))
            columns.append(column)
            words.append((word + (WEYL_STEP * lane & 0xFFFF))[:16])
        if len(columns) > 1:
            at = Mux(self._is_bias, self._slot, 0)[: index_bits(len(columns))]
            columns[0], words[0] = Array(columns)[at], Array(words)[at]
        for lane, (column, own) in enumerate(zip(columns, words, strict=True)):
            shifted = Mux(self._registers.shifts_columns, column << LOW_SHIFTS, column)
            m.d.comb += [lanes.columns[lane].eq(shifted), lanes.words[lane].eq(own)]

    # Biases.

    def _biases(self, m: Module) -> None:
        """A bias learns as a coupling from a neuron that always sits at s_max."""
        learning = self._learning
        with m.State("BIAS"), m.Switch(self._population):
            for number, region in enumerate(learning.moved):
                with m.Case(number):
                    with m.If(self._counts[region] == 0):
                        m.d.sync += self._population.eq(number + 1)
                    with m.Else():
                        self._begin_list(m, region)
                        rate = len(learning.couplings) + number
                        self._registers.choose_rate(m, Const(rate, index_bits(learning.rates)))
                        m.next = "BIAS_ROW"
            with m.Default():
                m.d.sync += self._left.eq(DRAIN - 1)
                m.next = "DRAIN"
        with m.State("BIAS_ROW"):
            self._registers.advance(m)
            highest = [placement.state_max for placement in self._parameters.relaxing]
            s_max = Array(highest)[self._population] if len(set(highest)) > 1 else highest[0]
            s_max = Const(s_max, 8) if isinstance(s_max, int) else s_max
            m.d.sync += [
                self._row_plus.eq(s_max << self._registers.row_shift),
                self._stands.eq(1),
                self._slot.eq(0),
                self._is_bias.eq(1),
            ]
            m.next = "WALK"
