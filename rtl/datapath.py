"""The lanes: one pipeline that every read and write of accumulators and states goes through.

    cycle  0  the beat is issued; a store of weights is addressed
           1  weights leave their memory
           2  weights arrive, one for each lane; the row is addressed
           3  operand: weight * delta, or a value for one lane; the row arrives; states addressed
           4  row + operand, written back; or a slice of the row is picked, rounded and clipped
           5  compared with the old states
           6  states written; changes pushed to the event queue

What is written in cycle 4 is seen by the very next beat, which takes the sum on its way to memory.
So beats follow each other without gaps, whatever rows they touch. A pass that writes states is
followed by a pause of `UPDATE_LATENCY` cycles wherever something depends on them. Cycles 5 and 6
are `Updater`'s.
"""

from amaranth import Array, Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.accumulators import Added, Stages, accumulate, page_address, register
from toreq_hw.rtl.beat import beat_layout, is_one_of, shifts, single_layout, walk_layout
from toreq_hw.rtl.event_queue import row_layout
from toreq_hw.rtl.fault_port import StateFaults
from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.memory import make_memory
from toreq_hw.rtl.operations import Operand, Page, having
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.rounding import rounded_state
from toreq_hw.rtl.senders import lossy_levels
from toreq_hw.rtl.updater import Updater

UPDATE_LATENCY = 8
"""Idle cycles between the last beat of a pass and the first cycle that sees its effects."""

DRAIN_CYCLES = 4
"""Cycles from the first in which the sequencer waits between blocks to the one in which memory
holds every sum: the last beat was issued a cycle before, and writes its row in its cycle 4.
States were written before; an UPDATE is followed by a pause.
"""


class Datapath(wiring.Component):
    """Weights come in two cycles after the beat that asked for them.

    `single` is the operand of beats for one neuron, `walk` that of walks. `halt`: an update of
    a self-coupled population found a change; beats behind it are void. `read_slice` reads a
    slice of states into `state_d1` in the next cycle and `state_d2` in the one after, while no pass
    runs; in a core that learns from `read_page`.
    """

    def __init__(
        self, parameters: CoreParameters, rest_image: list[int], *, upsets: bool = False
    ) -> None:
        self._parameters = parameters
        self._upsets = upsets
        self._rest_image = rest_image
        self._states = data.ArrayLayout(state_shape(parameters), parameters.update_lanes)
        super().__init__(
            (StateFaults.members(parameters) if upsets else {})
            | (lossy_levels(parameters) if parameters.lossy else {})
            | {
                "issue": In(1),
                "beat": In(beat_layout(parameters)),
                "walk": In(walk_layout(parameters)),
                "single": In(single_layout(parameters)),
                "weights": In(data.ArrayLayout(unsigned(parameters.weight_bits), parameters.lanes)),
                "moved": Out(1),
                "push": Out(1),
                "row": Out(row_layout(parameters)),
                "halt": Out(1),
                "halt_slice": Out(parameters.slice_bits),
                "halt_lane": Out(parameters.update_lane_bits + 1),
                "saturations": Out(range(parameters.update_lanes + 1)),
                "read_request": In(1),
                "read_slice": In(parameters.slice_bits),
                **({"read_page": In(Page)} if parameters.learning else {}),
                "state_d1": Out(self._states),
                "state_d2": Out(self._states),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the memories and the stages."""
        m = Module()
        m.submodules.updater = self._updater = Updater(self._parameters, upsets=self._upsets)
        self._make_stages(m)
        operands = self._operands(m)
        contents = [0] * (Page.BIAS_AND_POSITIVE * self._parameters.groups) + self._rest_image
        stages, added = Stages(self._beat, self._valid), Added(operands, self._replaced)
        row = accumulate(m, self._parameters, contents, stages, added)
        self._pick(m, row)
        self._connect_states(m)
        updater = self._updater
        m.d.comb += [
            *([updater.stuck.eq(self.stuck)] if self._upsets else []),
            *([updater.state_xor_mask.eq(self.state_xor_mask)] if self._upsets else []),
            updater.beat.eq(self._beat[5]),
            updater.valid.eq(self._valid[5]),
            self.moved.eq(updater.moved),
            self.push.eq(updater.push),
            self.row.eq(updater.row),
            self.halt.eq(updater.halt),
            self.halt_slice.eq(updater.row.slice),
            self.halt_lane.eq(updater.halt_lane),
            self.saturations.eq(updater.saturations),
        ]
        return m

    def _make_stages(self, m: Module) -> None:
        """Shift registers of the beat: `self._beat[k]` is the one in cycle k."""
        self._beat, self._valid = [self.beat], [self.issue]
        for cycle in range(1, 6):
            beat = Signal(beat_layout(self._parameters), name=f"beat{cycle}", reset_less=True)
            valid = Signal(name=f"valid{cycle}")
            m.d.sync += [beat.eq(self._beat[-1]), valid.eq(self._valid[-1] & ~self.halt)]
            self._beat.append(beat)
            self._valid.append(valid)

    def _operands(self, m: Module) -> list[Value]:
        """Cycles 2 and 3: what each lane adds, registered for cycle 4.

        A value for one lane is a walk of weights that are one in its lane and zero elsewhere.
        """
        parameters, operations = self._parameters, self._parameters.operations
        walk, single = self.walk, self.single
        for _ in range(2):
            walk, single = register(m, walk), register(m, single)
        op = self._beat[2].op
        is_walk, is_single = Signal(), Signal()
        m.d.comb += [
            is_walk.eq(is_one_of(op, having(operations, Operand.PRODUCT))),
            is_single.eq(is_one_of(op, having(operations, Operand.VALUE, Operand.NEW_VALUE))),
        ]
        weights = Signal(self.weights.shape(), reset_less=True)
        for lane in range(parameters.lanes):
            mine = is_single & (single.neuron[: parameters.lane_bits] == lane)
            weight = Mux(is_walk, self.weights[lane], 0)
            m.d.sync += weights[lane].eq(weight | mine)
        is_bias = Signal()
        m.d.sync += is_bias.eq(is_one_of(op, having(operations, Operand.NEW_VALUE)))
        self._replaced = [weight[0] & is_bias for weight in weights]  # starts from zero
        if parameters.multiplies:
            return self._products(m, weights, walk, single.value, is_single)
        return self._steps(m, weights, walk, single.value, is_single)

    def _steps(
        self, m: Module, weights: Value, walk: Value, value: Value, is_single: Value
    ) -> list[Value]:
        """Ternary lanes choose among plus, minus and nothing: no multiplier."""
        bits = self._parameters.operand_bits
        step = Signal(signed(bits))
        plus, minus = Signal.like(step, reset_less=True), Signal.like(step, reset_less=True)
        shifted = Array(walk.delta << shift for shift in shifts(self._parameters))[walk.shift]
        m.d.comb += step.eq(Mux(is_single, value, shifted))
        m.d.sync += [plus.eq(step), minus.eq(-step)]
        operands = []
        for lane in range(self._parameters.lanes):
            operand = Signal.like(step, name=f"operand{lane}", reset_less=True)
            weight = weights[lane]
            m.d.sync += operand.eq(Mux(weight[0], Mux(weight[1], minus, plus), 0))
            operands.append(operand)
        return operands

    def _products(
        self, m: Module, weights: Value, walk: Value, value: Value, is_single: Value
    ) -> list[Value]:
        """INT8 lanes multiply; a value for one lane goes past the multiplier."""
        parameters = self._parameters
        delta = Signal.like(walk.delta, reset_less=True)
        which = Signal.like(walk.shift, reset_less=True)
        single = Signal.like(is_single, reset_less=True)
        held = Signal.like(value, reset_less=True)
        m.d.sync += [delta.eq(walk.delta), which.eq(walk.shift)]
        m.d.sync += [single.eq(is_single), held.eq(value)]
        operands = []
        for lane in range(parameters.lanes):
            operand = Signal(
                signed(parameters.operand_bits), name=f"operand{lane}", reset_less=True
            )
            product = weights[lane].as_signed() * delta
            shifted = Array(product << shift for shift in shifts(parameters))[which]
            mine = Mux(weights[lane][0], held, 0)
            m.d.sync += operand.eq(Mux(single, mine, shifted))
            operands.append(operand)
        return operands

    def _pick(self, m: Module, row: Value) -> None:
        """Cycle 4: the slice of the row that an UPDATE rounds, as states for cycle 5."""
        parameters = self._parameters
        part = self._beat[4].slice[: parameters.part_bits]
        for lane in range(parameters.update_lanes):
            choices = [
                row[lane + k * parameters.update_lanes] for k in range(parameters.slices_per_group)
            ]
            total = Signal(signed(parameters.accumulator_bits), name=f"total{lane}")
            m.d.comb += total.eq(Array(choices)[part] if len(choices) > 1 else choices[0])
            state = Signal(state_shape(parameters), name=f"state{lane}", reset_less=True)
            m.d.sync += state.eq(rounded_state(m, total, self._beat[4].population, parameters))
            m.d.comb += self._updater.rounded[lane].eq(state)

    def _connect_states(self, m: Module) -> None:
        """States are addressed in cycle 3, or by `read_request`, held in 5, and written in cycle 6.

        Beside its states, a slice of a lossy core holds those that were sent last.
        """
        slices, bits, lossy = self._parameters.slices, self._states.size, self._parameters.lossy
        m.submodules.states = states = make_memory(self._parameters.memory("states"))
        write = states.write_port()
        read = states.read_port(
            transparent_for=(write,)
        )  # the first UPDATE may follow CLEAR at once
        beat, updater = self._beat[3], self._updater
        held = Signal.like(read.data, reset_less=True)
        m.d.sync += held.eq(read.data)
        page = Signal(Page)
        origin: Value | Page = Page.LIVE
        for entry in self._parameters.operations:
            if entry.states[0] is not Page.LIVE:
                origin = Mux(~self.read_request & (beat.op == entry.op), entry.states[0], origin)
        if self._parameters.learning:
            origin = Mux(self.read_request, self.read_page, origin)
        m.d.comb += [
            page.eq(origin),
            read.addr.eq(
                page_address(page, Mux(self.read_request, self.read_slice, beat.slice), slices)
            ),
            self.state_d1.eq(read.data[:bits]),
            self.state_d2.eq(held[:bits]),
            updater.old.eq(held[:bits]),
            write.en.eq(updater.write),
            write.addr.eq(page_address(updater.write_page, updater.row.slice, slices)),
            write.data.eq(Cat(updater.written, updater.sends) if lossy else updater.written),
        ]
        if lossy:
            m.d.comb += [
                updater.threshold.eq(self.threshold),
                updater.flushes.eq(self.flushes),
                updater.sent.eq(held[bits:]),
            ]
