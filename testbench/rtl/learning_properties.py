"""What is proved of learning: a step is exact and clipped; nothing is learned outside of LEARN."""

from typing import ClassVar

from amaranth import Module, Mux, Signal, Value

from testbench.rtl.environment import single_neurons
from testbench.rtl.operands import later
from testbench.rtl.properties import Property, make_module
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.lanes import WRITE_LATENCY, UpdateLanes
from toreq_hw.rtl.parameters import CoreParameters

LATENT_COMES = 3
"""Cycles from the issue of a beat to the one in which its latent arrives."""

LATENT_BITS = 8
"""Of the lanes that are proved: products are whole, whatever the width of latents."""


class StepsAreExact(Property):
    """The real lanes: in cycle 4 a latent is V plus the step, clipped.

    The step is the sum of the products since the last first beat, and of the word there, above its
    lowest 16 bits. Beats are first and last as the solver chooses. Assumed: V is in its range.
    """

    CHECKS: ClassVar[tuple[str, ...]] = ("steps_are_exact", "latents_keep_their_range")
    RESETS = False

    def describe(self, m: Module) -> None:
        """The lanes, free beats, and what each must write."""
        parameters = _parameters()
        m.submodules.part = part = UpdateLanes(parameters)
        issue, first, last = (self.free(1, name) for name in ("issue", "first", "last"))
        row, column = self.free(part.row.shape(), "row"), self.free(part.row.shape(), "column")
        word = self.free(16, "word")
        latent = self.free(LATENT_BITS, "latent")
        m.d.comb += [
            part.issue.eq(issue),
            part.beat.first.eq(first),
            part.beat.last.eq(last),
            part.row.eq(row),
            part.columns[0].eq(column),
            part.words[0].eq(word),
        ]
        for lane in range(parameters.lanes):
            m.d.comb += part.latents[lane].eq(latent)
        limit = (1 << LATENT_BITS - 1) - 1
        self.assume(latent.as_signed() != -limit - 1)
        factors = [later(m, value, 1, value.name) for value in (row, column)]
        product = later(m, factors[0] * factors[1], 1, "wanted_product")
        total = Signal.like(product, name="wanted_total")
        begins = later(m, first, 2, "first")
        m.d.sync += total.eq(product + Mux(begins, later(m, word, 2, "word"), total))
        moved = Signal.like(total + latent.as_signed(), name="moved")
        m.d.comb += moved.eq(latent.as_signed() + (total.as_signed() >> 16))
        clipped = Mux(moved > limit, limit, Mux(moved < -limit, -limit, moved))
        wanted = later(m, clipped.as_signed(), WRITE_LATENCY - LATENT_COMES, "wanted")
        found = later(m, Value.cast(part.next_latents[0]), 1, "found").as_signed()
        writes = later(m, issue & last, WRITE_LATENCY, "issued")
        self.check("steps_are_exact", part.write, when=writes)
        self.check("steps_are_exact", found == wanted, when=writes)
        self.check("latents_keep_their_range", found != -limit - 1, when=part.write)


class NothingLearnsOutsideLearn(Property):
    """A whole small core under any traffic: latents, bias latents, biases and the generator stand
    outside of LEARN, but for what is loaded.
    """

    CHECKS: ClassVar[tuple[str, ...]] = ("latents_stand", "biases_stand", "generator_stands")

    def describe(self, m: Module) -> None:
        """Watches what LEARN writes."""
        parameters = _parameters()
        core = Core(parameters, MemoryImages.of(single_neurons(), parameters))
        make_module(core)
        m.submodules.core = core
        for name in ("inputs", "commands", "loads", "reads"):
            self.drive(m, getattr(core, name).payload, f"{name}_payload")
            self.drive(m, getattr(core, name).valid, f"{name}_valid")
        for name in ("states", "summary", "readings"):
            self.drive(m, getattr(core, name).ready, f"{name}_ready")
        assert core._learning is not None
        learner, learns = core._learning.learner, core._sequencer.learns
        before, learned, loaded = Signal(32), Signal(), Signal()
        m.d.sync += [
            before.eq(learner.generator),
            learned.eq(learns),
            loaded.eq(learner.load_generator),
        ]
        began = Signal()
        m.d.sync += began.eq(1)
        self.check("latents_stand", learns, when=learner.write)
        self.check("biases_stand", learns, when=learner.drives)
        may = learned | loaded | ~began
        self.check("generator_stands", learner.generator == before, when=~may)


def _parameters() -> CoreParameters:
    return CoreParameters.of(single_neurons(), lanes=2, learn_lanes=1, latent_bits=LATENT_BITS)
