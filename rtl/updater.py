"""The end of the pipeline: sums become states, and changes become events."""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import beat_layout, is_one_of
from toreq_hw.rtl.event_queue import row_layout
from toreq_hw.rtl.fault_port import StateFaults
from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.operations import NewState, Page, having_state
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.senders import Sender, sender_of


class Updater(wiring.Component):
    """Takes a beat with its new and old states in one cycle, and acts in the next.

    rounded: what the accumulators of the slice round to. `write`: `written` goes to
    `write_page` of states, slice `row.slice`. `push`: `row` has changes for the queue.
    `halt`: a neuron of a self-coupled population sends; `halt_lane` is the one behind it. `moved`:
    a state changed, whether it is sent or not.

    What is sent of what changed is decided in rtl/senders.py.
    """

    def __init__(self, parameters: CoreParameters, *, upsets: bool = False) -> None:
        self._parameters = parameters
        lanes = parameters.update_lanes
        self._states = data.ArrayLayout(state_shape(parameters), lanes)
        self._sender: Sender = sender_of(parameters)(parameters, self)
        self._faults = StateFaults(parameters, self) if upsets else None
        super().__init__(
            (StateFaults.members(parameters) if upsets else {})
            | sender_of(parameters).members(parameters)
            | {
                "beat": In(beat_layout(parameters)),
                "valid": In(1),
                "rounded": In(self._states),
                "old": In(self._states),
                "write": Out(1),
                "write_page": Out(Page),
                "written": Out(self._states),
                "moved": Out(1),
                "push": Out(1),
                "row": Out(row_layout(parameters)),
                "halt": Out(1),
                "halt_lane": Out(parameters.update_lane_bits + 1),
                "saturations": Out(range(lanes + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds both cycles."""
        m = Module()
        found = self._found = _Found(self._parameters, self._states)
        m.d.sync += self.row.slice.eq(self.beat.slice)
        for lane in range(self._parameters.update_lanes):
            rounded = self._new_state(m, lane)
            m.d.comb += [
                found.states[lane].eq(self._sender.state(rounded, self.old[lane])),
                found.exists[lane].eq(self._exists(m, lane)),
            ]
            m.d.sync += [
                found.new[lane].eq(self._next_state(m, lane, found.states[lane])),
                found.old[lane].eq(self.old[lane]),
                found.changed[lane].eq(found.exists[lane] & (found.states[lane] != self.old[lane])),
            ]
        rounding = having_state(self._parameters.operations, NewState.ROUNDED)
        m.d.sync += found.is_update.eq(self.valid & ~self.halt & is_one_of(self.beat.op, rounding))
        accepted = self._sender.send(m, found, self._accept)
        m.d.comb += self.row.changed.eq(accepted)
        self._write(m)
        self._count_saturations(m, accepted)
        return m

    def _new_state(self, m: Module, lane: int) -> Value:
        """The new state, or what an upset makes of it."""
        if self._faults is None:
            rounded: Value = self.rounded[lane]
            return rounded
        state = Signal(state_shape(self._parameters), name=f"upset{lane}")
        with m.Switch(self.beat.population):
            for number, placement in enumerate(self._parameters.relaxing):
                word = Value.cast(self.rounded[lane])[: placement.state_bits]
                flipped = self._faults.flip_new_state(word, self._address(lane), placement)
                with m.Case(number):
                    m.d.comb += state.eq(flipped.as_signed() if placement.signed else flipped)
        return state

    def _next_state(self, m: Module, lane: int, state: Value) -> Value:
        """What is written: the new state, zero, or the old state, as the operation says."""
        chosen = Signal(state_shape(self._parameters), name=f"next{lane}")
        with m.Switch(self.beat.op):
            for entry in self._parameters.operations:
                if entry.state is not NewState.OLD:
                    with m.Case(entry.op):
                        m.d.comb += chosen.eq(state if entry.state is NewState.ROUNDED else 0)
            with m.Default():
                m.d.comb += chosen.eq(self.old[lane])
        return chosen

    def _exists(self, m: Module, lane: int) -> Value:
        """Whether this lane of the slice holds a neuron, at or above the first lane asked for."""
        parameters = self._parameters
        exists = Signal(name=f"exists{lane}", init=1)
        for number, placement in enumerate(parameters.relaxing):
            last = parameters.slices_of(number) - 1
            if last * parameters.update_lanes + lane >= placement.size:
                with m.If(self.beat.slice == parameters.first_slice(number) + last):
                    m.d.comb += exists.eq(0)
        if any(placement.self_coupled for placement in parameters.relaxing):
            with m.If(lane < self.beat.first_lane):
                m.d.comb += exists.eq(0)
        if self._faults:
            with m.If(self._faults.is_stuck(self._address(lane))):
                m.d.comb += exists.eq(0)
        return exists

    def _address(self, lane: int) -> Value:
        """The number of the neuron in a lane of the slice at hand."""
        return Cat(Const(lane, self._parameters.update_lane_bits), self.beat.slice)

    def _accept(self, m: Module, due: Value) -> tuple[Value, Value]:
        """The lanes that may send of those that are due, and the lanes that the scan reached.

        All; but of a self-coupled population only the first that is due, which halts the scan.
        """
        singles = [
            n for n, placement in enumerate(self._parameters.relaxing) if placement.self_coupled
        ]
        if not singles:
            return due, ~Const(0, len(due))
        is_single = Signal()
        scans = Cat(self.beat.population == number for number in singles).any()
        m.d.sync += is_single.eq(self._sender.only(scans))
        m.d.comb += self.halt.eq(self.push & is_single)
        for lane in reversed(range(self._parameters.update_lanes)):
            with m.If(due[lane]):
                m.d.comb += self.halt_lane.eq(lane + 1)
        reached = due ^ (due - 1)
        return Mux(is_single, due & (~due + 1), due), Mux(is_single, reached, ~Const(0, len(due)))

    def _write(self, m: Module) -> None:
        """The page, and whether anything is written, in the second cycle."""
        page, enable = Signal(Page), Signal()
        with m.Switch(self.beat.op):
            targets = {entry.op: entry.states[1] for entry in self._parameters.operations}
            for number in dict.fromkeys(targets.values()):
                if number is not None:
                    with m.Case(*(op for op, target in targets.items() if target == number)):
                        m.d.comb += enable.eq(1)
                        if number:
                            m.d.comb += page.eq(number)
        m.d.sync += [
            self.write.eq(self.valid & ~self.halt & enable),
            self.write_page.eq(page),
        ]

    def _count_saturations(self, m: Module, accepted: Value) -> None:
        """Events that end at the end of their population's range, counted two cycles later."""
        placements, new = self._parameters.relaxing, self._found.new
        population = Signal.like(self.beat.population, reset_less=True)
        m.d.sync += population.eq(self.beat.population)
        saturated = Signal(self._parameters.update_lanes)
        counts = self._sender.only(self._found.is_update)
        for lane in range(self._parameters.update_lanes):
            at_end = Signal(name=f"at_end{lane}")
            with m.Switch(population):
                for number, placement in enumerate(placements):
                    with m.Case(number):
                        ends = (new[lane] == placement.state_min) | (
                            new[lane] == placement.state_max
                        )
                        m.d.comb += at_end.eq(ends)
            m.d.sync += saturated[lane].eq(counts & accepted[lane] & at_end)
        count = sum(saturated[lane] for lane in range(self._parameters.update_lanes))
        m.d.sync += self.saturations.eq(count)


class _Found:
    """What the updater found in a slice; see `Changes`."""

    def __init__(self, parameters: CoreParameters, states: data.ArrayLayout) -> None:
        self.changed = Signal(parameters.update_lanes)
        self.exists = Signal(parameters.update_lanes)
        self.new = Signal(states, reset_less=True)
        self.old = Signal(states, name="kept", reset_less=True)
        self.states = Signal(states)
        self.is_update = Signal()
