"""Everything that looks at states between walks: the class, the nudge, the report."""

from amaranth import Array, Module, Mux, Signal
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import single_layout
from toreq_hw.rtl.interfaces import label_shape, source_of, state_shape, states_payload
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.rounding import error_of, nudge


class ReadoutOp(enum.Enum, shape=2):  # type: ignore[call-arg]  # Amaranth takes the width here
    """What to do with the states that are read."""

    NOTHING = 0
    CLASSIFY = 1
    NUDGE = 2
    REPORT = 3


READOUT_LATENCY = 3
"""Cycles that CLASSIFY and NUDGE take beside one for each output neuron."""


class Readout(wiring.Component):
    """Reads a slice of states a cycle while `readout_op` asks for something; `done` in its last
    cycle.

    state_d1: the slice read a cycle ago; state_d2: the one read two cycles ago.

    CLASSIFY and NUDGE take one output neuron a cycle and `READOUT_LATENCY` more. CLASSIFY leaves
    the class in `best`; a later neuron wins only if it is larger. NUDGE issues a beat for each:
    `drives`, with `drive`. REPORT streams every slice; a word stands at the port until taken,
    and `stalls` says that it waits.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        self._states = data.ArrayLayout(state_shape(parameters), parameters.update_lanes)
        super().__init__(
            {
                "readout_op": In(ReadoutOp),
                "done": Out(1),
                "stalls": Out(1),
                "read_request": Out(1),
                "read_slice": Out(parameters.slice_bits),
                "state_d1": In(self._states),
                "state_d2": In(self._states),
                "label": In(label_shape(parameters)),
                "negative": In(1),
                "best": Out(label_shape(parameters)),
                "drives": Out(1),
                "drive": Out(single_layout(parameters)),
                "phase": In(parameters.command_bits),
                "states": Out(source_of(states_payload(parameters))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds one counter for all three."""
        m = Module()
        parameters = self._parameters
        steps = parameters.classes + READOUT_LATENCY
        index = Signal(range(max(parameters.slices, steps - 1) + 1))
        coming = Signal(range(steps))  # the neuron whose slice is state_d1
        here = Signal.like(coming)  # the one whose slice is in state_d2
        neuron = Signal.like(coming)  # the one whose state is here
        state = Signal(state_shape(parameters))
        lanes = Array(self.state_d2[lane] for lane in range(parameters.update_lanes))
        first = parameters.first_slice(parameters.output)
        m.d.comb += [
            self.read_request.eq(self.readout_op != ReadoutOp.NOTHING),
            self.read_slice.eq(first + (index >> parameters.update_lane_bits)),
        ]
        m.d.sync += [
            coming.eq(index),
            here.eq(coming),
            state.eq(lanes[here[: parameters.update_lane_bits]]),
            neuron.eq(here),
        ]
        with m.If(self.done | (self.readout_op == ReadoutOp.NOTHING)):
            m.d.sync += index.eq(0)
        with m.Elif(~self.stalls):
            m.d.sync += index.eq(index + 1)
        with m.Switch(self.readout_op):
            with m.Case(ReadoutOp.CLASSIFY):
                m.d.comb += self.done.eq(index == steps - 1)
                self._classify(m, index, neuron, state)
            with m.Case(ReadoutOp.NUDGE):
                m.d.comb += self.done.eq(index == steps - 1)
                m.d.comb += self.drives.eq(index >= READOUT_LATENCY)
            with m.Case(ReadoutOp.REPORT):
                self._report(m, index)
        self._nudge(m, neuron, state)
        return m

    def _classify(self, m: Module, index: Signal, neuron: Signal, state: Signal) -> None:
        largest = Signal(state_shape(self._parameters))
        begins = index == READOUT_LATENCY
        with m.If(begins | ((index > READOUT_LATENCY) & (state > largest))):
            m.d.sync += [largest.eq(state), self.best.eq(neuron)]

    def _nudge(self, m: Module, neuron: Signal, state: Signal) -> None:
        parameters = self._parameters
        placement = parameters.relaxing[parameters.output]
        drive = Signal(self.drive.value.shape())
        m.d.comb += [
            drive.eq(
                nudge(
                    error_of(state, neuron == self.label, placement),
                    placement,
                    parameters.beta_shift,
                )
            ),
            self.drive.neuron.eq(placement.first_group * parameters.lanes + neuron),
            self.drive.value.eq(Mux(self.negative, -drive, drive)),
        ]

    def _report(self, m: Module, index: Signal) -> None:
        """`index` is the slice being read; the one before it stands at the port."""
        parameters = self._parameters
        shown = Signal(range(parameters.slices))
        last = Signal()
        m.d.comb += [
            shown.eq(index - 1),
            last.eq(index == parameters.slices),
            self.states.valid.eq(index != 0),
            self.stalls.eq(self.states.valid & ~self.states.ready),
            self.done.eq(last & ~self.stalls),
            self.read_slice.eq(Mux(self.stalls | last, shown, index)),
            self.states.payload.phase.eq(self.phase),
            self.states.payload.slice.eq(shown),
            self.states.payload.last.eq(last),
            self.states.payload.states.eq(self.state_d1),
        ]
