"""The lanes: one pipeline that every read and write of accumulators and states goes through.

    cycle  0  the beat is issued; weight banks are addressed
           1  weights arrive and are rotated into lane order; states addressed for a NUDGE
           2  operand: weight * delta, the nudge, the rounding half or zero; row addressed
           3  row + operand, written back; states addressed
           4  rounded, clipped, compared; states written; changes pushed to the event queue

A row written in cycle 3 is seen by the very next beat, so beats follow each other without
gaps whatever rows they touch. A pass that writes states is followed by a pause of
`UPDATE_LATENCY` cycles wherever something depends on them.
"""

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import Op, pass_layout, shifts, walk_layout
from toreq_hw.rtl.event_queue import row_layout
from toreq_hw.rtl.interfaces import Page, label_shape, state_shape
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.rounding import clipped, inverted, nudge

UPDATE_LATENCY = 5
"""Idle cycles between the last beat of a pass and the first cycle that sees its effects."""


class Datapath(wiring.Component):
    """Weights in bank order come in one cycle after the beat that asked for them.

    `halt`: an update of a self-coupled population found a change in cycle 4; beats behind it
    are void. `peek_group` reads the states of a row into `peeked` in the next cycle, while
    no pass runs.
    """

    def __init__(
        self, parameters: CoreParameters, rest_image: list[int], *, upsets: bool = False
    ) -> None:
        self._parameters = parameters
        self._upsets = upsets
        slots = parameters.groups * parameters.lanes
        self._rest_image = rest_image
        self._weights = data.ArrayLayout(unsigned(parameters.weight_bits), parameters.lanes)
        self._states = data.ArrayLayout(state_shape(parameters), parameters.lanes)
        super().__init__(
            ({"stuck": In(slots), "inverted": In(slots * parameters.state_bits)} if upsets else {})
            | {
                "issue": In(1),
                "beat": In(pass_layout(parameters)),
                "walk": In(walk_layout(parameters)),
                "weights": In(self._weights),
                "label": In(label_shape(parameters)),
                "lowers": In(1),
                "push": Out(1),
                "row": Out(row_layout(parameters)),
                "halt": Out(1),
                "halt_group": Out(parameters.group_bits),
                "halt_lane": Out(parameters.lane_bits + 1),
                "saturations": Out(range(parameters.lanes + 1)),
                "peek": In(1),
                "peek_group": In(parameters.group_bits),
                "peeked": Out(self._states),
                "load": In(1),
                "load_group": In(parameters.group_bits),
                "load_data": In(parameters.lanes * parameters.bias_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the memories and the five stages."""
        m = Module()
        self._make_memories(m)
        self._make_stages(m)
        state_read = self._states(self._state_read.data)
        m.d.comb += self.peeked.eq(state_read)
        operands = self._operands(m, state_read)
        sums = self._accumulate(m, operands)
        self._update(m, sums, state_read)
        return m

    def _make_memories(self, m: Module) -> None:
        parameters = self._parameters
        depth = 3 << parameters.group_bits
        width = parameters.lanes * parameters.accumulator_bits
        rest = Page.REST << parameters.group_bits
        m.submodules.accumulators = accumulators = Memory(
            shape=unsigned(width), depth=depth, init=[0] * rest + self._rest_image
        )
        self._sum_write = accumulators.write_port()
        self._sum_read = accumulators.read_port(transparent_for=(self._sum_write,))
        m.submodules.states = states = Memory(
            shape=unsigned(self._states.size), depth=depth, init=[]
        )
        self._state_write = states.write_port()
        self._state_read = states.read_port()

    def _make_stages(self, m: Module) -> None:
        """Shift registers of the beat: `self._beat[k]` is the one in cycle k."""
        parameters = self._parameters
        self._beat, self._valid = [self.beat], [self.issue]
        self._walk = [self.walk]
        for cycle in range(1, 5):
            beat = Signal(pass_layout(parameters), name=f"beat{cycle}")
            valid = Signal(name=f"valid{cycle}")
            m.d.sync += [beat.eq(self._beat[-1]), valid.eq(self._valid[-1] & ~self.halt)]
            self._beat.append(beat)
            self._valid.append(valid)
            if cycle <= 2:
                walk = Signal(walk_layout(parameters), name=f"walk{cycle}")
                m.d.sync += walk.eq(self._walk[-1])
                self._walk.append(walk)

    def _operands(self, m: Module, states: Value) -> list[Value]:
        """Cycles 1 and 2: what each lane adds, registered for cycle 3."""
        parameters = self._parameters
        lanes, bits = parameters.lanes, parameters.accumulator_bits
        weights = Signal(self._weights)
        m.d.sync += weights.eq(self._rotated(self._walk[1].lane))
        beat, walk = self._beat[2], self._walk[2]
        half = self._by_population(
            m, beat.population, "half", [s.half for s in parameters.relaxing]
        )
        steps = Signal(signed(bits))
        negative_steps = Signal(signed(bits))
        shift = Array(walk.delta << s for s in shifts(parameters))[walk.shift]
        m.d.comb += [steps.eq(shift), negative_steps.eq(-steps)]
        output = parameters.relaxing[parameters.output]
        operands = []
        for lane in range(lanes):
            operand = Signal(signed(bits), name=f"operand{lane}")
            weight = weights[lane].as_signed()
            neuron = Cat(Const(lane, parameters.lane_bits), beat.group - output.first_group)
            drive = nudge(states[lane], neuron == self.label, output, parameters.beta_shift)
            with m.Switch(beat.op):
                with m.Case(Op.WALK):
                    if parameters.multiplies:
                        product = weight * walk.delta
                        shifted = Array(product << s for s in shifts(parameters))[walk.shift]
                        m.d.sync += operand.eq(shifted)
                    else:
                        signs = Mux(weight[1], negative_steps, steps)
                        m.d.sync += operand.eq(Mux(weight[0], signs, 0))
                with m.Case(Op.UPDATE):
                    m.d.sync += operand.eq(half)
                with m.Case(Op.NUDGE):
                    m.d.sync += operand.eq(Mux(self.lowers, -drive, drive))
                with m.Default():
                    m.d.sync += operand.eq(0)
            operands.append(operand)
        return operands

    def _rotated(self, amount: Value) -> Value:
        """Lane l gets bank (l + amount) mod lanes: log2(lanes) levels of two-way switches."""
        turned = [self.weights[k] for k in range(self._parameters.lanes)]
        for level in range(self._parameters.lane_bits):
            step = 1 << level
            turned = [
                Mux(amount[level], turned[(k + step) % len(turned)], turned[k])
                for k in range(len(turned))
            ]
        return Cat(*turned)

    def _accumulate(self, m: Module, operands: list[Value]) -> list[Value]:
        """Cycles 2 and 3: address the row, add, write back. Returns the sums of cycle 3."""
        parameters = self._parameters
        bits = parameters.accumulator_bits
        ahead, beat = self._beat[2], self._beat[3]
        read_page = Signal(Page, init=Page.WORK)
        with m.Switch(ahead.op):
            with m.Case(Op.CLEAR):
                m.d.comb += read_page.eq(Page.REST)
            with m.Case(Op.RESTORE):
                m.d.comb += read_page.eq(Page.FREE)
        row = data.ArrayLayout(signed(bits), parameters.lanes)(self._sum_read.data)
        sums = [Signal(signed(bits), name=f"sum{k}") for k in range(parameters.lanes)]
        m.d.comb += [total.eq(row[k] + operands[k]) for k, total in enumerate(sums)]
        write_page = Mux(beat.op == Op.SAVE, Page.FREE, Page.WORK)
        writes = (beat.op != Op.UPDATE) & (beat.op != Op.KEEP)
        m.d.comb += [
            self._sum_read.addr.eq(Cat(ahead.group, read_page)),
            self._sum_write.addr.eq(Cat(beat.group, write_page)),
            self._sum_write.data.eq(Cat(*sums)),
            self._sum_write.en.eq(self._valid[3] & writes & ~self.halt),
        ]
        with m.If(self.load):
            biases = data.ArrayLayout(signed(parameters.bias_bits), parameters.lanes)(
                self.load_data
            )
            wide = [Signal(signed(bits), name=f"bias{k}") for k in range(parameters.lanes)]
            m.d.comb += [w.eq(biases[k]) for k, w in enumerate(wide)]
            m.d.comb += [
                self._sum_write.addr.eq(Cat(self.load_group, Const(Page.REST, 2))),
                self._sum_write.data.eq(Cat(*wide)),
                self._sum_write.en.eq(1),
            ]
        return sums

    def _update(self, m: Module, sums: list[Value], states: Value) -> None:
        """Cycle 4: new states, written back; the lanes that changed, pushed."""
        parameters = self._parameters
        self._address_states(m)
        beat, valid = self._beat[4], self._valid[4]
        is_update = Signal()
        m.d.comb += is_update.eq(valid & (beat.op == Op.UPDATE))
        new, changed, ends, accepted = (
            Signal(self._states, name="new"),
            Signal(parameters.lanes, name="changed"),
            Signal(parameters.lanes, name="ends"),
            Signal(parameters.lanes, name="accepted"),
        )
        for lane, total in enumerate(sums):
            rounded = Signal.like(total, name=f"rounded{lane}")
            m.d.sync += rounded.eq(total)
            state, at_end = self._new_state(m, beat, rounded, lane)
            m.d.comb += [
                new[lane].eq(state),
                ends[lane].eq(at_end),
                changed[lane].eq(self._exists(m, beat, lane) & (state != states[lane])),
                self.row.deltas[lane].eq(state - states[lane]),
            ]
        singles = self._by_population(
            m, beat.population, "single", [s.self_coupled for s in parameters.relaxing]
        )
        m.d.comb += [
            accepted.eq(Mux(singles, changed & -changed, changed)),
            self.push.eq(is_update & (changed != 0)),
            self.row.group.eq(beat.group),
            self.row.changed.eq(accepted),
            self.halt.eq(self.push & singles),
            self.halt_group.eq(beat.group),
        ]
        for lane in reversed(range(parameters.lanes)):
            with m.If(accepted[lane]):
                m.d.comb += self.halt_lane.eq(lane + 1)
        saturated = accepted & ends
        count = sum(saturated[k] for k in range(parameters.lanes))
        m.d.sync += self.saturations.eq(Mux(is_update, count, 0))
        self._write_states(m, states, new, accepted)

    def _address_states(self, m: Module) -> None:
        """A NUDGE reads s* in cycle 1, everything else its states in cycle 3."""
        beat = self._beat[3]
        page = Mux(beat.op == Op.RESTORE, Page.FREE, Page.WORK)
        with m.If(self.peek):
            m.d.comb += self._state_read.addr.eq(Cat(self.peek_group, Const(Page.WORK, 2)))
        with m.Elif(self._valid[1] & (self._beat[1].op == Op.NUDGE)):
            m.d.comb += self._state_read.addr.eq(Cat(self._beat[1].group, Const(Page.FREE, 2)))
        with m.Else():
            m.d.comb += self._state_read.addr.eq(Cat(beat.group, page))

    def _write_states(self, m: Module, old: Value, new: Value, accepted: Value) -> None:
        beat = self._beat[4]
        page = Signal(Page, init=Page.WORK)
        written = Signal(self._states)
        enable = Signal()
        with m.Switch(beat.op):
            with m.Case(Op.UPDATE):
                m.d.comb += enable.eq(1)
                for lane in range(self._parameters.lanes):
                    m.d.comb += written[lane].eq(Mux(accepted[lane], new[lane], old[lane]))
            with m.Case(Op.CLEAR):
                m.d.comb += enable.eq(1)
            with m.Case(Op.SAVE):
                m.d.comb += [enable.eq(1), written.eq(old), page.eq(Page.FREE)]
            with m.Case(Op.KEEP):
                m.d.comb += [enable.eq(1), written.eq(old), page.eq(Page.REST)]
            with m.Case(Op.RESTORE):
                m.d.comb += [enable.eq(1), written.eq(old)]
        m.d.comb += [
            self._state_write.addr.eq(Cat(beat.group, page)),
            self._state_write.data.eq(written.as_value()),
            self._state_write.en.eq(self._valid[4] & enable),
        ]

    def _new_state(self, m: Module, beat: Value, total: Value, lane: int) -> tuple[Value, Value]:
        """The state that `total` (half included) rounds to, and whether it is an end."""
        state = Signal(state_shape(self._parameters), name=f"state{lane}")
        at_end = Signal(name=f"at_end{lane}")
        with m.Switch(beat.population):
            for number, slot in enumerate(self._parameters.relaxing):
                with m.Case(number):
                    value = Signal(state_shape(self._parameters), name=f"clipped{lane}_{number}")
                    new = clipped(total, slot)
                    if self._upsets:
                        where = Cat(Const(lane, self._parameters.lane_bits), beat.group)
                        bits = self._parameters.state_bits
                        new = inverted(new, self.inverted.word_select(where, bits), slot)
                    m.d.comb += value.eq(new)
                    m.d.comb += [
                        state.eq(value),
                        at_end.eq((value == slot.state_min) | (value == slot.state_max)),
                    ]
        return state, at_end

    def _exists(self, m: Module, beat: Value, lane: int) -> Value:
        """Whether this lane of the row holds a neuron, at or above the first lane asked for."""
        exists = Signal(name=f"exists{lane}", init=1)
        for slot in self._parameters.relaxing:
            last_group = slot.first_group + slot.groups - 1
            if last_group * self._parameters.lanes + lane >= (
                slot.first_group * self._parameters.lanes + slot.size
            ):
                with m.If(beat.group == last_group):
                    m.d.comb += exists.eq(0)
        with m.If(lane < beat.first_lane):
            m.d.comb += exists.eq(0)
        if self._upsets:
            where = Cat(Const(lane, self._parameters.lane_bits), beat.group)
            with m.If(self.stuck.bit_select(where, 1)):
                m.d.comb += exists.eq(0)
        return exists

    def _by_population(self, m: Module, population: Value, name: str, values: list[int]) -> Value:
        """A constant of each population, chosen by its number."""
        chosen = Signal(range(max(2, max(values) + 1)), name=name)
        with m.Switch(population):
            for number, value in enumerate(values):
                with m.Case(number):
                    m.d.comb += chosen.eq(value)
        return chosen
