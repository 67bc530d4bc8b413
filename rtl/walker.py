"""Turns one event into beats: every fan of its population, `lanes` neighbours a beat."""

from amaranth import Cat, Const, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import population_bits, shifts, walk_layout
from toreq_hw.rtl.parameters import INPUT, CoreParameters, Fan


class Walker(wiring.Component):
    """Holds the event being walked; takes the next one in the cycle of its last beat.

    source: number of the event's population, the input's being the highest. `take` accepts
    the event at the ports, and may be high only while `free` is. `active`: this cycle has a
    beat. `targets`: one bit per population that the event at hand reaches.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        slot_groups = max(parameters.groups, parameters.input.groups)
        self._group_bits = max(1, (slot_groups - 1).bit_length())
        super().__init__(
            {
                "source": In(population_bits(parameters)),
                "event_group": In(self._group_bits),
                "event_lane": In(parameters.lane_bits),
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
        numbers = {
            source: len(parameters.relaxing) if source == INPUT else source
            for source in (INPUT, *range(len(parameters.relaxing)))
        }
        last_beat, last_fan = Signal(), Signal()
        busy = self.busy
        walks = Signal()
        event_group = Signal(self._group_bits)
        fan = Signal(range(max(2, len(fans) + 1)))
        beats_left = Signal(range(max(2, max((f.beats for f in fans), default=1))))
        step = Signal(len(self.beat.tile))

        m.d.comb += [
            last_beat.eq(beats_left == 0),
            self.free.eq(~busy | (last_beat & last_fan)),
            self.active.eq(busy & walks),
        ]
        first, first_exists = Signal.like(fan), Signal()
        next_fan, next_group = Signal.like(fan), Signal.like(event_group)
        with m.Switch(self.source):
            for source, number in numbers.items():
                own = [k for k, f in enumerate(fans) if f.source == source]
                with m.Case(number):
                    if own:
                        m.d.comb += [first.eq(own[0]), first_exists.eq(1)]
                    reached = sum(1 << t for t in {fans[k].target for k in own})
                    m.d.comb += self.targets.eq(reached)
        with m.If(self.take):
            m.d.comb += [next_fan.eq(first), next_group.eq(self.event_group)]
        with m.Else():
            m.d.comb += [next_fan.eq(fan + 1), next_group.eq(event_group)]

        with m.If(self.free):
            m.d.sync += busy.eq(self.take)
        with m.If(self.take):
            m.d.sync += [
                event_group.eq(self.event_group),
                self.beat.lane.eq(self.event_lane),
                self.beat.delta.eq(self.event_delta),
                walks.eq(first_exists),
            ]
        with m.If(busy & ~last_beat):
            m.d.sync += [
                beats_left.eq(beats_left - 1),
                self.beat.tile.eq(self.beat.tile + step),
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
                        m.d.sync += [
                            last_fan.eq(is_last),
                            beats_left.eq(entry.beats - 1),
                            step.eq(1 if entry.by_column else entry.pre_groups),
                            self.beat.tile.eq(self._first_tile(entry, next_group)),
                            self.beat.store.eq(entry.store),
                            self.beat.by_column.eq(entry.by_column),
                            self.beat.shift.eq(shifts(parameters).index(entry.shift)),
                            self.group.eq(parameters.relaxing[entry.target].first_group),
                        ]
        return m

    def _first_tile(self, fan: Fan, group: Value) -> Value:
        """The tile of a fan's first beat for an event of row `group`, modulo the address width.

        A row starts at first_tile + q, a column at first_tile + q * pre_groups, where q is the
        group within its population; what q is counted from goes into the constant.
        """
        first_group = (
            0 if fan.source == INPUT else self._parameters.relaxing[fan.source].first_group
        )
        factor = fan.pre_groups if fan.by_column else 1
        size = 1 << len(self.beat.tile)
        return times(group, factor) + Const((fan.first_tile - factor * first_group) % size)


def times(value: Value, factor: int) -> Value:
    """The product value * factor as shifts and adds, so that no multiplier cell appears."""
    terms = [Cat(Const(0, k), value) for k in range(factor.bit_length()) if factor >> k & 1]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
