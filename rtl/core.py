"""The core: ports, and who is wired to whom. docs/rtl.md has the picture."""

from functools import reduce
from operator import or_

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from toreq_hw.argument_types import named_type_errors
from toreq_hw.rtl.beat import beat_layout
from toreq_hw.rtl.core_ports import core_ports
from toreq_hw.rtl.datapath import Datapath
from toreq_hw.rtl.event_queue import EventQueue
from toreq_hw.rtl.fault_port import upset_signature
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.input_port import InputPort
from toreq_hw.rtl.learning.part import LearningPart
from toreq_hw.rtl.load_port import LoadPort
from toreq_hw.rtl.operations import Op
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.passes import Passes
from toreq_hw.rtl.readout import Readout
from toreq_hw.rtl.recorder import Recorder
from toreq_hw.rtl.sequencer import Sequencer
from toreq_hw.rtl.walker import Walker
from toreq_hw.rtl.weight_stores import WeightStores


@named_type_errors
class Core(wiring.Component):
    """An event-driven relaxation core for one network shape; `images` are its contents.

    faults: sticky bits of `Fault`; fault_count: refused words, stops near its maximum. Both are
    cleared by reset, which also ends whatever runs; weights and biases stay. Stores that are
    not `initialised` hold nothing until they are loaded.

    upsets: gives the core a fault port (`upset_signature`); without it nothing of it is built.
    """

    def __init__(
        self, parameters: CoreParameters, images: MemoryImages, *, upsets: bool = False
    ) -> None:
        self.parameters = parameters
        self._images = images
        self._has_upsets = upsets
        super().__init__(
            ({"upsets": Out(upset_signature(parameters))} if upsets else {})
            | core_ports(parameters)
        )

    def elaborate(self, platform: object) -> Module:
        """Instantiates the parts and connects them."""
        m = Module()
        parameters = self.parameters
        m.submodules.input_port = self._input = InputPort(parameters)
        m.submodules.load_port = self._load = LoadPort(parameters)
        m.submodules.queue = self._queue = EventQueue(parameters)
        m.submodules.walker = self._walker = Walker(parameters)
        m.submodules.sequencer = self._sequencer = Sequencer(parameters, upsets=self._has_upsets)
        m.submodules.passes = self._passes = Passes(parameters)
        m.submodules.readout = self._readout = Readout(parameters)
        m.submodules.recorder = self._recorder = Recorder(parameters)
        m.submodules.datapath = self._datapath = Datapath(
            parameters, self._images.rest, upsets=self._has_upsets
        )
        wiring.connect(m, wiring.flipped(self.inputs), self._input.words)
        wiring.connect(m, wiring.flipped(self.loads), self._load.words)
        wiring.connect(m, wiring.flipped(self.commands), self._sequencer.commands)
        wiring.connect(m, wiring.flipped(self.states), self._readout.states)
        self._learning = LearningPart(self, m) if parameters.learning else None
        self._connect_loads(m)
        self._connect_stores(m)
        self._connect_walker(m)
        self._connect_datapath(m)
        self._connect_sequencer(m)
        self._connect_readout(m)
        self._connect_recorder(m)
        self._connect_faults(m)
        self._connect_monitor(m)
        if self._has_upsets:
            self._connect_upsets(m)
        return m

    def _connect_loads(self, m: Module) -> None:
        """A word that is taken is written a cycle later: no path from the stream to a memory."""
        word, load = self.loads.payload, self._load
        self._address = Signal.like(word.address, name="load_address", reset_less=True)
        self._data = Signal.like(word.data, name="load_data", reset_less=True)
        self._stores = Signal.like(load.stores, name="load_stores")
        self._bias = Signal(name="load_bias")
        m.d.sync += [
            self._address.eq(word.address),
            self._data.eq(word.data),
            self._stores.eq(load.stores),
            self._bias.eq(load.bias),
        ]
        idle, waits = self._sequencer.idle, self.loads.valid
        if self._learning:
            idle, waits = idle & ~self._learning.reader.busy, waits | self._learning.busy
            self._learning.connect_loads(m, load.learning, self._address, self._data)
            self._learning.connect_writes(m, self._sequencer.learns, self._address, self._data)
        m.d.comb += [
            self._load.idle.eq(idle),
            self._sequencer.loading.eq(waits),
            self._sequencer.forget.eq(self._load.accepted),
            self._sequencer.load_max_sweeps.eq(self._load.max_sweeps),
            self._sequencer.max_sweeps.eq(self.loads.payload.data),
            *([self._datapath.threshold.eq(self._load.threshold)] if self.parameters.lossy else []),
            self.idle.eq(self._sequencer.idle),
        ]

    def _connect_stores(self, m: Module) -> None:
        """Walks read stores; so does LEARN, which also writes them."""
        faults = self.upsets if self._has_upsets and self._learning else None
        stores = WeightStores(m, self.parameters, self._images, faults)
        beat, active, theta = self._walker.beat, self._walker.active, None
        if self._learning:
            beat, active = self._learning.read_beat(m, beat, active)
            theta = self._learning.learner.theta
        stores.connect_reads(beat, active, self._learning)
        stores.connect_loads(self._stores, self._address, self._data)
        stores.connect_weights(self._datapath.weights, theta)
        if self._learning:
            stores.connect_fields(self._learning.learner.latents)
            m.d.comb += self._learning.reader.fields.eq(self._learning.learner.latents)

    def _connect_walker(self, m: Module) -> None:
        """Events from the input while an image is presented, from the queue afterwards."""
        event, walker, queue = self._input.events.payload, self._walker, self._queue
        address = (queue.slice << self.parameters.update_lane_bits) | queue.lane
        m.d.comb += [
            walker.event_address.eq(Mux(self._sequencer.presents, event.index, address)),
            walker.event_delta.eq(Mux(self._sequencer.presents, event.value, queue.delta)),
            walker.source.eq(self._sequencer.source),
            walker.take.eq(self._sequencer.take),
            self._input.events.ready.eq(self._sequencer.input_pop),
            queue.pop.eq(self._sequencer.queue_pop),
        ]

    def _connect_datapath(self, m: Module) -> None:
        """Beats of passes, of walks, and of values for single neurons."""
        passes, walker, readout, datapath = (
            self._passes,
            self._walker,
            self._readout,
            self._datapath,
        )
        bias_bits = self.parameters.bias_bits
        learner = self._learning.learner if self._learning else None
        drives = readout.drives | learner.drives if learner else readout.drives
        beat = Signal(beat_layout(self.parameters))
        m.d.comb += [
            datapath.issue.eq(walker.active | passes.active | drives | self._bias),
            datapath.walk.eq(walker.beat),
            datapath.beat.eq(Mux(passes.active, passes.beat, beat)),
        ]
        with m.If(self._bias):
            m.d.comb += [
                beat.op.eq(Op.BIAS),
                datapath.single.neuron.eq(self._address),
                datapath.single.value.eq(self._data[:bias_bits].as_signed()),
            ]
        with m.Else():
            m.d.comb += [
                beat.op.eq(Mux(readout.drives, Op.NUDGE, Op.WALK)),
                datapath.single.eq(readout.drive),
            ]
        if learner:
            with m.If(learner.drives):
                m.d.comb += [beat.op.eq(Op.BIAS), datapath.single.eq(learner.drive)]
        single = self._bias | drives
        m.d.comb += beat.slice.eq(
            Mux(single, datapath.single.neuron >> self.parameters.lane_bits, walker.group)
            << self.parameters.part_bits
        )

    def _connect_sequencer(self, m: Module) -> None:
        sequencer, walker, datapath = self._sequencer, self._walker, self._datapath
        m.d.comb += [
            self._queue.push.eq(datapath.push),
            self._queue.row.eq(datapath.row),
            sequencer.input_valid.eq(self._input.events.valid),
            sequencer.input_is_event.eq(self._input.events.payload.is_event),
            sequencer.input_last.eq(self._input.events.payload.last),
            sequencer.queue_valid.eq(self._queue.valid),
            sequencer.walker_free.eq(walker.free),
            sequencer.walker_busy.eq(walker.busy),
            sequencer.targets.eq(walker.targets),
            self._passes.start.eq(sequencer.start_pass),
            self._passes.request.eq(sequencer.request),
            self._passes.stop.eq(datapath.halt),
            sequencer.pass_ends.eq(self._passes.last),
            sequencer.moved.eq(datapath.moved),
            *([datapath.flushes.eq(sequencer.flushes)] if self.parameters.lossy else []),
            sequencer.halt.eq(datapath.halt),
            sequencer.halt_slice.eq(datapath.halt_slice),
            sequencer.halt_lane.eq(datapath.halt_lane),
        ]

    def _connect_readout(self, m: Module) -> None:
        sequencer, readout, datapath = self._sequencer, self._readout, self._datapath
        m.d.comb += [
            readout.readout_op.eq(sequencer.readout_op),
            readout.label.eq(sequencer.label),
            readout.negative.eq(sequencer.negative),
            readout.phase.eq(self._recorder.summary.phase),
            sequencer.readout_done.eq(readout.done),
            readout.state_d1.eq(datapath.state_d1),
            readout.state_d2.eq(datapath.state_d2),
        ]
        if self._learning:
            self._learning.connect(m, sequencer, self._walker, readout, datapath)
        else:
            m.d.comb += [
                datapath.read_request.eq(readout.read_request),
                datapath.read_slice.eq(readout.read_slice),
            ]

    def _connect_recorder(self, m: Module) -> None:
        sequencer, recorder = self._sequencer, self._recorder
        m.d.comb += [
            recorder.start.eq(sequencer.starts),
            recorder.command.eq(self.commands.payload.command),
            recorder.cycle.eq(sequencer.runs & ~sequencer.stalls & ~self._readout.stalls),
            recorder.beat.eq(self._walker.active),
            recorder.event.eq(sequencer.event),
            recorder.input_event.eq(sequencer.take & sequencer.presents),
            recorder.saturations.eq(self._datapath.saturations),
            recorder.next_sweep.eq(sequencer.next_sweep),
            recorder.end.eq(sequencer.ends),
            recorder.settled.eq(sequencer.settled),
            recorder.label.eq(self._readout.best),
            sequencer.sweeps.eq(recorder.summary.sweeps),
            self.summary.payload.eq(recorder.summary),
            self.summary.valid.eq(sequencer.summary_valid),
            sequencer.summary_ready.eq(self.summary.ready),
        ]

    def _connect_faults(self, m: Module) -> None:
        """Each port refuses at most one word a cycle; the count is of words."""
        ports = [self._input.faults, self._load.faults, self._sequencer.faults]
        if self._learning:
            ports.append(self._learning.reader.faults)
        refused = sum((port != 0) for port in ports)
        highest = (1 << self.parameters.sweep_bits) - 1
        m.d.sync += self.faults.eq(reduce(or_, ports, self.faults))
        with m.If(self.fault_count < highest - len(ports)):
            m.d.sync += self.fault_count.eq(self.fault_count + refused)

    def _connect_monitor(self, m: Module) -> None:
        m.d.sync += [
            self.monitor.strobe.eq(self._sequencer.take),
            self.monitor.is_input.eq(self._sequencer.presents),
            self.monitor.neuron.eq(self._walker.event_address),
            self.monitor.delta.eq(self._walker.event_delta),
            self.monitor.sweep.eq(self._recorder.summary.sweeps),
        ]

    def _connect_upsets(self, m: Module) -> None:
        """The fault port's wires; see `upset_signature`."""
        port, sequencer, datapath = self.upsets, self._sequencer, self._datapath
        queue = self._queue
        address = (queue.slice << self.parameters.update_lane_bits) | queue.lane
        message_xor_mask = port.message_xor_mask.word_select(address, self.parameters.delta_bits)
        m.d.comb += [
            port.sweep.eq(self._recorder.summary.sweeps),
            *(getattr(port, name).eq(getattr(sequencer, name)) for name in _FROM_SEQUENCER),
            *(getattr(sequencer, name).eq(getattr(port, name)) for name in _TO_SEQUENCER),
            sequencer.lost.eq(port.lost.bit_select(address, 1)),
            sequencer.doubled.eq(port.doubled.bit_select(address, 1)),
            datapath.stuck.eq(port.stuck),
            datapath.state_xor_mask.eq(port.state_xor_mask),
        ]
        with m.If(~sequencer.presents):
            m.d.comb += self._walker.event_delta.eq((queue.delta ^ message_xor_mask).as_signed())


_FROM_SEQUENCER = ("waits", "position", "pending_blocks")
_TO_SEQUENCER = ("hold", "set_pending", "force_unsettled", "frozen")
