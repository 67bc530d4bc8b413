"""The accumulators of the real datapath hold the exact sums, whatever the weights and traffic.

One lane of one row is followed through every beat. Beside it, an accumulator too wide to
overflow (`exact`) takes the same beats, and is tied to what it stands for: the bias, each
neighbour's weight times the state it last sent, and the nudge. What is written in cycle 4 and
what lies in memory must equal it.

The operands are cut out of the datapath and left to the solver, which may choose nothing but what
`testbench.rtl.operands` proves of them: no multiplier is left to reason about here.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from amaranth import Array, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from testbench.rtl.operands import DELAY, later
from testbench.rtl.properties import Property, make_module
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.rtl.beat import shifts
from toreq_hw.rtl.datapath import Datapath
from toreq_hw.rtl.operations import Op, Page
from toreq_hw.rtl.parameters import CoreParameters

PAGES = (Page.LIVE, Page.FREE_EQUILIBRIUM, Page.BIAS_AND_POSITIVE)


@dataclass(frozen=True)
class Source:
    """A neighbour of the lane: its weight, and its states as this row knows them, by page."""

    weight: Signal
    shift: int
    low: int
    high: int
    known: dict[Page, Signal]


class SumsAreExact(Property):
    """Assumed of the rest of the core, by beat:

    WALK: the delta is the difference of two states in range, the second one what was sent last;
    the weight of a neighbour is always the same. NUDGE: once after a CLEAR or RESTORE, within
    reach, and not before a SAVE. No reset, which clears the pipeline and leaves sums to the next
    CLEAR.
    """

    CHECKS: ClassVar[tuple[str, ...]] = ("sums_are_exact",)
    RESETS = False

    def __init__(
        self,
        kind: WeightFormat,
        narrower: int = 0,
        *,
        register: bool = False,
        inductive: bool = False,
    ) -> None:
        """register: of a core with an accumulator register."""
        super().__init__(inductive=inductive)
        network = small_network(kind)
        parameters = CoreParameters.of(network, lanes=2, accumulator_register=register)
        bits = parameters.accumulator_bits
        self._parameters = replace(parameters, accumulator_bits=bits - narrower)
        self._wide = signed(bits + 4)
        self._kind = kind

    def describe(self, m: Module) -> None:
        """The datapath, its beats, the exact sums."""
        parameters = self._parameters
        self._part = _Watched(parameters)
        make_module(self._part)  # its windows
        m.submodules.part = self._part
        self._lane = self.constant(m, parameters.lane_bits, "lane")
        output = parameters.relaxing[parameters.output]
        self._group = self.constant(m, parameters.group_bits, "group")
        self.assume((self._group >= output.first_group) & (self._group < parameters.groups))
        self._op = self.free(parameters.op_bits, "op")
        self._issue = self.free(1, "issue")
        slice_ = self.free(parameters.slice_bits, "slice")
        self.assume(slice_ < parameters.slices)
        m.d.comb += [
            self._part.issue.eq(self._issue),
            self._part.beat.op.eq(self._op),
            self._part.beat.slice.eq(slice_),
        ]
        self._here = Signal()
        m.d.comb += self._here.eq(self._issue & (slice_ == self._group))
        self._bias = {page: Signal(self._wide, name=f"bias_{page.name}") for page in PAGES}
        self._nudge = Signal(self._wide)
        self._exact = {page: Signal(self._wide, name=f"exact_{page.name}") for page in PAGES}
        self._sources = [self._source(m, number) for number in range(2)]
        self._added = Signal(self._wide)  # what the beat adds to the lane
        self._walk(m)
        self._singles(m)
        self._cut(m)
        self._copies(m)
        self._compare(m)

    def _source(self, m: Module, number: int) -> Source:
        """The input (no shift) or the hidden population, one neuron each."""
        parameters = self._parameters
        placement = (parameters.input, parameters.relaxing[0])[number]
        width = parameters.weight_bits
        weight = self.constant(m, signed(width), f"weight{number}")
        self.assume(weight != -(1 << (width - 1)))
        known = {
            page: Signal(signed(placement.state_bits + 1), name=f"state{number}_{page.name}")
            for page in (Page.LIVE, Page.FREE_EQUILIBRIUM)
        }
        return Source(
            weight, shifts(parameters)[number], placement.state_min, placement.state_max, known
        )

    def _walk(self, m: Module) -> None:
        """A WALK beat: some neighbour takes some state."""
        which, state = self.free(1, "which"), self.free(signed(4), "new_state")
        is_walk = Signal()
        m.d.comb += is_walk.eq(self._here & (self._op == Op.WALK))
        for number, source in enumerate(self._sources):
            mine = Signal(name=f"from{number}")
            known, exact = source.known[Page.LIVE], self._exact[Page.LIVE]
            m.d.comb += mine.eq(is_walk & (which == number))
            self.assume(~mine | ((state >= source.low) & (state <= source.high)))
            with m.If(mine):
                m.d.comb += self._added.eq(_product(source, state) - _product(source, known))
                m.d.sync += [known.eq(state), exact.eq(exact + self._added)]

    def _singles(self, m: Module) -> None:
        """NUDGE and BIAS beats: a value for one lane."""
        parameters, part = self._parameters, self._part
        value = self.free(part.single.value.shape(), "value")
        lane = self.free(parameters.lane_bits, "single_lane")
        m.d.comb += part.single.neuron.eq(lane)
        output = parameters.relaxing[parameters.output]
        limit = -((-output.state_range << output.fraction_bits) >> parameters.beta_shift)
        nudged = Signal()
        mine = lane == self._lane
        exact, bias = self._exact, self._bias
        with m.If(self._here & (self._op == Op.NUDGE) & mine):
            m.d.sync += [
                exact[Page.LIVE].eq(exact[Page.LIVE] + value),
                self._nudge.eq(value),
                nudged.eq(1),
            ]
        bias_limit = 1 << (parameters.bias_bits - 1)
        is_nudge, is_bias = Signal(), Signal()
        m.d.comb += [
            is_nudge.eq(self._here & (self._op == Op.NUDGE) & mine),
            is_bias.eq(self._here & (self._op == Op.BIAS) & mine),
        ]
        self.assume(~is_nudge | (~nudged & (value <= limit) & (value >= -limit)))
        self.assume(~is_bias | ((value < bias_limit) & (value >= -bias_limit)))
        self.assume(~(self._here & (self._op == Op.SAVE) & nudged))
        with m.If(is_bias):
            m.d.sync += [
                exact[Page.BIAS_AND_POSITIVE].eq(value),
                bias[Page.BIAS_AND_POSITIVE].eq(value),
            ]
        with m.If(self._here & ((self._op == Op.CLEAR) | (self._op == Op.RESTORE))):
            m.d.sync += [nudged.eq(0), self._nudge.eq(0)]
        with m.If(is_nudge | is_bias):
            m.d.comb += self._added.eq(value)
        self.check("sums_are_exact", nudged | (self._nudge == 0))
        self.check("sums_are_exact", (self._nudge <= limit) & (self._nudge >= -limit))
        for page in PAGES:
            self.check("sums_are_exact", (bias[page] < bias_limit) & (bias[page] >= -bias_limit))

    def _cut(self, m: Module) -> None:
        """The operand of this lane is what the beat adds; those of other lanes are anything."""
        operands = [self.free(o.shape(), f"operand{k}") for k, o in enumerate(self._part.cut)]
        m.d.comb += [cut.eq(operand) for cut, operand in zip(self._part.cut, operands, strict=True)]
        here, added = later(m, self._here, DELAY, "here"), later(m, self._added, DELAY, "added")
        self.assume(~here | (Array(operands)[self._lane] == added))

    def _copies(self, m: Module) -> None:
        """CLEAR, SAVE and RESTORE copy a row, and what it knows."""
        for op, origin, target in (
            (Op.CLEAR, Page.BIAS_AND_POSITIVE, Page.LIVE),
            (Op.SAVE, Page.LIVE, Page.FREE_EQUILIBRIUM),
            (Op.RESTORE, Page.FREE_EQUILIBRIUM, Page.LIVE),
        ):
            with m.If(self._here & (self._op == op)):
                m.d.sync += [
                    self._exact[target].eq(self._exact[origin]),
                    self._bias[target].eq(self._bias[origin]),
                ]
                for source in self._sources:
                    m.d.sync += source.known[target].eq(source.known.get(origin, 0))

    def _compare(self, m: Module) -> None:
        """The exact sums are what they stand for; memory follows them four cycles later."""
        for page in PAGES:
            total = self._bias[page]
            for source in self._sources:
                if page in source.known:
                    known = source.known[page]
                    total = total + _product(source, known)
                    in_range = (known >= source.low) & (known <= source.high)
                    self.check("sums_are_exact", in_range)
            if page is Page.LIVE:
                total = total + self._nudge
            self.check("sums_are_exact", self._exact[page] == total)
            limit = 1 << (self._parameters.accumulator_bits - 1)
            self.check(
                "sums_are_exact", (self._exact[page] < limit) & (self._exact[page] >= -limit)
            )
            delayed = later(m, self._exact[page], DELAY, f"exact_{page.name}")
            rows = data.ArrayLayout(
                signed(self._parameters.accumulator_bits), self._parameters.lanes
            )
            port = self._part.ports[page]
            m.d.comb += port.addr.eq(page.value * self._parameters.groups + self._group)
            held = Signal(signed(self._parameters.accumulator_bits), name=f"held_{page.name}")
            m.d.comb += held.eq(rows(port.data)[self._lane])
            self.check("sums_are_exact", held == delayed)


class _Watched(Datapath):
    """The datapath with a window on its accumulators, and `cut` in place of its operands."""

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(parameters, [0] * parameters.groups)
        self.ports: dict[Page, Any] = {}
        bits = signed(parameters.operand_bits)
        self.cut = [Signal(bits, name=f"cut{lane}") for lane in range(parameters.lanes)]

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        for page in PAGES:
            self.ports[page] = m.submodules.accumulators.read_port(domain="comb")
        return m

    def _operands(self, m: Module) -> list[Value]:
        super()._operands(m)
        return [*self.cut]


def _product(source: Source, state: Value) -> Value:
    """weight * state, shifted, for a state that is not negative: sums, which a solver likes."""
    total: Value = Const(0)
    for bit in range(source.high.bit_length()):
        total = total + Mux(state[bit], source.weight << bit, 0)
    return total << source.shift


def small_network(kind: WeightFormat) -> Network:
    """The output hears one input and, shifted, one hidden neuron; small states and biases."""
    bits = 2 if kind is WeightFormat.TERNARY else 1  # a solver is slow at multiplying
    populations = (
        Population("input", 1, Role.INPUT, bits),
        Population("hidden", 1, Role.HIDDEN, bits),
        Population("output", 3, Role.OUTPUT, bits),
    )
    couplings = (
        DenseCoupling("input", "output", np.zeros((1, 3), dtype=np.int8), 1, kind),
        DenseCoupling("hidden", "output", np.zeros((1, 3), dtype=np.int8), 0, kind),
    )
    biases = {"hidden": np.array([-1], np.int32), "output": np.array([-1, 0, 0], np.int32)}
    return Network(populations, couplings, biases, beta_shift=1)
