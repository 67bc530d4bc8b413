"""Turns one event into beats: every walk of its population, `lanes` neighbours a beat."""

from amaranth import Const, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import population_bits, shifts, walk_layout
from toreq_hw.rtl.multiple import times
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.storage import INPUT, Walk


class Walker(wiring.Component):
    """Holds the event being walked; takes the next one in the cycle of its last beat.

    source: number of the event's population, the input's being the highest. `take` accepts
    the event at the ports, and may be high only while `free` is. `active`: this cycle has a
    beat. `targets`: one bit per population that the event at hand reaches.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        self._address_bits = max(parameters.neuron_address_bits, parameters.input_index_bits)
        super().__init__(
            {
                "source": In(population_bits(parameters)),
                "event_address": In(self._address_bits),
                "event_delta": In(signed(parameters.delta_bits)),
                "take": In(1),
                "free": Out(1),
                "busy": Out(1),
                "active": Out(1),
                "group": Out(parameters.group_bits),
                "beat": Out(walk_layout(parameters)),
                "targets": Out(len(parameters.relaxing)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the walk table, and the registers that step through it."""
        m = Module()
        parameters = self._parameters
        walks = sorted(parameters.walks, key=lambda walk: (walk.source, walk.by_column))
        last_beat, last_walk = Signal(), Signal()
        busy = self.busy
        has_walk = Signal()
        event_address = Signal(self._address_bits)
        walk = Signal(range(max(2, len(walks) + 1)))
        beats_left = Signal(range(max(2, max((f.beats for f in walks), default=1))))
        step = Signal(len(self.beat.address))

        m.d.comb += [
            last_beat.eq(beats_left == 0),
            self.free.eq(~busy | (last_beat & last_walk)),
            self.active.eq(busy & has_walk),
        ]
        first, first_exists = Signal.like(walk), Signal()
        next_walk, next_address = Signal.like(walk), Signal.like(event_address)
        self._choose_walks(m, walks, first, first_exists)
        with m.If(self.take):
            m.d.comb += [next_walk.eq(first), next_address.eq(self.event_address)]
        with m.Else():
            m.d.comb += [next_walk.eq(walk + 1), next_address.eq(event_address)]

        with m.If(self.free):
            m.d.sync += busy.eq(self.take)
        with m.If(self.take):
            self._keep_event(m, event_address)
            m.d.sync += has_walk.eq(first_exists)
        with m.If(busy & ~last_beat):
            m.d.sync += [
                beats_left.eq(beats_left - 1),
                self.beat.address.eq(self.beat.address + step),
                self.group.eq(self.group + 1),
            ]
        with m.If(self.take & ~first_exists):
            m.d.sync += [beats_left.eq(0), last_walk.eq(1)]
        with m.Elif(self.take | (busy & last_beat & ~last_walk)):
            m.d.sync += walk.eq(next_walk)
            with m.Switch(next_walk):
                for k, entry in enumerate(walks):
                    with m.Case(k):
                        is_last = k + 1 == len(walks) or walks[k + 1].source != entry.source
                        m.d.sync += [last_walk.eq(is_last), beats_left.eq(entry.beats - 1)]
                        self._load(m, entry, step, next_address)
        return m

    def _keep_event(self, m: Module, address: Signal) -> None:
        """Keeps the event at the ports for the cycles of its walks."""
        m.d.sync += [
            address.eq(self.event_address),
            self.beat.lane.eq(self.event_address),
            self.beat.delta.eq(self.event_delta),
        ]

    def _choose_walks(
        self, m: Module, walks: list[Walk], first: Signal, first_exists: Signal
    ) -> None:
        """The first walk of the source at hand, whether it has one, and all that it reaches."""
        count = len(self._parameters.relaxing)
        with m.Switch(self.source):
            for source in (INPUT, *range(count)):
                own = [k for k, f in enumerate(walks) if f.source == source]
                with m.Case(count if source == INPUT else source):
                    if own:
                        m.d.comb += [first.eq(own[0]), first_exists.eq(1)]
                    reached = sum(1 << t for t in {walks[k].target for k in own})
                    m.d.comb += self.targets.eq(reached)

    def _load(self, m: Module, walk: Walk, step: Signal, address: Value) -> None:
        """Begins with a walk of the event in `address`."""
        parameters = self._parameters
        m.d.sync += [
            step.eq(walk.pre_groups if walk.skewed and not walk.by_column else 1),
            self.beat.address.eq(self._first(walk, address)),
            self.beat.store.eq(walk.store),
            self.beat.by_column.eq(walk.by_column),
            self.beat.shift.eq(shifts(parameters).index(walk.shift)),
            self.group.eq(parameters.relaxing[walk.target].first_group),
        ]

    def _first(self, walk: Walk, address: Value) -> Value:
        """The word or tile of a walk's first beat for an event, modulo the address width.

        In rows it is first + n * beats; skewed, a row of tiles starts at first + q, a column at
        first + q * pre_groups. The address is not counted from the population's first neuron n (or
        group q): the difference goes into the constant.
        """
        lane_bits = self._parameters.lane_bits
        begin = 0 if walk.source == INPUT else self._parameters.relaxing[walk.source].first_group
        if walk.skewed:
            value, factor = address >> lane_bits, walk.pre_groups if walk.by_column else 1
        else:
            value, factor, begin = address, walk.beats, begin << lane_bits
        size = 1 << len(self.beat.address)
        return times(value, factor) + Const((walk.first - factor * begin) % size)
