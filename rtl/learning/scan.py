"""SCAN: both states of every neuron are read, and chunks that can move something are listed."""

from typing import Any

from amaranth import Cat, Module, Signal, Value
from amaranth.lib import data

from toreq_hw.contract.learning import WEYL_STEP
from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.learning.chunk_lists import ChunkLists
from toreq_hw.rtl.learning.tables import chunks_of
from toreq_hw.rtl.operations import Page
from toreq_hw.rtl.parameters import CoreParameters


class StatePairs:
    """A slice of states of both nudged phases, the lanes at hand in front.

    ports: those of the learner. slice: the one to be read next. left: lanes, or chunks, of the
    slice at hand that are still to come. scans: they are read for SCAN, not for rows.
    """

    def __init__(self, parameters: CoreParameters, ports: Any) -> None:
        self._parameters, self._ports = parameters, ports
        states = data.ArrayLayout(state_shape(parameters), parameters.update_lanes)
        self.plus, self.minus = Signal(states), Signal(states, name="minus")
        self.slice = Signal(parameters.slice_bits)
        self.left = Signal(range(parameters.update_lanes + 1))
        self.scans = Signal()

    def add_states(self, m: Module, lanes: int) -> None:
        """The states READ_PLUS, READ_MINUS and READ_DONE. lanes: of a chunk."""
        ports = self._ports
        with m.State("READ_PLUS"):
            m.d.comb += [ports.read_request.eq(1), ports.read_page.eq(Page.BIAS_AND_POSITIVE)]
            m.next = "READ_MINUS"
        with m.State("READ_MINUS"):
            m.d.comb += ports.read_request.eq(1)
            m.d.sync += self.plus.eq(ports.states)
            m.next = "READ_DONE"
        with m.State("READ_DONE"):
            m.d.sync += [self.minus.eq(ports.states), self.slice.eq(self.slice + 1)]
            with m.If(self.scans):
                m.d.sync += self.left.eq(self._parameters.update_lanes // lanes)
                m.next = "SCAN"
            with m.Else():
                m.d.sync += self.left.eq(self._parameters.update_lanes)
                m.next = "ROWS"

    def shift(self, m: Module, lanes: int) -> None:
        """Brings the next lanes to the front."""
        bits = lanes * self._parameters.state_bits
        m.d.sync += [
            self.plus.eq(self.plus.as_value() >> bits),
            self.minus.eq(self.minus.as_value() >> bits),
            self.left.eq(self.left - 1),
        ]


class Scan:
    """The state SCAN: a chunk a cycle, two where its population is reached from others."""

    def __init__(self, parameters: CoreParameters, pairs: StatePairs, lists: ChunkLists) -> None:
        assert parameters.learning is not None, "only a core that learns scans"
        self._parameters, self._learning = parameters, parameters.learning
        self._pairs, self._lists = pairs, lists
        self._population = Signal(range(len(parameters.relaxing)), name="scanned")
        self._number = Signal(self._learning.number_bits)
        self._step = Signal(16)
        self._second = Signal()

    def begin(self, m: Module) -> None:
        """Starts with the first population, all lists empty."""
        m.d.sync += self._pairs.scans.eq(1)
        self._lists.clear(m)
        self._begin_population(m, 0)

    def _begin_population(self, m: Module, number: int) -> None:
        m.d.sync += [
            self._population.eq(number),
            self._pairs.slice.eq(self._parameters.first_slice(number)),
            self._number.eq(0),
            self._step.eq(0),
        ]
        m.next = "READ_PLUS"

    def connect(self, m: Module) -> None:
        """What is listed: the chunk in front."""
        lanes, found = self._learning.lanes, self._lists.found
        plus = Cat(self._pairs.plus[k].as_unsigned() for k in range(lanes))
        minus = Cat(self._pairs.minus[k].as_unsigned() for k in range(lanes))
        m.d.comb += [
            found.plus.eq(plus),
            found.minus.eq(minus),
            found.number.eq(self._number),
            found.step.eq(self._step),
            found.moved.eq(plus != minus),
        ]
        self._reached: Value = (plus | minus) != 0

    def add_state(self, m: Module) -> None:
        """The state SCAN."""
        found = self._lists.found
        with m.State("SCAN"), m.Switch(self._population):
            for number, region in enumerate(self._learning.moved):
                second = [r for r in self._learning.reached if r.population == number]
                with m.Case(number):
                    if second:
                        with m.If(self._second):
                            self._lists.append(m, second[0], self._reached)
                            self._next(m, number)
                        with m.Else():
                            self._lists.append(m, region, found.moved)
                            m.d.sync += self._second.eq(1)
                    else:
                        self._lists.append(m, region, found.moved)
                        self._next(m, number)

    def _next(self, m: Module, number: int) -> None:
        lanes = self._learning.lanes
        self._pairs.shift(m, lanes)
        m.d.sync += [
            self._second.eq(0),
            self._number.eq(self._number + 1),
            self._step.eq(self._step + (WEYL_STEP * lanes & 0xFFFF)),
        ]
        last = chunks_of(self._parameters.relaxing[number], lanes) - 1
        with m.If(self._number == last):
            if number + 1 < len(self._parameters.relaxing):
                self._begin_population(m, number + 1)
            else:
                m.d.sync += self._pairs.scans.eq(0)
                m.next = "COUPLING"
        with m.Elif(self._pairs.left == 1):
            m.next = "READ_PLUS"
