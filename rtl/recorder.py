"""What a phase came to: the counters of its summary."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.interfaces import label_shape, summary_payload
from toreq_hw.rtl.multiple import times
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command, Step


class Recorder(wiring.Component):
    """Counts while a phase runs. `start` clears, and begins the first sweep; in a lossy core a
    NUDGE_POSITIVE begins with sweep 0. LEARN has no sweep.

    cycle, beat, event, input_event: one of these happened. next_sweep: a sweep ended and another
    one begins. end: the last sweep ended, with or without a change. `ticks` is not counted but
    a multiple of `sweeps`.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "start": In(1),
                "command": In(parameters.command_bits),
                "cycle": In(1),
                "beat": In(1),
                "event": In(1),
                "input_event": In(1),
                "saturations": In(range(parameters.update_lanes + 1)),
                "next_sweep": In(1),
                "end": In(1),
                "settled": In(1),
                "label": In(label_shape(parameters)),
                "summary": Out(summary_payload(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the counters."""
        m = Module()
        summary = self.summary
        phase, settled = Signal(self._parameters.command_bits), Signal()
        sweeps = Signal(self._parameters.sweep_bits)
        m.d.comb += [
            summary.phase.eq(phase),
            summary.settled.eq(settled),
            summary.label.eq(self.label),
            summary.sweeps.eq(sweeps),
            summary.ticks.eq(times(sweeps, self._parameters.sweep_ticks)),
        ]
        flushing = [p.command for p in self._parameters.phases if Step.FLUSH in p.steps]
        first = (self.command != flushing[0]) if flushing else 1
        if self._parameters.learning:
            first = self.command != Command.LEARN
        with m.If(self.start):
            m.d.sync += [phase.eq(self.command), sweeps.eq(first)]
        with m.Elif(self.next_sweep):
            m.d.sync += sweeps.eq(sweeps + 1)
        with m.If(self.end):
            m.d.sync += settled.eq(self.settled)
        for name, amount in (
            ("cycles", self.cycle),
            ("beats", self.beat),
            ("events", self.event),
            ("input_events", self.input_event),
            ("saturations", self.saturations),
        ):
            counter = Signal.like(summary[name], name=name)
            m.d.comb += summary[name].eq(counter)
            with m.If(self.start):
                m.d.sync += counter.eq(0)
            with m.Else():
                m.d.sync += counter.eq(counter + amount)
        return m
