"""What happens when: the phases that commands ask for, from the first pass to the summary.

The states of the machine are the terms of the formula in `rtl/timing.py`, name by name; those of a
sweep stand in `rtl/sweeps.py`.
"""

from amaranth import Module, Signal, Value
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import Op, population_bits
from toreq_hw.rtl.interfaces import Command, Fault, command_payload, label_shape, source_of
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.passes import pass_layout
from toreq_hw.rtl.readout import Look
from toreq_hw.rtl.sweeps import Sweeps, upset_members


class Sequencer(Sweeps):
    """Takes commands and steers everything else: passes, walks, what is read and recorded.

    A command waits while `loading`; `forget`: a load makes the next command be FREE.

    Walk side: `input_*` is the head of the input events, `queue_valid` that of the queue; in
    a cycle with `walker_free` high it may raise `take` (the walker loads the event chosen by
    `presents`) and, to consume the head, `input_pop` or `queue_pop`. event: it is one of a sweep.

    A lossy core begins RAISE with a sweep 0, `flushes`: every block sends what it withheld in the
    free phase, so that what SAVE keeps is the sum over the states themselves.
    """

    def __init__(self, parameters: CoreParameters, *, upsets: bool = False) -> None:
        self._parameters = parameters
        self._upsets = upsets
        super().__init__(
            (upset_members(self._numbers) if upsets else {})
            | ({"flushes": Out(1)} if parameters.lossy else {})
            | {
                "commands": In(source_of(command_payload(parameters))),
                "idle": Out(1),
                "loading": In(1),
                "forget": In(1),
                "faults": Out(len(Fault)),
                "load_max_sweeps": In(1),
                "max_sweeps": In(parameters.sweep_bits),
                "input_valid": In(1),
                "input_is_event": In(1),
                "input_last": In(1),
                "input_pop": Out(1),
                "queue_valid": In(1),
                "queue_pop": Out(1),
                "walker_free": In(1),
                "walker_busy": In(1),
                "presents": Out(1),
                "take": Out(1),
                "event": Out(1),
                "source": Out(population_bits(parameters)),
                "targets": In(self._numbers),
                "start_pass": Out(1),
                "request": Out(pass_layout(parameters)),
                "pass_ends": In(1),
                "moved": In(1),
                "halt": In(1),
                "halt_slice": In(parameters.slice_bits),
                "halt_lane": In(parameters.update_lane_bits + 1),
                "look": Out(Look),
                "looked": In(1),
                "label": Out(label_shape(parameters)),
                "lowers": Out(1),
                "sweeps": In(parameters.sweep_bits),
                "starts": Out(1),
                "runs": Out(1),
                "stalls": Out(1),
                "next_sweep": Out(1),
                "ends": Out(1),
                "settled": Out(1),
                "summary_valid": Out(1),
                "summary_ready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the machine; each state is a method, or a line where it only waits."""
        m = Module()
        self._make_registers()
        self._listen_to_events(m)
        self._listen(m)
        with m.FSM(name="phase") as fsm:
            self._encoding = fsm.encoding
            m.d.comb += [
                self.idle.eq(fsm.ongoing("IDLE")),
                self.runs.eq(~fsm.ongoing("IDLE") & ~fsm.ongoing("SUMMARY")),
            ]
            self._idle(m)
            self._pass(m, "CLEAR", lambda: self._enter_present(m))
            self._pass(m, "SAVE", lambda: self._enter_pause(m, "NUDGE"))
            self._pass(m, "KEEP", lambda: self._start_all(m, "RESTORE", Op.RESTORE))
            self._pass(m, "RESTORE", lambda: self._enter_pause(m, "NUDGE"))
            self._pass(m, "UPDATE", lambda: self._enter_pause(m, "WALK"))
            self._pause(m)
            self._look(m, "NUDGE", Look.NUDGE, lambda: self._go(m, "NEXT"))
            self._present(m)
            self._next(m)
            self._walk(m)
            self._look(m, "CLASSIFY", Look.CLASSIFY, lambda: self._enter_report(m))
            self._look(m, "REPORT", Look.REPORT, lambda: self._go(m, "SUMMARY"))
            with m.State("SUMMARY"):
                m.d.comb += self.summary_valid.eq(1)
                with m.If(self.summary_ready):
                    m.next = "IDLE"
        return m

    def state_names(self) -> dict[int, str]:
        """The states of the machine by their number in `phase_state`, for those who watch it."""
        self.elaborate(None)
        return {number: name for name, number in self._encoding.items()}

    def _make_registers(self) -> None:
        self._make_sweep_registers()
        self._report = Signal()
        self._follows = Signal(Command)  # the nudge that may come next; FREE for none
        self._started = Signal()
        self._ending = Signal()

    def _listen(self, m: Module) -> None:
        """Loads that change how commands run."""
        with m.If(self.load_max_sweeps):
            m.d.sync += self._limit.eq(self.max_sweeps)
        with m.If(self.forget):
            m.d.sync += self._follows.eq(Command.FREE)

    def _idle(self, m: Module) -> None:
        """Waits for a command that fits; starts its first pass."""
        word = self.commands.payload
        fits, labelled = Signal(), Signal()
        refused, unlabelled = Signal(), Signal()
        m.d.comb += [
            self.faults.eq(refused << Fault.COMMAND | unlabelled << Fault.LABEL),
            fits.eq(
                (word.command == Command.FREE)
                | ((word.command == self._follows) & (self._follows != Command.FREE))
            ),
            labelled.eq((word.command == Command.FREE) | (word.label < self._parameters.classes)),
        ]
        with m.State("IDLE"):
            m.d.comb += self.commands.ready.eq(~self.loading)
            with m.If(self.commands.valid & self.commands.ready):
                m.d.comb += [
                    refused.eq(~fits),
                    unlabelled.eq(fits & ~labelled),
                    self.starts.eq(fits & labelled),
                ]
            with m.If(self.starts):
                m.d.sync += [
                    self._report.eq(word.report),
                    self.label.eq(word.label),
                    self.lowers.eq(word.command == Command.LOWER),
                    self._position.eq(0),
                    self._changed.eq(0),
                ]
                self._begin(m, word.command)

    def _begin(self, m: Module, command: Value) -> None:
        with m.Switch(command):
            with m.Case(Command.FREE):
                m.d.sync += [self._dirty.eq(~0), self._follows.eq(Command.RAISE)]
                self._start_all(m, "CLEAR", Op.CLEAR)
            with m.Case(Command.RAISE):
                m.d.sync += self._follows.eq(Command.LOWER)
                if self._parameters.lossy:
                    m.d.sync += self.flushes.eq(1)
                    m.next = "NEXT"
                else:
                    self._save(m)
            with m.Case(Command.LOWER):
                m.d.sync += [
                    self._dirty.eq(self._dirty_free | self._nudged),
                    self._follows.eq(Command.FREE),
                ]
                self._start_all(m, "KEEP", Op.KEEP)

    def _go(self, m: Module, state: str) -> None:
        m.next = state

    def _pass(self, m: Module, state: str, finish: "object") -> None:
        """Waits for the last beat of a pass; `finish` says where to go after it."""
        assert callable(finish)
        with m.State(state):
            with m.If(self.pass_ends):
                finish()
            if state == "UPDATE":
                self._halt(m)

    def _look(self, m: Module, state: str, look: object, finish: "object") -> None:
        """Waits until all states asked for are read."""
        assert callable(finish)
        with m.State(state):
            m.d.comb += self.look.eq(look)
            with m.If(self.looked):
                finish()

    def _enter_present(self, m: Module) -> None:
        m.d.sync += [
            self.source.eq(self._numbers),
            self._started.eq(0),
            self._ending.eq(0),
        ]
        m.next = "PRESENT"

    def _present(self, m: Module) -> None:
        """Walks input events until the image ends; waiting for the stream is no cycle."""
        with m.State("PRESENT"):
            m.d.comb += self.presents.eq(1)
            with m.If(self.walker_free):
                with m.If(self._ending):
                    m.next = "NEXT"
                with m.Elif(self.input_valid):
                    m.d.comb += [self.input_pop.eq(1), self.take.eq(self.input_is_event)]
                    m.d.sync += [self._ending.eq(self.input_last), self._started.eq(1)]
                    with m.If(~self.input_is_event):
                        m.next = "NEXT"
            waits = ~self.walker_busy & (self._started | ~self.input_valid)
            m.d.comb += self.stalls.eq(waits)

    def _enter_report(self, m: Module) -> None:
        with m.If(self._report):
            m.next = "REPORT"
        with m.Else():
            m.next = "SUMMARY"
