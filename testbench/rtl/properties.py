"""What is proved: each property beside the part of the core that it is about.

Free signals are the solver's to choose. With `broken` one thing is wrong on purpose, and the
proof must find it.
"""

import numpy as np
from amaranth import (
    ClockDomain,
    Elaboratable,
    Instance,
    Module,
    Mux,
    Shape,
    Signal,
    Value,
    ValueCastable,
    signed,
)
from amaranth.hdl import Assert, Assume

from toreq_hw.network import Coupling, Network, Population, Role, WeightFormat
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.event_queue import EventQueue, row_layout
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters


def small_network(inputs: int, outputs: int, state_bits: int, kind: WeightFormat) -> Network:
    """Input and output, nothing between; weights zero, to be loaded or assumed."""
    populations = (
        Population("input", inputs, Role.INPUT, state_bits),
        Population("output", outputs, Role.OUTPUT, state_bits),
    )
    weight = np.zeros((inputs, outputs), dtype=np.int8)
    return Network(populations, (Coupling("input", "output", weight, 1, kind),), {})


class Property(Elaboratable):
    """A module to be proved, in a clock domain whose registers are never reset."""

    def __init__(self) -> None:
        self.domain = ClockDomain("sync", reset_less=True)

    def module(self) -> Module:
        """An empty module in the domain."""
        m = Module()
        m.domains += self.domain
        return m


def _free(m: Module, signal: Signal, kind: str = "anyseq") -> None:
    """Lets the solver choose `signal`, anew in every cycle or (anyconst) once."""
    m.submodules += Instance(f"${kind}", p_WIDTH=len(signal), o_Y=signal)


def _drive(m: Module, port: ValueCastable) -> None:
    """Lets the solver choose an input port in every cycle."""
    value = Value.cast(port)
    signal = Signal(len(value))
    _free(m, signal)
    m.d.comb += value.eq(signal)


def _constant(m: Module, shape: "Shape | int", name: str) -> Signal:
    """Any value of `shape`, the same in all cycles."""
    signal = Signal(shape, name=name)
    _free(m, signal, "anyconst")
    return signal


class AccumulatorHolds(Property):
    """Whatever the weights, biases and states: sums of `accumulator_bits` are the exact sums.

    Three neighbours of 3 bits, ternary weights, one output neuron with its nudge; the bias has
    the rounding half in it. In each cycle one neighbour takes any state; the narrow sum adds
    weight * delta, as a lane does. The exact sum is kept beside it, and tied to the states so
    that induction can start anywhere. Broken: one bit less, so that the bound of the parameters
    is known to be tight.
    """

    NEIGHBOURS, BITS = 3, 3

    def __init__(self, broken: bool) -> None:
        super().__init__()
        parameters = CoreParameters.of(
            small_network(self.NEIGHBOURS, 1, self.BITS, WeightFormat.TERNARY), lanes=2
        )
        self._slot = parameters.relaxing[0]
        self._bias_bits = parameters.bias_bits
        self._reach = (self._slot.state_max << self._slot.fraction_bits) >> parameters.beta_shift
        self._bits = parameters.accumulator_bits - broken

    def elaborate(self, platform: object) -> Module:
        """Builds the narrow sum, the exact sum and the tie between them."""
        m = self.module()
        which, new = Signal(range(self.NEIGHBOURS)), Signal(self.BITS)
        _free(m, which)
        _free(m, new)
        weights = [_constant(m, signed(2), f"weight{k}") for k in range(self.NEIGHBOURS)]
        bias = _constant(m, signed(self._bias_bits), "bias")
        drive = _constant(m, signed(self._reach.bit_length() + 1), "drive")
        states = [Signal(self.BITS, name=f"state{k}") for k in range(self.NEIGHBOURS)]
        started = Signal()
        narrow, exact = Signal(signed(self._bits)), Signal(signed(self._bits + 5))
        m.d.comb += [Assume(weight != -2) for weight in weights]
        m.d.comb += [Assume(drive <= self._reach), Assume(drive >= -self._reach)]
        start = bias + drive
        with m.If(~started):
            m.d.sync += [started.eq(1), narrow.eq(start), exact.eq(start)]
        for k, (weight, state) in enumerate(zip(weights, states, strict=True)):
            with m.If(started & (which == k)):
                step = _times(weight, new - state)
                m.d.sync += [state.eq(new), narrow.eq(narrow + step), exact.eq(exact + step)]
        total = start
        for weight, state in zip(weights, states, strict=True):
            total = total + _times(weight, state)
        with m.If(started):
            m.d.comb += [
                Assert(exact == total),
                Assert(narrow == exact),
            ]
        with m.Else():
            m.d.comb += [Assert(state == 0) for state in states]
        return m


def _times(weight: Value, value: Value) -> Value:
    """The product with a ternary weight, as a lane forms it: add, subtract or nothing."""
    return Mux(weight[0], Mux(weight[1], -value, value), 0)


class QueueKeepsEvents(Property):
    """The real queue: what goes in comes out once, with its delta, and nothing else does.

    One event (any group, any lane) is followed by counting. Rows are pushed at any time, up
    to the depth; events are popped at any time. Broken: one row more than the depth.
    """

    def __init__(self, broken: bool) -> None:
        super().__init__()
        network = small_network(2, 3, 1, WeightFormat.TERNARY)
        self._parameters = CoreParameters.of(network, lanes=2)
        self._rows_allowed = self._parameters.queue_depth + broken

    def elaborate(self, platform: object) -> Module:
        """Drives the queue freely within its contract and counts."""
        m = self.module()
        m.submodules.queue = queue = EventQueue(self._parameters)
        push, pop, bits = Signal(), Signal(), Signal(queue.row.shape().size)
        for signal in (push, pop, bits):
            _free(m, signal)
        row = row_layout(self._parameters)(bits)
        group = _constant(m, self._parameters.slice_bits, "slice")
        lane = _constant(m, self._parameters.update_lane_bits, "lane")
        rows = Signal(range(self._rows_allowed + 2))
        inside = Signal(8)
        followed, delta = Signal(), Signal.like(queue.delta)
        silent = Signal(3)
        is_mine = (queue.slice == group) & (queue.lane == lane)
        pushes_mine = push & (row.slice == group) & row.changed.bit_select(lane, 1)
        m.d.comb += [
            queue.push.eq(push),
            queue.row.eq(row),
            queue.pop.eq(pop),
            Assume(~push | (row.changed != 0)),
            Assume(~pop | queue.valid),
            Assume(~push | (rows < self._rows_allowed)),
            Assume(~(pushes_mine & followed)),
        ]
        count = sum(row.changed[k] for k in range(self._parameters.update_lanes))
        m.d.sync += [
            rows.eq(rows + push - queue.spent),
            inside.eq(inside + Mux(push, count, 0) - pop),
            silent.eq(Mux(queue.valid | (inside == 0) | push, 0, silent + (silent != 7))),
        ]
        with m.If(pop & is_mine):
            m.d.sync += followed.eq(0)
            m.d.comb += [Assert(followed), Assert(queue.delta == delta)]
        with m.If(pushes_mine):
            delta_in = row.deltas[0]
            for k in range(1, self._parameters.update_lanes):
                delta_in = Mux(lane == k, row.deltas[k], delta_in)
            m.d.sync += [followed.eq(1), delta.eq(delta_in)]
        with m.If(inside == 0):
            m.d.comb += [Assert(~queue.valid), Assert(~followed)]
        m.d.comb += Assert(silent < 4)
        return m


class StreamsStand(Property):
    """A whole small core under free inputs: a result that is not taken stays as it is.

    Broken: the observed payload leaks the valid bit of the input stream.
    """

    def __init__(self, broken: bool) -> None:
        super().__init__()
        network = small_network(1, 1, 1, WeightFormat.TERNARY)
        parameters = CoreParameters.of(network, lanes=2)
        self._core = Core(parameters, MemoryImages.of(network, parameters))
        self._broken = broken

    def elaborate(self, platform: object) -> Module:
        """Watches both result streams."""
        m = self.module()
        m.submodules.core = core = self._core
        for port in (core.inputs, core.commands, core.loads):
            _drive(m, port.payload)
            _drive(m, port.valid)
        _drive(m, core.states.ready)
        _drive(m, core.summary.ready)
        for name, port in (("states", core.states), ("summary", core.summary)):
            seen = Signal(len(port.payload.as_value()), name=f"{name}_seen")
            before, waited = Signal.like(seen, name=f"{name}_before"), Signal(name=f"{name}_waited")
            m.d.comb += seen.eq(port.payload.as_value() ^ (core.inputs.valid & self._broken))
            m.d.sync += [before.eq(seen), waited.eq(port.valid & ~port.ready)]
            with m.If(waited):
                m.d.comb += [Assert(port.valid), Assert(seen == before)]
        return m
