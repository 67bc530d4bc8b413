"""What is proved of the walk of LEARN: no update is lost, and none is made twice."""

from typing import ClassVar

import numpy as np
from amaranth import Module, Mux, Signal, Value

from testbench.rtl.properties import Property
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.rtl.learning.learner import Learner
from toreq_hw.rtl.operations import Page
from toreq_hw.rtl.parameters import CoreParameters

SIZES = {"input": 2, "hidden": 2, "output": 2}
LANES = 2

LONGEST = 64
"""Cycles of a LEARN of this network at most; `no_update_is_lost` fails where one takes more."""

FIRST_LEARN = LONGEST + 10
"""Cycles behind a reset in which a first LEARN ends, whatever was kept in the ten before it."""


def small_deep_network() -> Network:
    """States of one bit; a coupling from the input, in rows, and one between neurons, skewed."""
    roles = {"input": Role.INPUT, "hidden": Role.HIDDEN, "output": Role.OUTPUT}
    populations = tuple(Population(name, size, roles[name], 1) for name, size in SIZES.items())
    couplings = tuple(
        DenseCoupling(
            pre, post, np.ones((SIZES[pre], SIZES[post]), np.int8), 0, WeightFormat.TERNARY
        )
        for pre, post in (("input", "hidden"), ("hidden", "output"))
    )
    return Network(populations, couplings, {})


class UpdatesComeOnce(Property):
    """The real learner: one synapse is followed, of the coupling, row and column that the solver
    picks, through any number of samples.

    updates_come_once: a LEARN writes its latent at most once. no_update_is_lost: if its contrast
    s+ s+ - s- s- is not 0, LEARN has written it when it is done, `LONGEST` cycles later at most;
    this is shown of the first LEARN behind a reset. Assumed: input events rise within
    an image; LEARN runs until it is done, with nothing else meanwhile; states stand while it runs,
    and where no neuron sent an event since the nudge, none has moved.
    """

    CHECKS: ClassVar[tuple[str, ...]] = ("updates_come_once", "no_update_is_lost")

    def __init__(self, coupling: int, learn_lanes: int = 1) -> None:
        super().__init__()
        self._number, self._learn_lanes = coupling, learn_lanes

    def describe(self, m: Module) -> None:
        """The learner, what surrounds it, and the synapse that is followed."""
        parameters = CoreParameters.of(
            small_deep_network(), LANES, learn_lanes=self._learn_lanes, latent_bits=8
        )
        m.submodules.learner = learner = Learner(parameters)
        running = Signal()
        go = self.free(1, "go") & ~running
        m.d.sync += running.eq(go | (running & ~learner.done))
        m.d.comb += learner.run.eq(running)
        kept = self._inputs(m, learner, running)
        plus, minus = self._states(m, parameters, learner, go)
        self._follow(m, parameters, learner, go, (kept, plus, minus))

    def _inputs(self, m: Module, learner: Learner, running: Signal) -> Signal:
        """Events before LEARN; returns which inputs were kept, a bit each."""
        size = SIZES["input"]
        clear, keep = (self.free(1, n) & ~running for n in ("clear", "keep"))
        index = self.free(learner.event.index.shape(), "index")
        kept = Signal(size)
        self.assume(~keep | clear | ((kept >> index) == 0) & (index < size))
        m.d.comb += [
            learner.clear.eq(clear),
            learner.keep.eq(keep & ~clear),
            learner.event.index.eq(index),
            learner.event.value.eq(1),
        ]
        with m.If(clear):
            m.d.sync += kept.eq(0)
        with m.Elif(keep):
            m.d.sync += kept.eq(kept | (1 << index))
        return kept

    def _states(
        self, m: Module, parameters: CoreParameters, learner: Learner, go: Value
    ) -> tuple[Signal, Signal]:
        """States of the memory's addresses in both phases, which stand from `go` on."""
        addresses = parameters.groups * parameters.lanes
        held = []
        for name in ("plus", "minus"):
            drawn, kept = self.free(addresses, f"{name}_drawn"), Signal(addresses, name=name)
            with m.If(go):
                m.d.sync += kept.eq(drawn & self._neurons(parameters))
            held.append(kept)
        plus, minus = held
        nudges, stirs = (self.free(1, name) for name in ("nudges", "stirs"))
        quiet = ~learner.run & ~go
        stirred = Signal()
        m.d.comb += [learner.nudges.eq(nudges & quiet), learner.stirs.eq(stirs & quiet)]
        with m.If(nudges & quiet):
            m.d.sync += stirred.eq(0)
        with m.Elif(stirs & quiet):
            m.d.sync += stirred.eq(1)
        self.assume(~learner.run | stirred | (plus == minus))
        lanes = parameters.update_lanes
        page = Signal.like(learner.read_page)
        place = Signal.like(learner.read_slice)
        m.d.sync += [page.eq(learner.read_page), place.eq(learner.read_slice)]
        chosen = Mux(page == Page.BIAS_AND_POSITIVE, plus, minus)
        m.d.comb += Value.cast(learner.states).eq(chosen.word_select(place, lanes))
        return plus, minus

    def _neurons(self, parameters: CoreParameters) -> int:
        """Addresses that hold a neuron; the others stay at 0."""
        return sum(
            ((1 << p.size) - 1) << p.first_group * parameters.lanes for p in parameters.relaxing
        )

    def _follow(
        self,
        m: Module,
        parameters: CoreParameters,
        learner: Learner,
        go: Value,
        states: tuple[Signal, Signal, Signal],
    ) -> None:
        assert parameters.learning is not None
        coupling = parameters.learning.couplings[self._number]
        walk, lanes = coupling.walk, parameters.lanes
        pre = SIZES["input" if coupling.from_input else "hidden"]
        post = parameters.relaxing[walk.target]
        row, column = (
            self.constant(m, range(pre), "row"),
            self.constant(m, range(post.size), "column"),
        )
        self.assume((row < pre) & (column < post.size))
        kept, plus, minus = states
        at = post.first_group * lanes + column
        if coupling.from_input:
            moves = kept.bit_select(row, 1) & (plus.bit_select(at, 1) != minus.bit_select(at, 1))
        else:
            of = parameters.relaxing[walk.source].first_group * lanes + row
            both = [s.bit_select(of, 1) & s.bit_select(at, 1) for s in (plus, minus)]
            moves = both[0] != both[1]
        mine = self._writes(parameters, learner, row, column)
        written = Signal()
        with m.If(go):
            m.d.sync += written.eq(0)
        with m.Elif(mine):
            m.d.sync += written.eq(1)
        self.check("updates_come_once", ~written, when=mine)
        self.check("no_update_is_lost", written | mine, when=learner.done & moves)
        age = Signal(range(LONGEST + 2))
        m.d.sync += age.eq(Mux(go, 0, Mux(age > LONGEST, age, age + 1)))
        self.check("no_update_is_lost", age < LONGEST, when=learner.run)

    def _writes(
        self, parameters: CoreParameters, learner: Learner, row: Signal, column: Signal
    ) -> Value:
        """Whether the learner writes the latent at `row` and `column` in this cycle."""
        assert parameters.learning is not None
        walk, lanes = parameters.learning.couplings[self._number].walk, parameters.lanes
        group = column >> (lanes.bit_length() - 1)
        if walk.skewed:
            where = walk.first + group * walk.pre_groups + (row >> parameters.lane_bits)
        else:
            where = walk.first + row * walk.beats + group
        target, size = learner.target, parameters.learning.lanes
        within = column & lanes - 1
        mine: Value = (
            learner.write
            & (target.store == walk.store)
            & (target.address == where)
            & (target.part == within >> (size.bit_length() - 1))
            & learner.mask.bit_select(column & size - 1, 1)
        )
        if walk.skewed:
            mine &= target.lane == (row & lanes - 1)
        return mine
