"""Turns one event into beats: every fan of its population, `lanes` neighbours a beat."""

from amaranth import Const, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import population_bits, shifts, walk_layout
from toreq_hw.rtl.multiple import times
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.storage import INPUT, Fan


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
        """Builds the fan table, and the registers that step through it."""
        m = Module()
        parameters = self._parameters
        fans = sorted(parameters.fans, key=lambda fan: (fan.source, fan.by_column))
        last_beat, last_fan = Signal(), Signal()
        busy = self.busy
        walks = Signal()
        event_address = Signal(self._address_bits)
        fan = Signal(range(max(2, len(fans) + 1)))
        beats_left = Signal(range(max(2, max((f.beats for f in fans), default=1))))
        step = Signal(len(self.beat.address))

        m.d.comb += [
            last_beat.eq(beats_left == 0),
            self.free.eq(~busy | (last_beat & last_fan)),
            self.active.eq(busy & walks),
        ]
        first, first_exists = Signal.like(fan), Signal()
        next_fan, next_address = Signal.like(fan), Signal.like(event_address)
        self._choose_fans(m, fans, first, first_exists)
        with m.If(self.take):
            m.d.comb += [next_fan.eq(first), next_address.eq(self.event_address)]
        with m.Else():
            m.d.comb += [next_fan.eq(fan + 1), next_address.eq(event_address)]

        with m.If(self.free):
            m.d.sync += busy.eq(self.take)
        with m.If(self.take):
            m.d.sync += [
                event_address.eq(self.event_address),
                self.beat.lane.eq(self.event_address),
                self.beat.delta.eq(self.event_delta),
                walks.eq(first_exists),
            ]
        with m.If(busy & ~last_beat):
            m.d.sync += [
                beats_left.eq(beats_left - 1),
                self.beat.address.eq(self.beat.address + step),
                self.group.eq(self.group + 1),
            ]
        with m.If(self.take & ~first_exists):
            m.d.sync += [beats_left.eq(0), last_fan.eq(1)]
        with m.Elif(self.take | (busy & last_beat & ~last_fan)):
            m.d.sync += fan.eq(next_fan)
            with m.Switch(next_fan):
                for k, entry in enumerate(fans):
                    with m.Case(k):
                        is_last = k + 1 == len(fans) or fans[k + 1].source != entry.source
                        m.d.sync += [last_fan.eq(is_last), beats_left.eq(entry.beats - 1)]
                        self._load(m, entry, step, next_address)
        return m

    def _choose_fans(self, m: Module, fans: list[Fan], first: Signal, first_exists: Signal) -> None:
        """The first fan of the source at hand, whether it has one, and all that it reaches."""
        count = len(self._parameters.relaxing)
        with m.Switch(self.source):
            for source in (INPUT, *range(count)):
                own = [k for k, f in enumerate(fans) if f.source == source]
                with m.Case(count if source == INPUT else source):
                    if own:
                        m.d.comb += [first.eq(own[0]), first_exists.eq(1)]
                    reached = sum(1 << t for t in {fans[k].target for k in own})
                    m.d.comb += self.targets.eq(reached)

    def _load(self, m: Module, fan: Fan, step: Signal, address: Value) -> None:
        """Begins with a fan of the event in `address`."""
        parameters = self._parameters
        m.d.sync += [
            step.eq(fan.pre_groups if fan.skewed and not fan.by_column else 1),
            self.beat.address.eq(self._first(fan, address)),
            self.beat.store.eq(fan.store),
            self.beat.by_column.eq(fan.by_column),
            self.beat.shift.eq(shifts(parameters).index(fan.shift)),
            self.group.eq(parameters.relaxing[fan.target].first_group),
        ]

    def _first(self, fan: Fan, address: Value) -> Value:
        """The word or tile of a fan's first beat for an event, modulo the address width.

        In rows it is first + n * beats; skewed, a row of tiles starts at first + q, a column at
        first + q * pre_groups. The address is not counted from the population's first neuron n (or
        group q): the difference goes into the constant.
        """
        lane_bits = self._parameters.lane_bits
        begin = 0 if fan.source == INPUT else self._parameters.relaxing[fan.source].first_group
        if fan.skewed:
            value, factor = address >> lane_bits, fan.pre_groups if fan.by_column else 1
        else:
            value, factor, begin = address, fan.beats, begin << lane_bits
        size = 1 << len(self.beat.address)
        return times(value, factor) + Const((fan.first - factor * begin) % size)
