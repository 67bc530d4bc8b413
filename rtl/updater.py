"""The end of the pipeline: sums become states, and changes become events."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import Op, beat_layout
from toreq_hw.rtl.event_queue import row_layout
from toreq_hw.rtl.interfaces import Page, state_shape
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.rounding import clipped, inverted
from toreq_hw.rtl.slots import Slot
from toreq_hw.rtl.withholding import Withholding, lossy_levels


class Updater(wiring.Component):
    """Takes a beat with its totals and old states in one cycle, and acts in the next.

    totals: accumulators of the slice, rounding half included. `write`: `written` goes to
    `write_page` of states, slice `row.slice`. `push`: `row` has changes for the queue.
    `halt`: a neuron of a self-coupled population sends; `halt_lane` is the one behind it. `moved`:
    a state changed, whether it is sent or not.

    A lossy core gives the states sent last as well, `sent`, and writes `sends` in their place.
    While `flushes`, an UPDATE leaves states as they are and sends whatever was withheld.
    """

    def __init__(self, parameters: CoreParameters, *, upsets: bool = False) -> None:
        self._parameters = parameters
        self._upsets = upsets
        lanes = parameters.update_lanes
        self._states = data.ArrayLayout(state_shape(parameters), lanes)
        lossy = lossy_levels(parameters) | {"sent": In(self._states), "sends": Out(self._states)}
        super().__init__(
            (upset_levels(parameters) if upsets else {})
            | (lossy if parameters.lossy else {})
            | {
                "beat": In(beat_layout(parameters)),
                "valid": In(1),
                "totals": In(data.ArrayLayout(signed(parameters.accumulator_bits), lanes)),
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
        changed, exists = (Signal(self._parameters.update_lanes, name=n) for n in _MASKS)
        new, old = (Signal(self._states, name=n, reset_less=True) for n in ("new", "kept"))
        states = Signal(self._states)
        m.d.sync += self.row.slice.eq(self.beat.slice)
        for lane in range(self._parameters.update_lanes):
            m.d.comb += [
                states[lane].eq(self._state(m, lane)),
                exists[lane].eq(self._exists(m, lane)),
            ]
            m.d.sync += [
                new[lane].eq(self._next_state(m, lane, states[lane])),
                old[lane].eq(self.old[lane]),
                changed[lane].eq(exists[lane] & (states[lane] != self.old[lane])),
            ]
        is_update = Signal()
        m.d.sync += is_update.eq(self.valid & ~self.halt & (self.beat.op == Op.UPDATE))
        if self._parameters.lossy:
            m.d.comb += self.moved.eq(is_update & changed.any())
            accepted = self._withhold(m, is_update, states, exists, new, old)
        else:
            accepted = self._send_all(m, is_update, states, changed, new, old)
        m.d.comb += self.row.changed.eq(accepted)
        self._write(m)
        self._count_saturations(m, is_update, accepted, new)
        return m

    def _send_all(
        self, m: Module, is_update: Value, states: Value, changed: Value, new: Value, old: Value
    ) -> Value:
        """Every change is an event. Returns the lanes whose change is accepted."""
        m.d.comb += [self.push.eq(is_update & changed.any()), self.moved.eq(self.push)]
        accepted, _ = self._accept(m, changed)
        for lane in range(self._parameters.update_lanes):
            m.d.sync += self.row.deltas[lane].eq(states[lane] - self.old[lane])
            rejected = is_update & ~accepted[lane]
            m.d.comb += self.written[lane].eq(Mux(rejected, old[lane], new[lane]))
        return accepted

    def _withhold(
        self, m: Module, is_update: Value, states: Value, exists: Value, new: Value, old: Value
    ) -> Value:
        """Only far changes are events; others are written all the same. Returns the senders."""
        m.submodules.withholding = part = Withholding(self._parameters)
        existed, due = Signal.like(exists), Signal.like(exists)
        m.d.sync += existed.eq(exists)
        m.d.comb += [
            part.threshold.eq(self.threshold),
            part.flushes.eq(self.flushes),
            part.states.eq(states),
            part.sent.eq(self.sent),
            due.eq(existed & part.far),
            self.push.eq(is_update & due.any()),
            self.row.deltas.eq(part.deltas),
        ]
        senders, reached = self._accept(m, due)
        for lane in range(self._parameters.update_lanes):
            rejected = is_update & ~(existed & reached)[lane]
            silent = is_update & ~senders[lane]
            m.d.comb += [
                self.written[lane].eq(Mux(rejected, old[lane], new[lane])),
                self.sends[lane].eq(Mux(silent, part.kept[lane], new[lane])),
            ]
        return senders

    def _state(self, m: Module, lane: int) -> Value:
        """What the total rounds to; while a lossy core flushes, the state as it is."""
        rounded = self._by_population(m, lane)
        return Mux(self.flushes, self.old[lane], rounded) if self._parameters.lossy else rounded

    def _by_population(self, m: Module, lane: int) -> Value:
        """The state that a total rounds to; populations that round alike share the circuit."""
        slots = self._parameters.relaxing
        kinds: dict[tuple[int, int, int], list[int]] = {}
        for number, slot in enumerate(slots):
            kind = (slot.fraction_bits, slot.state_min, slot.state_max)
            kinds.setdefault(kind, []).append(number)
        state = Signal(state_shape(self._parameters), name=f"rounded{lane}")
        with m.Switch(self.beat.population):
            for numbers in kinds.values():
                with m.Case(*numbers) if len(kinds) > 1 else m.Default():
                    m.d.comb += state.eq(self._rounded(lane, slots[numbers[0]]))
        return state

    def _rounded(self, lane: int, slot: Slot) -> Value:
        state = clipped(self.totals[lane], slot)
        if self._upsets:
            bits = self._parameters.state_bits
            state = inverted(state, self.inverted.word_select(self._slot(lane), bits), slot)
        return state.as_signed() if slot.signed else state

    def _next_state(self, m: Module, lane: int, state: Value) -> Value:
        """What is written: the new state, nothing for a CLEAR, else the old state."""
        chosen = Signal(state_shape(self._parameters), name=f"next{lane}")
        with m.Switch(self.beat.op):
            with m.Case(Op.UPDATE):
                m.d.comb += chosen.eq(state)
            with m.Case(Op.CLEAR):
                m.d.comb += chosen.eq(0)
            with m.Default():
                m.d.comb += chosen.eq(self.old[lane])
        return chosen

    def _exists(self, m: Module, lane: int) -> Value:
        """Whether this lane of the slice holds a neuron, at or above the first lane asked for."""
        parameters = self._parameters
        exists = Signal(name=f"exists{lane}", init=1)
        for number, slot in enumerate(parameters.relaxing):
            last = parameters.slices_of(number) - 1
            if last * parameters.update_lanes + lane >= slot.size:
                with m.If(self.beat.slice == parameters.first_slice(number) + last):
                    m.d.comb += exists.eq(0)
        if any(slot.self_coupled for slot in parameters.relaxing):
            with m.If(lane < self.beat.first_lane):
                m.d.comb += exists.eq(0)
        if self._upsets:
            with m.If(self.stuck.bit_select(self._slot(lane), 1)):
                m.d.comb += exists.eq(0)
        return exists

    def _slot(self, lane: int) -> Value:
        """The number of the neuron in a lane of the slice at hand."""
        return Cat(Const(lane, self._parameters.update_lane_bits), self.beat.slice)

    def _accept(self, m: Module, due: Value) -> tuple[Value, Value]:
        """The lanes that may send of those that are due, and the lanes that the scan reached.

        All; but of a self-coupled population only the first that is due, which halts the scan.
        """
        singles = [n for n, slot in enumerate(self._parameters.relaxing) if slot.self_coupled]
        if not singles:
            return due, ~Const(0, len(due))
        is_single = Signal()
        scans = Cat(self.beat.population == number for number in singles).any()
        m.d.sync += is_single.eq(scans & ~self.flushes if self._parameters.lossy else scans)
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
            with m.Case(Op.UPDATE, Op.CLEAR, Op.RESTORE):
                m.d.comb += enable.eq(1)
            with m.Case(Op.SAVE):
                m.d.comb += [enable.eq(1), page.eq(Page.FREE)]
            with m.Case(Op.KEEP):
                m.d.comb += [enable.eq(1), page.eq(Page.REST)]
        m.d.sync += [
            self.write.eq(self.valid & ~self.halt & enable),
            self.write_page.eq(page),
        ]

    def _count_saturations(self, m: Module, is_update: Value, accepted: Value, new: Value) -> None:
        """Events that end at the end of their population's range, counted two cycles later."""
        slots = self._parameters.relaxing
        population = Signal.like(self.beat.population, reset_less=True)
        m.d.sync += population.eq(self.beat.population)
        saturated = Signal(self._parameters.update_lanes)
        counts = is_update & ~self.flushes if self._parameters.lossy else is_update
        for lane in range(self._parameters.update_lanes):
            at_end = Signal(name=f"at_end{lane}")
            with m.Switch(population):
                for number, slot in enumerate(slots):
                    with m.Case(number):
                        ends = (new[lane] == slot.state_min) | (new[lane] == slot.state_max)
                        m.d.comb += at_end.eq(ends)
            m.d.sync += saturated[lane].eq(counts & accepted[lane] & at_end)
        count = sum(saturated[lane] for lane in range(self._parameters.update_lanes))
        m.d.sync += self.saturations.eq(count)


_MASKS = ("changed", "exists")


def upset_levels(parameters: CoreParameters) -> dict[str, object]:
    """The updater's part of `upset_signature`."""
    slots = parameters.groups * parameters.lanes
    return {"stuck": In(slots), "inverted": In(slots * parameters.state_bits)}
