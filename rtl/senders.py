"""Which changes of states become events: the part of an updater that a lossy core has other than a
lossless one.

`ports` are those of the updater, `members` among them.
"""

from typing import Any, Protocol

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.delta_threshold import DeltaThreshold
from toreq_hw.rtl.interfaces import Members, state_shape
from toreq_hw.rtl.parameters import CoreParameters


class Changes(Protocol):
    """What an updater found in a slice: `states` and `exists` in its first cycle, the rest in the
    second. changed: lanes whose state is another one than before, `old`.
    """

    is_update: Signal
    states: Any
    exists: Signal
    changed: Signal
    new: Any
    old: Any


class Sender(Protocol):
    """What both kinds of core answer to an updater."""

    def state(self, rounded: Value, old: Value) -> Value:
        """The new state of a lane, where its accumulator rounds to `rounded`."""

    def only(self, condition: Value) -> Value:
        """The condition, where a sweep runs."""

    def send(self, m: Module, found: Changes, accept: Any) -> Value:
        """Drives `push`, `moved`, `written` and the deltas; returns the lanes that send.

        accept: from the lanes that are due to those that may send, and those that the scan reached.
        """


class SendsEveryChange:
    """A lossless core: every change is an event."""

    def __init__(self, parameters: CoreParameters, ports: Any) -> None:
        self._lanes = parameters.update_lanes
        self._ports = ports

    @staticmethod
    def members(_: CoreParameters) -> Members:
        """No ports."""
        return {}

    def state(self, rounded: Value, old: Value) -> Value:
        """What it rounds to."""
        return rounded

    def only(self, condition: Value) -> Value:
        """Always."""
        return condition

    def send(self, m: Module, found: Changes, accept: Any) -> Value:
        """Sends what changed."""
        ports = self._ports
        m.d.comb += [
            ports.push.eq(found.is_update & found.changed.any()),
            ports.moved.eq(ports.push),
        ]
        accepted, _ = accept(m, found.changed)
        for lane in range(self._lanes):
            m.d.sync += ports.row.deltas[lane].eq(found.states[lane] - ports.old[lane])
            rejected = found.is_update & ~accepted[lane]
            m.d.comb += ports.written[lane].eq(Mux(rejected, found.old[lane], found.new[lane]))
        return accepted


class SendsLargeMoves:
    """A lossy core: only what moved further than the threshold since it was sent is an event.

    sent: the states sent last; sends: what is written in their place. While `flushes`, an UPDATE
    leaves states as they are and sends all unsent deltas. `threshold` stands while a pass runs.
    """

    def __init__(self, parameters: CoreParameters, ports: Any) -> None:
        self._parameters = parameters
        self._ports = ports

    @staticmethod
    def members(parameters: CoreParameters) -> Members:
        """The updater's ports of the lossy mode."""
        states = data.ArrayLayout(state_shape(parameters), parameters.update_lanes)
        return lossy_levels(parameters) | {"sent": In(states), "sends": Out(states)}

    def state(self, rounded: Value, old: Value) -> Value:
        """What it rounds to; while a core flushes, the state as it is."""
        return Mux(self._ports.flushes, old, rounded)

    def only(self, condition: Value) -> Value:
        """Not while a core flushes."""
        return condition & ~self._ports.flushes

    def send(self, m: Module, found: Changes, accept: Any) -> Value:
        """Sends large moves; others are written all the same."""
        ports, is_update = self._ports, found.is_update
        m.d.comb += ports.moved.eq(is_update & found.changed.any())
        m.submodules.delta_threshold = part = DeltaThreshold(self._parameters)
        existed, due = Signal.like(found.exists), Signal.like(found.exists)
        m.d.sync += existed.eq(found.exists)
        m.d.comb += [
            part.threshold.eq(ports.threshold),
            part.flushes.eq(ports.flushes),
            part.states.eq(found.states),
            part.sent.eq(ports.sent),
            due.eq(existed & part.far),
            ports.push.eq(is_update & due.any()),
            ports.row.deltas.eq(part.deltas),
        ]
        senders, reached = accept(m, due)
        for lane in range(self._parameters.update_lanes):
            rejected = is_update & ~(existed & reached)[lane]
            silent = is_update & ~senders[lane]
            m.d.comb += [
                ports.written[lane].eq(Mux(rejected, found.old[lane], found.new[lane])),
                ports.sends[lane].eq(Mux(silent, part.kept[lane], found.new[lane])),
            ]
        return senders


def sender_of(parameters: CoreParameters) -> "type[SendsEveryChange] | type[SendsLargeMoves]":
    """The kind of sender that a core has."""
    return SendsLargeMoves if parameters.lossy else SendsEveryChange


def lossy_levels(parameters: CoreParameters) -> Members:
    """What a lossy core tells its updater; both stand while a pass runs."""
    return {"threshold": In(parameters.threshold_bits), "flushes": In(1)}
