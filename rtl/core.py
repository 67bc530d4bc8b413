"""The core: ports, and who is wired to whom. docs/rtl.md has the picture."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import Op, pass_layout
from toreq_hw.rtl.datapath import Datapath
from toreq_hw.rtl.event_queue import EventQueue
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.input_port import InputPort
from toreq_hw.rtl.interfaces import (
    Fault,
    command_payload,
    input_payload,
    load_payload,
    monitor_signature,
    source_of,
    states_payload,
    summary_payload,
    upset_signature,
)
from toreq_hw.rtl.load_port import LoadPort
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.sequencer import Sequencer
from toreq_hw.rtl.walker import Walker
from toreq_hw.rtl.weight_store import WeightStore


class Core(wiring.Component):
    """An event-driven relaxation core for one network shape; `images` are its contents.

    faults: sticky bits of `Fault`; fault_count: refused words, stops near its maximum. Both are
    cleared by reset, which also ends whatever runs; weights and biases stay.

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
            | {
                "inputs": In(source_of(input_payload(parameters))),
                "commands": In(source_of(command_payload(parameters))),
                "loads": In(source_of(load_payload(parameters))),
                "states": Out(source_of(states_payload(parameters))),
                "summary": Out(source_of(summary_payload(parameters))),
                "monitor": Out(monitor_signature(parameters)),
                "faults": Out(len(Fault)),
                "fault_count": Out(16),
                "idle": Out(1),
            }
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
        m.submodules.datapath = self._datapath = Datapath(
            parameters, self._images.rest, upsets=self._has_upsets
        )
        wiring.connect(m, wiring.flipped(self.inputs), self._input.words)
        wiring.connect(m, wiring.flipped(self.commands), self._sequencer.commands)
        wiring.connect(m, wiring.flipped(self.states), self._sequencer.states)
        wiring.connect(m, wiring.flipped(self.summary), self._sequencer.summary)
        self._connect_loads(m)
        self._connect_stores(m)
        self._connect_walker(m)
        self._connect_sequencer(m)
        self._connect_faults(m)
        self._connect_monitor(m)
        if self._has_upsets:
            self._connect_upsets(m)
        return m

    def _connect_loads(self, m: Module) -> None:
        m.d.comb += [
            self.loads.ready.eq(self._sequencer.idle),
            self._load.take.eq(self.loads.valid & self.loads.ready),
            self._load.word.eq(self.loads.payload),
            self._sequencer.forget.eq(self._load.take),
            self._sequencer.load_max_sweeps.eq(self._load.max_sweeps),
            self._sequencer.max_sweeps.eq(self.loads.payload.data),
            self._datapath.load.eq(self._load.biases),
            self._datapath.load_group.eq(self.loads.payload.address),
            self._datapath.load_data.eq(self.loads.payload.data),
            self.idle.eq(self._sequencer.idle),
        ]

    def _connect_stores(self, m: Module) -> None:
        """Reads the addressed store; the other one rests at tile 0."""
        chosen = Signal.like(self._walker.beat.store)
        m.d.sync += chosen.eq(self._walker.beat.store)
        for number in range(len(self.parameters.stores)):
            store = WeightStore(self.parameters, number, self._images.banks[number])
            m.submodules[f"store{number}"] = store
            beat = self._walker.beat
            m.d.comb += [
                store.tile.eq(Mux(self._walker.active & (beat.store == number), beat.tile, 0)),
                store.lane.eq(beat.lane),
                store.by_column.eq(beat.by_column),
                store.load.eq(self._load.stores[number]),
                store.load_address.eq(self.loads.payload.address),
                store.load_data.eq(self.loads.payload.data),
            ]
            with m.If(chosen == number):
                for lane in range(self.parameters.lanes):
                    weight = store.weights[lane].as_signed()
                    m.d.comb += self._datapath.weights[lane].eq(weight)

    def _connect_walker(self, m: Module) -> None:
        """Events from the input while an image is presented, from the queue afterwards."""
        event, walker, lane_bits = (
            self._input.events.payload,
            self._walker,
            self.parameters.lane_bits,
        )
        with m.If(self._sequencer.presents):
            m.d.comb += [
                walker.event_group.eq(event.index >> lane_bits),
                walker.event_lane.eq(event.index[:lane_bits]),
                walker.event_delta.eq(event.value),
            ]
        with m.Else():
            m.d.comb += [
                walker.event_group.eq(self._queue.group),
                walker.event_lane.eq(self._queue.lane),
                walker.event_delta.eq(self._queue.delta),
            ]
        m.d.comb += [
            walker.source.eq(self._sequencer.source),
            walker.take.eq(self._sequencer.take),
            self._input.events.ready.eq(self._sequencer.input_pop),
            self._queue.pop.eq(self._sequencer.queue_pop),
        ]

    def _connect_sequencer(self, m: Module) -> None:
        sequencer, walker, datapath = self._sequencer, self._walker, self._datapath
        walk = Signal(pass_layout(self.parameters))
        m.d.comb += [
            walk.op.eq(Op.WALK),
            walk.group.eq(walker.group),
            datapath.issue.eq(walker.active | sequencer.passing),
            datapath.beat.eq(Mux(sequencer.passing, sequencer.beat, walk)),
            datapath.walk.eq(walker.beat),
            datapath.label.eq(sequencer.label),
            datapath.lowers.eq(sequencer.lowers),
            datapath.peek.eq(sequencer.peek),
            datapath.peek_group.eq(sequencer.peek_group),
            self._queue.push.eq(datapath.push),
            self._queue.row.eq(datapath.row),
            sequencer.input_valid.eq(self._input.events.valid),
            sequencer.input_is_event.eq(self._input.events.payload.is_event),
            sequencer.input_last.eq(self._input.events.payload.last),
            sequencer.queue_valid.eq(self._queue.valid),
            sequencer.walker_free.eq(walker.free),
            sequencer.walker_busy.eq(walker.busy),
            sequencer.walker_active.eq(walker.active),
            sequencer.targets.eq(walker.targets),
            sequencer.pushed.eq(datapath.push),
            sequencer.halt.eq(datapath.halt),
            sequencer.halt_group.eq(datapath.halt_group),
            sequencer.halt_lane.eq(datapath.halt_lane),
            sequencer.saturations.eq(datapath.saturations),
            sequencer.peeked.eq(datapath.peeked),
        ]

    def _connect_faults(self, m: Module) -> None:
        """Each port refuses at most one word a cycle; the count is of words."""
        ports = [self._input.faults, self._load.faults, self._sequencer.faults]
        refused = sum((port != 0) for port in ports)
        m.d.sync += self.faults.eq(self.faults | ports[0] | ports[1] | ports[2])
        with m.If(self.fault_count < 0xFFFF - len(ports)):
            m.d.sync += self.fault_count.eq(self.fault_count + refused)

    def _connect_monitor(self, m: Module) -> None:
        presents, walker = self._sequencer.presents, self._walker
        slot = Cat(walker.event_lane, walker.event_group)
        m.d.sync += [
            self.monitor.strobe.eq(self._sequencer.take),
            self.monitor.is_input.eq(presents),
            self.monitor.slot.eq(slot),
            self.monitor.delta.eq(walker.event_delta),
            self.monitor.sweep.eq(self._sequencer.sweep),
        ]

    def _connect_upsets(self, m: Module) -> None:
        """The fault port's wires; see `upset_signature`."""
        port, sequencer, datapath = self.upsets, self._sequencer, self._datapath
        slot = Cat(self._queue.lane, self._queue.group)
        garbled = port.garbled.word_select(slot, self.parameters.delta_bits)
        m.d.comb += [
            port.sweep.eq(sequencer.sweep),
            *(getattr(port, name).eq(getattr(sequencer, name)) for name in _FROM_SEQUENCER),
            *(getattr(sequencer, name).eq(getattr(port, name)) for name in _TO_SEQUENCER),
            sequencer.lost.eq(port.lost.bit_select(slot, 1)),
            sequencer.doubled.eq(port.doubled.bit_select(slot, 1)),
            datapath.stuck.eq(port.stuck),
            datapath.inverted.eq(port.inverted),
        ]
        with m.If(~sequencer.presents):
            m.d.comb += self._walker.event_delta.eq(self._queue.delta ^ garbled.as_signed())


_FROM_SEQUENCER = ("waits", "position", "news")
_TO_SEQUENCER = ("hold", "touch", "keep", "frozen")
