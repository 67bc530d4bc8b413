"""What the proof of the sums assumes of the rest of the core, proved on a whole small core."""

from typing import ClassVar

import numpy as np
from amaranth import Module, Signal, Value, signed
from amaranth.lib import data

from testbench.rtl.followed import Followed
from testbench.rtl.properties import Property, make_module
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.input_port import InputPort, event_layout
from toreq_hw.rtl.load_port import LoadPort
from toreq_hw.rtl.operations import Op, Page
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.readout import ReadoutOp


class BeatsKeepTheirWord(Property):
    """One neuron is followed as a source of events, and one group as their target; the solver picks
    both, all traffic and all resets. `known` is what that group knows of that neuron: the sum of
    the deltas that WALK beats have brought since the last CLEAR, copied where SAVE and RESTORE copy
    rows.

    deltas_lead_to_states: what is known after a beat is the neuron's state in memory. So a delta is
    the difference of two states in range, the second one what was sent last. After each sweep
    everything is known. A lossy core keeps what was sent beside the state, and that is what is
    known; in what NUDGE_POSITIVE saves, the two are the same.

    This is proved in four parts. Three are the rules of `Ledger`: writes_are_steps, events_arrive
    and copies_are_in_time. Each is proved of the core in every cycle, and assumes nothing. The
    fourth is of a core most of whose wires the solver drives, so that it does all that the core
    does and more. There deltas_lead_to_states in every cycle up to which all rules have held. In
    the core they always hold; so the statement holds there always.

    weights_stand: beats of one source to one group read the same word. No weight is written from a
    CLEAR until after the last command that builds on it. one_nudge: a neuron is nudged at most once
    between a CLEAR or RESTORE and the next, within reach, and not before a SAVE. one_image: no word
    of the input is taken between the last one of an image and the next CLEAR. one_beat: an event
    reaches a group once. positive_states_stay: when NUDGE_NEGATIVE nudges, page BIAS_AND_POSITIVE
    holds the states that NUDGE_POSITIVE ended with; no port shows them.
    """

    CHECKS: ClassVar[tuple[str, ...]] = (
        "deltas_lead_to_states",
        "writes_are_steps",
        "events_arrive",
        "copies_are_in_time",
        "weights_stand",
        "one_nudge",
        "one_image",
        "one_beat",
        "positive_states_stay",
    )

    def __init__(self, *, threshold: int | None = None) -> None:
        """threshold: the one at power-up of a lossy core."""
        super().__init__()
        self._threshold = threshold

    def describe(self, m: Module) -> None:
        """The core, its streams, the monitors."""
        network = single_neurons()
        self._parameters = CoreParameters.of(
            network, lanes=2, counter_bits=4, max_sweeps=3, threshold=self._threshold
        )
        self._core = core = Core(self._parameters, MemoryImages.of(network, self._parameters))
        make_module(core)
        self._states = make_module(core._datapath).submodules.states
        m.submodules.core = core
        for name in ("inputs", "commands", "loads"):
            self.drive(m, getattr(core, name).payload, f"{name}_payload")
            self.drive(m, getattr(core, name).valid, f"{name}_valid")
        for name in ("states", "summary"):
            self.drive(m, getattr(core, name).ready, f"{name}_ready")
        self._command = core.commands.payload.command
        self._starts = core._sequencer.starts
        self._follow_a_source(m)
        self._follow_weights(m)
        self._follow_nudges(m)
        self._follow_images(m)

    def _follow_a_source(self, m: Module) -> None:
        parameters, walker = self._parameters, self._core._walker
        address = self.constant(m, walker.event_address.shape(), "address")
        is_input = self.constant(m, 1, "is_input")
        group = self.constant(m, parameters.group_bits, "group")
        walked_address, walked_input = Signal.like(address), Signal()
        with m.If(walker.take):
            m.d.sync += [
                walked_address.eq(walker.event_address),
                walked_input.eq(self._core._sequencer.presents),
            ]
        walks = walker.active & (walked_address == address)
        self._brings = Signal()
        m.d.comb += self._brings.eq(walks & (walker.group == group) & (walked_input == is_input))
        self._followed = Followed(m, self._core, self._states, address, walks & ~walked_input)
        hears = ~is_input & (group == 1 - (address >> parameters.lane_bits))  # the other group
        self._follow_deltas(m, is_input, hears)
        reached = Signal()
        with m.If(self._brings):
            m.d.sync += reached.eq(1)
        with m.If(walker.take):  # in the last beat of the event before
            m.d.sync += reached.eq(0)
        self.check("one_beat", ~reached, when=self._brings)
        negative = self._followed.ledger.starts[Command.NUDGE_NEGATIVE]
        raised, rest = Signal(parameters.state_bits), self._followed.held(Page.BIAS_AND_POSITIVE)
        with m.If(negative):
            m.d.sync += raised.eq(self._followed.held(Page.LIVE))
        nudges = self._core._sequencer.negative & (
            self._core._sequencer.readout_op == ReadoutOp.NUDGE
        )
        lies = address < parameters.groups * parameters.lanes
        self.check("positive_states_stay", raised == rest, when=nudges & lies)

    def _follow_deltas(self, m: Module, is_input: Value, hears: Value) -> None:
        """Each rule is checked; and, as long as all have held, what they are for."""
        ledger = self._followed.ledger
        known, free = (
            Signal(signed(self._parameters.delta_bits + 1), name=n) for n in ("known", "free")
        )
        after = Signal.like(known)
        m.d.comb += after.eq(known + ledger.brought)
        with m.If(self._brings):
            m.d.sync += known.eq(after)
        with m.If(ledger.starts[Command.FREE]):
            m.d.sync += known.eq(0)
        with m.If(ledger.saves):
            m.d.sync += free.eq(known)
        with m.If(ledger.starts[Command.NUDGE_NEGATIVE]):
            m.d.sync += known.eq(free)
        for name, rules in self._followed.rules().items():
            for condition, when in rules:
                self.check(name, condition, when=when)
        positive, negative = (
            ledger.starts[Command.NUDGE_POSITIVE],
            ledger.starts[Command.NUDGE_NEGATIVE],
        )
        ruled = self._followed.ruled()
        for condition, when in (
            (after == ledger.work, self._brings & ~is_input),
            (known == ledger.work, hears & (ledger.sweep_ends | positive)),
            (free == ledger.kept, hears & negative),
            (ledger.kept == self._followed.held(Page.FREE_EQUILIBRIUM), hears & negative),
        ):
            self.check("deltas_lead_to_states", condition, when=ruled & when)

    def _follow_weights(self, m: Module) -> None:
        core, beat = self._core, self._core._walker.beat
        read = Signal(beat.shape())
        seen, loaded = Signal(), Signal()
        with m.If(self._brings):
            m.d.sync += [read.eq(beat), seen.eq(1)]
        for field in ("store", "address", "lane", "by_column", "shift"):
            self.check("weights_stand", beat[field] == read[field], when=self._brings & seen)
        writes = core._stores.any()
        with m.If(writes):
            m.d.sync += loaded.eq(1)
        with m.If(self._starts & (self._command == Command.FREE)):
            m.d.sync += loaded.eq(0)
        self.check("weights_stand", ~loaded, when=self._brings)

    def _follow_nudges(self, m: Module) -> None:
        parameters, datapath = self._parameters, self._core._datapath
        output = parameters.relaxing[parameters.output]
        limit = -((-output.state_range << output.fraction_bits) >> parameters.beta_shift)
        address = self.constant(m, parameters.neuron_address_bits, "nudged_address")
        op, value = datapath.beat.op, datapath.single.value
        here, nudges, nudged = Signal(), Signal(), Signal()
        m.d.comb += [
            here.eq(datapath.issue & (datapath.beat.slice == address >> parameters.lane_bits)),
            nudges.eq(here & (op == Op.NUDGE) & (datapath.single.neuron == address)),
        ]
        with m.If(nudges):
            m.d.sync += nudged.eq(1)
        with m.If(here & ((op == Op.CLEAR) | (op == Op.RESTORE))):
            m.d.sync += nudged.eq(0)
        self.check("one_nudge", ~nudged, when=nudges | (here & (op == Op.SAVE)))
        self.check("one_nudge", (value <= limit) & (value >= -limit), when=nudges)

    def _follow_images(self, m: Module) -> None:
        sequencer = self._core._sequencer
        ended = Signal()
        with m.If(sequencer.input_pop & sequencer.input_last):
            m.d.sync += ended.eq(1)
        with m.If(self._starts & (self._command == Command.FREE)):
            m.d.sync += ended.eq(0)
        self.check("one_image", ~ended, when=sequencer.input_pop)


class InputsComeOnce(Property):
    """The real input port: what it puts into its FIFO names each neuron at most once an image, with
    a value in range that is not zero."""

    CHECKS: ClassVar[tuple[str, ...]] = ("inputs_come_once", "inputs_are_states")

    def describe(self, m: Module) -> None:
        """Any words; one index is followed."""
        parameters = CoreParameters.of(_signed_network(), lanes=2)
        port = InputPort(parameters)
        fifo = make_module(port).submodules.fifo
        m.submodules.port = port
        self.drive(m, port.words.payload, "words_payload")
        self.drive(m, port.words.valid, "words_valid")
        self.drive(m, port.events.ready, "events_ready")
        event = data.View(event_layout(parameters), fifo.w_data)
        index = self.constant(m, event.index.shape(), "index")
        written, seen = Signal(), Signal()
        m.d.comb += written.eq(fifo.w_en & event.is_event)
        with m.If(written & (event.index == index)):
            m.d.sync += seen.eq(1)
        with m.If(fifo.w_en & event.last):
            m.d.sync += seen.eq(0)
        placement = parameters.input
        self.check("inputs_come_once", ~seen, when=written & (event.index == index))
        self.check("inputs_come_once", event.index < placement.size, when=written)
        fits = (event.value >= placement.state_min) & (event.value <= placement.state_max)
        self.check("inputs_are_states", fits & (event.value != 0), when=written)


class LoadsAreWeights(Property):
    """The real load port: what it lets into a store is a word of it, of weights of its format.

    Assumed: a word stands while it waits, as the rules of streams say.
    """

    CHECKS: ClassVar[tuple[str, ...]] = ("loads_are_weights",)

    def describe(self, m: Module) -> None:
        """Any words at any time."""
        parameters = CoreParameters.of(single_neurons(), lanes=2)
        m.submodules.port = port = LoadPort(parameters)
        self.drive(m, port.words.payload, "words_payload")
        self.drive(m, port.words.valid, "words_valid")
        self.drive(m, port.idle, "idle")
        payload = port.words.payload.as_value()
        before, waited = Signal.like(payload), Signal()
        m.d.sync += [before.eq(payload), waited.eq(port.words.valid & ~port.words.ready)]
        self.assume(~waited | (port.words.valid & (payload == before)))
        word = port.words.payload
        for number, store in enumerate(parameters.stores):
            lowest = 1 << (store.width - 1)
            fields = [word.data.word_select(k, store.width) for k in range(parameters.lanes)]
            self.check("loads_are_weights", word.address < store.words, when=port.stores[number])
            for field in fields:
                self.check("loads_are_weights", field != lowest, when=port.stores[number])


def _signed_network() -> Network:
    """An input whose size and range end within their words."""
    populations = (
        Population("input", 5, Role.INPUT, 4, signed=True),
        Population("output", 1, Role.OUTPUT, 1),
    )
    weight = np.ones((5, 1), dtype=np.int8)
    return Network(
        populations, (DenseCoupling("input", "output", weight, 0, WeightFormat.TERNARY),), {}
    )


def single_neurons() -> Network:
    """One neuron each, one bit each; the output hears the hidden neuron and is heard by it."""
    populations = (
        Population("input", 1, Role.INPUT, 1),
        Population("hidden", 1, Role.HIDDEN, 1),
        Population("output", 1, Role.OUTPUT, 1),
    )
    couplings = tuple(
        DenseCoupling(pre, post, np.ones((1, 1), dtype=np.int8), 0, WeightFormat.TERNARY)
        for pre, post in (("input", "hidden"), ("hidden", "output"))
    )
    return Network(populations, couplings, {})
