"""What makes a core one that learns: the learner and the reader, wired to the other parts."""

from typing import Any

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import walk_layout
from toreq_hw.rtl.interfaces import (
    Members,
    readback_payload,
    readings_payload,
    source_of,
)
from toreq_hw.rtl.learning.learner import Learner
from toreq_hw.rtl.learning.reader import Reader
from toreq_hw.rtl.load_spaces import LEARNING_SPACES, Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command


def learning_ports(parameters: CoreParameters) -> Members:
    """Streams that a core which learns has beside the others: asked words, and their answers."""
    if parameters.learning is None:
        return {}
    return {
        "reads": In(source_of(readback_payload(parameters))),
        "readings": Out(source_of(readings_payload(parameters))),
    }


class LearningPart:
    """The learner and the reader of `core`, a `Core`, whose other parts exist already."""

    def __init__(self, core: Any, m: Module) -> None:
        self._core, self._parameters = core, core.parameters
        m.submodules.learner = self.learner = Learner(core.parameters)
        m.submodules.reader = self.reader = Reader(core.parameters)
        wiring.connect(m, wiring.flipped(core.reads), self.reader.asked)
        wiring.connect(m, wiring.flipped(core.readings), self.reader.readings)

    @property
    def busy(self) -> Any:
        """A word is being read back, or asked for."""
        return self.reader.busy | self._core.reads.valid

    def connect(self, m: Module, sequencer: Any, walker: Any, readout: Any, datapath: Any) -> None:
        """Wires to those parts of the core."""
        core, learner, reader = self._core, self.learner, self.reader
        command = core.commands.payload.command
        m.d.comb += [
            learner.run.eq(sequencer.learns),
            sequencer.learned.eq(learner.done),
            learner.clear.eq(sequencer.starts & (command == Command.FREE)),
            learner.nudges.eq(sequencer.starts & (command == Command.NUDGE_POSITIVE)),
            learner.stirs.eq(datapath.push),
            learner.keep.eq(sequencer.take & sequencer.presents),
            learner.event.index.eq(walker.event_address),
            learner.event.value.eq(walker.event_delta),
            learner.states.eq(datapath.state_d1),
            datapath.read_request.eq(readout.read_request | learner.read_request),
            datapath.read_slice.eq(
                Mux(learner.read_request, learner.read_slice, readout.read_slice)
            ),
            datapath.read_page.eq(learner.read_page),
            reader.idle.eq(sequencer.idle & ~core.loads.valid),
            reader.bias_latent.eq(learner.bias_found),
            reader.generator.eq(learner.generator),
            learner.bias_at.eq(core.reads.payload.address),
        ]

    def connect_loads(self, m: Module, strobes: Any, address: Any, word: Any) -> None:
        """Words that are loaded into the learner. strobes: one for each of `LEARNING_SPACES`,
        in the cycle before the word stands at `address` and `word`.
        """
        learner = self.learner
        now = Signal.like(strobes, name="load_learning")
        m.d.sync += now.eq(strobes)
        ports = {
            Space.BIAS_LATENT: learner.load_bias_latent,
            Space.RATE: learner.load_rate,
            Space.GENERATOR: learner.load_generator,
            Space.THETA: learner.load_theta,
        }
        m.d.comb += [
            *(ports[space].eq(now[k]) for k, space in enumerate(LEARNING_SPACES)),
            learner.load_address.eq(address),
            learner.load_data.eq(word),
        ]

    def connect_writes(self, m: Module, learns: Any, address: Any, word: Any) -> None:
        """What LEARN writes takes the way of what is loaded: registers that hold an address and a
        word of a store, every chunk of which is the one that is learned.
        """
        learner, parameters = self.learner, self._parameters
        chunk = Signal.like(word, name="learned_word")
        widths = [store.width for store in parameters.stores]
        with m.Switch(learner.next_store):
            for width in reversed(dict.fromkeys(widths)):
                numbers = [number for number, own in enumerate(widths) if own == width]
                with m.Case(*numbers) if width != widths[0] else m.Default():
                    for lane in range(parameters.lanes):
                        field = learner.next_latents[lane % parameters.learning.lanes][:width]
                        m.d.comb += chunk.word_select(lane, width).eq(field)
        with m.If(learns):
            m.d.sync += address.eq(learner.next_address)
            with m.If(learner.repeats):
                m.d.sync += word.eq(word)
            with m.Else():
                m.d.sync += word.eq(chunk)

    def read_beat(self, m: Module, beat: Any, active: Any) -> tuple[Any, Any]:
        """What addresses the stores: a walk, or LEARN, or the reader; and whether anything does."""
        learner, reader, parameters = self.learner, self.reader, self._parameters
        chosen = Signal(walk_layout(parameters), name="store_beat")
        reads = Signal(name="store_reads")
        m.d.comb += [chosen.eq(beat), reads.eq(active | learner.reads | reader.fetches)]
        with m.If(learner.reads):
            m.d.comb += [
                chosen.store.eq(learner.read.store),
                chosen.address.eq(learner.read.address),
                chosen.lane.eq(learner.read.lane),
                chosen.by_column.eq(0),
            ]
        with m.Elif(reader.fetches):
            m.d.comb += chosen.by_column.eq(0)
            asked = self._core.reads.payload
            with m.Switch(asked.space):
                for number, store in enumerate(parameters.stores):
                    bits = parameters.lane_bits if store.skewed else 0
                    with m.Case(Space.WEIGHTS + number):
                        m.d.comb += [
                            chosen.store.eq(number),
                            chosen.address.eq(asked.address >> bits),
                            chosen.lane.eq(asked.address),
                        ]
        return chosen, reads

    def connect_store(self, m: Module, number: int, store: Any) -> None:
        """What LEARN writes into a store."""
        learner, target = self.learner, self.learner.target
        m.d.comb += [
            store.learn.eq(learner.write & (target.store == number)),
            store.learn_lane.eq(target.lane),
            store.learn_part.eq(target.part),
            store.learn_mask.eq(learner.mask),
            store.learn_by_column.eq(learner.by_column),
        ]
