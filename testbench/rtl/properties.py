"""What is proved: each property beside the part of the core that it is about.

A property is a module whose inputs are the solver's to choose, reset included. `assume` says
what surrounds the part in the core; `check` says what must hold while every assumption has.
"""

from typing import ClassVar

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
)
from amaranth.hdl import Assert, Assume

from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.event_queue import EventQueue, row_layout
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters


class Property(Elaboratable):
    """Something to be proved: `bad[check]` rises where a check fails, `inputs` are free."""

    CHECKS: ClassVar[tuple[str, ...]]
    RESETS: ClassVar[bool] = True

    def __init__(self, *, inductive: bool = False) -> None:
        """inductive: to be proved by k-induction instead of reachability."""
        self._inductive = inductive
        self.domain = ClockDomain("sync", reset_less=not self.RESETS)
        self.inputs: list[Signal] = [self.domain.clk]
        if self.RESETS:
            self.inputs.append(self.domain.rst)
        self.bad = {name: Signal(name=f"bad_{name}") for name in self.CHECKS}
        self._first = Signal(init=1, reset_less=True)
        self._assumed: list[Value] = []
        self._wrong: dict[str, list[Value]] = {name: [] for name in self.CHECKS}

    def describe(self, m: Module) -> None:
        """The part, assumptions about its environment, `assume`s and `check`s."""
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        """Joins the checks to the assumptions: nothing is bad after one was broken."""
        m = Module()
        m.domains += self.domain
        self.describe(m)
        if self._inductive:
            m.d.comb += [Assume(condition.bool()) for condition in self._assumed]
            for wrong in self._wrong.values():
                m.d.comb += [Assert(~condition) for condition in wrong]
            return m
        held, holds = Signal(init=1, reset_less=True), Signal()
        broken = Value.cast(0)
        for condition in self._assumed:
            broken = broken | ~condition.bool()
        m.d.comb += holds.eq(held & ~broken)
        m.d.sync += [held.eq(holds), self._first.eq(0)]
        for name, wrong in self._wrong.items():
            for condition in wrong:
                with m.If(condition):
                    m.d.comb += self.bad[name].eq(holds)
        return m

    def free(self, shape: "Shape | int", name: str) -> Signal:
        """The solver's choice, anew in each cycle."""
        signal = Signal(shape, name=name)
        self.inputs.append(signal)
        return signal

    def constant(self, m: Module, shape: "Shape | int", name: str) -> Signal:
        """The solver's choice, once for all."""
        if self._inductive:
            own = Signal(shape, name=name)
            m.submodules += Instance("$anyconst", p_WIDTH=len(own), o_Y=own)
            return own
        drawn = self.free(shape, f"{name}_drawn")
        kept, signal = Signal(shape, name=f"{name}_kept", reset_less=True), Signal(shape, name=name)
        m.d.comb += signal.eq(Mux(self._first, drawn, kept))
        m.d.sync += kept.eq(signal)
        return signal

    def drive(self, m: Module, port: ValueCastable, name: str) -> None:
        """Leaves an input port of the part to the solver."""
        value = Value.cast(port)
        m.d.comb += value.eq(self.free(len(value), name))

    def assume(self, condition: Value) -> None:
        """What the rest of the core sees to."""
        self._assumed.append(condition)

    def check(self, name: str, condition: Value, when: "Value | int" = 1) -> None:
        """What must hold."""
        self._wrong[name].append(Value.cast(when).bool() & ~condition.bool())


def make_module(part: Elaboratable) -> Module:
    """The module of a part, made at once, so that what is in it can be watched."""
    module: Module = part.elaborate(None)
    part.elaborate = lambda _platform: module
    return module


def small_network(
    inputs: int, outputs: int, state_bits: int, kind: WeightFormat, bias: int = 0
) -> Network:
    """Input and output, nothing between; weights zero, to be loaded."""
    populations = (
        Population("input", inputs, Role.INPUT, state_bits),
        Population("output", outputs, Role.OUTPUT, state_bits),
    )
    weight = np.zeros((inputs, outputs), dtype=np.int8)
    biases = {"output": np.full(outputs, bias, dtype=np.int32)}
    return Network(populations, (DenseCoupling("input", "output", weight, 1, kind),), biases)


class QueueKeepsEvents(Property):
    """The real queue: what goes in comes out once, with its delta, and nothing else does.

    One event (any group, any lane) is followed from push to pop: it comes out before the rows
    pushed are spent, once, and nothing comes out that was not pushed. Rows are pushed at any
    time up to the depth, events popped at any time. A population's update pushes each of its
    rows at most once, so an event is not pushed again while it waits.
    """

    CHECKS = ("repeats_nothing", "keeps_the_delta", "drops_nothing", "never_stalls")

    def describe(self, m: Module) -> None:
        """Drives the queue freely within its contract and counts."""
        parameters = CoreParameters.of(small_network(2, 5, 1, WeightFormat.TERNARY), lanes=2)
        m.submodules.queue = queue = EventQueue(parameters)
        lanes, depth = parameters.update_lanes, parameters.queue_depth
        push, pop = self.free(1, "push"), self.free(1, "pop")
        row = row_layout(parameters)(self.free(queue.row.shape().size, "row"))
        slice_ = self.constant(m, parameters.slice_bits, "slice")
        lane = self.constant(m, parameters.update_lane_bits, "lane")
        m.d.comb += [queue.push.eq(push), queue.row.eq(row), queue.pop.eq(pop)]
        rows = Signal(range(depth + 2))  # pushed and not yet spent
        followed, delta = Signal(), Signal.like(queue.delta)
        silent = Signal(3)
        mine_in, mine_out = Signal(), Signal()
        delta_in = Signal.like(delta)
        m.d.comb += [
            mine_in.eq(push & (row.slice == slice_) & row.changed.bit_select(lane, 1)),
            mine_out.eq(pop & (queue.slice == slice_) & (queue.lane == lane)),
        ]
        for number in range(lanes):
            with m.If(lane == number):
                m.d.comb += delta_in.eq(row.deltas[number])
        self.assume(~push | (row.changed != 0))
        self.assume(~pop | queue.valid)
        self.assume(~push | (rows < depth))
        self.assume(~(mine_in & followed))
        m.d.sync += [
            rows.eq(rows + push - queue.spent),
            silent.eq(Mux(queue.valid | (rows == 0) | push, 0, silent + (silent != 7))),
        ]
        with m.If(mine_out):
            m.d.sync += followed.eq(0)
        with m.If(mine_in):
            m.d.sync += [followed.eq(1), delta.eq(delta_in)]
        self.check("repeats_nothing", followed, when=mine_out)
        self.check("repeats_nothing", ~queue.valid, when=rows == 0)
        self.check("keeps_the_delta", queue.delta == delta, when=mine_out)
        self.check("drops_nothing", ~followed, when=rows == 0)
        self.check("never_stalls", silent < 4)


class StreamsStand(Property):
    """A whole small core under any traffic: a result that is not taken stays as it is."""

    CHECKS = ("states_stay_valid", "states_stand", "summary_stays_valid", "summary_stands")

    def describe(self, m: Module) -> None:
        """Watches both result streams."""
        network = small_network(1, 1, 1, WeightFormat.TERNARY)
        parameters = CoreParameters.of(network, lanes=2)
        m.submodules.core = core = Core(parameters, MemoryImages.of(network, parameters))
        for name, port in (("inputs", core.inputs), ("commands", core.commands)):
            self.drive(m, port.payload, f"{name}_payload")
            self.drive(m, port.valid, f"{name}_valid")
        self.drive(m, core.loads.payload, "loads_payload")
        self.drive(m, core.loads.valid, "loads_valid")
        for name, port in (("states", core.states), ("summary", core.summary)):
            self.drive(m, port.ready, f"{name}_ready")
            payload = port.payload.as_value()
            before, waited = (
                Signal.like(payload, name=f"{name}_before"),
                Signal(name=f"{name}_waited"),
            )
            m.d.sync += [before.eq(payload), waited.eq(port.valid & ~port.ready)]
            stays = "states_stay_valid" if name == "states" else "summary_stays_valid"
            stands = "states_stand" if name == "states" else "summary_stands"
            self.check(stays, port.valid, when=waited)
            self.check(stands, payload == before, when=waited)
