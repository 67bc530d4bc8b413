"""LEARN as a machine: scan the states, walk couplings row by row, then the biases.

    SCAN      reads both states of every neuron, and lists the chunks that can move something
    COUPLING  the next coupling, if a neuron at either of its ends moved
    ROWS      the next row whose pre neuron is not 0 in both phases; it draws a random word
    WALK      the chunks of the list, a beat each; two where the row moved
    BIAS      the next population that moved; its chunks, a beat for each lane

Nothing is read or written where no synapse can move. docs/rtl.md has the formula of its cycles.
"""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import single_layout
from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.learning.chunk_lists import ChunkLists
from toreq_hw.rtl.learning.input_events import InputEvents, kept_layout
from toreq_hw.rtl.learning.lanes import UpdateLanes, field_bits, learn_beat
from toreq_hw.rtl.learning.registers import LearningRegisters
from toreq_hw.rtl.learning.rows import Rows
from toreq_hw.rtl.learning.scan import Scan, StatePairs
from toreq_hw.rtl.learning.sizes import BIAS_LATENT_BITS, THETA_BITS
from toreq_hw.rtl.learning.tables import DRAIN
from toreq_hw.rtl.learning.walk import ChunkWalk
from toreq_hw.rtl.memory import make_memory
from toreq_hw.rtl.operations import Page
from toreq_hw.rtl.parameters import CoreParameters


class Learner(wiring.Component):
    """Learns while `run`; `done` in its last cycle.

    Before: `clear` as a FREE starts, `keep` with each of its input `event`s; `nudges` as a
    NUDGE_POSITIVE starts, `stirs` with each event of neurons from then on. States are read by
    `read_request`, of `read_page` and `read_slice`, and arrive in `states` a cycle later.

    Stores: `reads` with `read` addresses a word whose fields come in `latents` two cycles later.
    `write` writes lanes of `mask` of a chunk into the place of `target`, in a row or `by_column`;
    its latents and address come a cycle before, as `UpdateLanes` says. drives, drive: a bias that
    changed, with its half. Loads: one strobe a space, with `load_address` and `load_data`; at that
    address biases are learned, too.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        assert parameters.learning is not None, "only a core that learns has a learner"
        self._parameters, self._learning = parameters, parameters.learning
        self._states = data.ArrayLayout(state_shape(parameters), parameters.update_lanes)
        bits = field_bits(parameters)
        beat = learn_beat(parameters)
        super().__init__(
            {
                "run": In(1),
                "done": Out(1),
                "clear": In(1),
                "keep": In(1),
                "event": In(kept_layout(parameters)),
                "nudges": In(1),
                "stirs": In(1),
                "read_request": Out(1),
                "read_page": Out(Page),
                "read_slice": Out(parameters.slice_bits),
                "states": In(self._states),
                "reads": Out(1),
                "read": Out(beat),
                "latents": In(data.ArrayLayout(unsigned(bits), parameters.lanes)),
                "write": Out(1),
                "target": Out(beat),
                "mask": Out(self._learning.lanes),
                "by_column": Out(1),
                "next_latents": Out(data.ArrayLayout(unsigned(bits), self._learning.lanes)),
                "next_store": Out(beat["store"].shape),
                "next_address": Out(beat["address"].shape),
                "repeats": Out(1),
                "drives": Out(1),
                "drive": Out(single_layout(parameters)),
                "theta": Out(THETA_BITS),
                "load_bias_latent": In(1),
                "load_rate": In(1),
                "load_generator": In(1),
                "load_theta": In(1),
                "load_address": In(parameters.neuron_address_bits),
                "load_data": In(32),
                "bias_at": In(parameters.neuron_address_bits),
                "bias_found": Out(BIAS_LATENT_BITS),
                "generator": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the lists, the lanes and the machine."""
        m = Module()
        parameters, learning = self._parameters, self._learning
        m.submodules.lanes = self._lanes = lanes = UpdateLanes(parameters)
        m.submodules.inputs = self._inputs = inputs = InputEvents(parameters)
        self._registers = registers = LearningRegisters(parameters)
        lists = ChunkLists(m, parameters)
        pairs = StatePairs(parameters, self)
        scan = Scan(parameters, pairs, lists)
        rows = Rows(parameters, registers, pairs, lists, inputs)
        walk = ChunkWalk(parameters, registers, lists, rows, lanes)
        for part in (scan, rows, walk):
            part.connect(m)
        self._connect_loads(m)
        self._connect_biases(m)
        self._connect_lanes(m)
        stirred, drained = Signal(), Signal(range(DRAIN))
        with m.If(self.nudges):
            m.d.sync += stirred.eq(0)
        with m.Elif(self.stirs):
            m.d.sync += stirred.eq(1)
        m.d.comb += self.read_slice.eq(pairs.slice)
        with m.FSM(name="learn"):
            with m.State("IDLE"), m.If(self.run):
                for part in (scan, rows, walk):
                    part.begin(m)
                with m.If(~stirred):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
            pairs.add_states(m, learning.lanes)
            scan.add_state(m)
            rows.add_states(m, "BIAS")
            walk.add_states(m, "DRAIN")
            with m.State("DRAIN"):
                m.d.sync += drained.eq(drained + 1)
                with m.If(drained == DRAIN - 1):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
        return m

    def _connect_loads(self, m: Module) -> None:
        registers = self._registers
        with m.If(self.load_rate):
            m.d.sync += registers.rates[self.load_address].eq(self.load_data)
        with m.If(self.load_generator):
            m.d.sync += registers.generator.eq(self.load_data)
        with m.If(self.load_theta):
            m.d.sync += registers.theta.eq(self.load_data)
        m.d.comb += [self.theta.eq(registers.theta), self.generator.eq(registers.generator)]

    def _connect_biases(self, m: Module) -> None:
        """Bias latents: read by LEARN or for the host, written by LEARN or by loads."""
        lanes = self._lanes
        spec = self._parameters.memory("bias latents")
        m.submodules.bias_latents = memory = make_memory(spec)
        write, read = memory.write_port(), memory.read_port()
        held = Signal(spec.width)
        m.d.sync += held.eq(read.data)
        m.d.comb += [
            read.addr.eq(Mux(self.run, lanes.read.address, self.bias_at)),
            lanes.bias_latent.eq(held),
            self.bias_found.eq(held),
            write.en.eq(lanes.bias_write | self.load_bias_latent),
            write.addr.eq(self.load_address),
            write.data.eq(Mux(self.load_bias_latent, self.load_data, lanes.bias.as_unsigned())),
            self.drives.eq(lanes.bias_write),
            self.drive.neuron.eq(self.load_address),
            self.drive.value.eq(lanes.bias_value),
        ]

    def _connect_lanes(self, m: Module) -> None:
        lanes, inputs = self._lanes, self._inputs
        m.d.comb += [
            self.reads.eq(lanes.reads & ~lanes.read.is_bias),
            self.read.eq(lanes.read),
            lanes.latents.eq(self.latents),
            self.write.eq(lanes.write),
            self.target.eq(lanes.target),
            self.next_latents.eq(lanes.next_latents),
            self.next_store.eq(lanes.next_store),
            self.next_address.eq(lanes.next_address),
            self.repeats.eq(lanes.repeats),
            self.mask.eq(lanes.mask),
            self.by_column.eq(lanes.by_column),
            inputs.clear.eq(self.clear),
            inputs.keep.eq(self.keep),
            inputs.event.eq(self.event),
        ]
