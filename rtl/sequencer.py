"""What happens when: phases, sweeps, blocks.

A *block* is one population's turn in a sweep: an UPDATE pass over its slices, then the walk of
the events it found. Blocks that no event has reached since their last update are skipped.
The states of the machine are the terms of the formula in `rtl/timing.py`, name by name.
"""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import Op, population_bits
from toreq_hw.rtl.datapath import UPDATE_LATENCY
from toreq_hw.rtl.interfaces import Command, Fault, command_payload, label_shape, source_of
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.passes import pass_layout
from toreq_hw.rtl.readout import Look

HALT_PAUSE = UPDATE_LATENCY - 6
"""Cycles from the one after a halt to the first that sees the halting change as an event."""


class Sequencer(wiring.Component):
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
        self._numbers = len(parameters.relaxing)
        self._nudged = 1 << parameters.order.index(parameters.output)
        self._upsets = upsets
        super().__init__(
            (_upset_members(self._numbers) if upsets else {})
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
        parameters = self._parameters
        self._report = Signal()
        self._follows = Signal(Command)  # the nudge that may come next; FREE for none
        self._limit = Signal(parameters.sweep_bits, init=parameters.max_sweeps)
        self._pause_left = Signal(range(UPDATE_LATENCY))
        self._nudges = Signal()  # the pause ends in a NUDGE, not in a WALK
        self._dirty = Signal(self._numbers)  # bit k: the k-th block in order has news
        self._dirty_free = Signal(self._numbers)
        self._position = Signal(range(self._numbers + 1))
        self._changed = Signal()
        self._started = Signal()
        self._ending = Signal()
        self._resumes = Signal()
        self._resume_slice = Signal(parameters.slice_bits)
        self._resume_lane = Signal(parameters.update_lane_bits + 1)

    def _listen(self, m: Module) -> None:
        """What events leave behind, and loads that change how commands run."""
        with m.If(self.take & ~self.presents):
            reached = [self.targets[population] for population in self._parameters.order]
            m.d.sync += self._dirty.eq(self._dirty | Cat(*reached))
        events = self.take & ~self.presents
        m.d.comb += self.event.eq(events & ~self.flushes if self._parameters.lossy else events)
        with m.If(self.moved):
            m.d.sync += self._changed.eq(1)
        if self._upsets:
            m.d.comb += [self.news.eq(self._dirty), self.position.eq(self._position)]
            with m.If(self.touch != 0):
                m.d.sync += self._dirty.eq(self._dirty | self.touch)
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

    def _save(self, m: Module) -> None:
        """Keeps what the free phase came to; the nudge will be news to the output."""
        m.d.sync += [
            self._dirty.eq(self._dirty | self._nudged),
            self._dirty_free.eq(self._dirty),
        ]
        self._start_all(m, "SAVE", Op.SAVE)

    def _go(self, m: Module, state: str) -> None:
        m.next = state

    def _start_all(self, m: Module, state: str, op: object) -> None:
        """A pass over all slices."""
        m.d.comb += [
            self.start_pass.eq(1),
            self.request.first.op.eq(op),
            self.request.following.eq(self._parameters.slices - 1),
        ]
        m.next = state

    def _start_update(
        self,
        m: Module,
        number: int,
        slice_: "Value | int | None" = None,
        first_lane: "Value | int" = 0,
    ) -> None:
        """An UPDATE of population `number`, from `slice_` on (default: its first)."""
        first = self._parameters.first_slice(number)
        start = first if slice_ is None else slice_
        m.d.comb += [
            self.start_pass.eq(1),
            self.request.first.op.eq(Op.UPDATE),
            self.request.first.population.eq(number),
            self.request.first.slice.eq(start),
            self.request.first.first_lane.eq(first_lane),
            self.request.following.eq(first + self._parameters.slices_of(number) - 1 - start),
        ]
        m.next = "UPDATE"

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

    def _halt(self, m: Module) -> None:
        """A self-coupled population changed one neuron: walk it, then go on behind it."""
        if not any(slot.self_coupled for slot in self._parameters.relaxing):
            return
        with m.If(self.halt):
            m.d.sync += [
                self._resumes.eq(1),
                self._resume_slice.eq(self.halt_slice),
                self._resume_lane.eq(self.halt_lane),
                self._pause_left.eq(HALT_PAUSE - 1),
                self._nudges.eq(0),
            ]
            m.next = "PAUSE"

    def _enter_pause(self, m: Module, then: str) -> None:
        m.d.sync += [self._pause_left.eq(UPDATE_LATENCY - 1), self._nudges.eq(then == "NUDGE")]
        m.next = "PAUSE"

    def _pause(self, m: Module) -> None:
        """Waits until the effects of the last pass can be seen."""
        with m.State("PAUSE"):
            m.d.sync += self._pause_left.eq(self._pause_left - 1)
            with m.If(self._pause_left == 0):
                with m.If(self._nudges):
                    m.next = "NUDGE"
                with m.Else():
                    m.next = "WALK"
            self._halt(m)

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

    def _next(self, m: Module) -> None:
        """Chooses the next block that has news, or ends the sweep; not while it is held."""
        ahead = Signal(self._numbers)
        every = Const((1 << self._numbers) - 1)
        news = Mux(self.flushes, every, self._dirty) if self._parameters.lossy else self._dirty
        due = news & (every << self._position)
        m.d.comb += ahead.eq(due & ~self.frozen if self._upsets else due)
        with m.State("NEXT"):
            if not self._upsets:
                self._choose(m, ahead)
                return
            m.d.comb += self.waits.eq(~self._resumes)
            with m.If(~self.hold | self._resumes):
                self._choose(m, ahead)

    def _choose(self, m: Module, ahead: Value) -> None:
        """The rest of a block that was cut, the first of the blocks ahead, or the sweep's end."""
        with m.If(self._resumes):
            m.d.sync += self._resumes.eq(0)
            self._resume(m)
        with m.Elif(ahead != 0):
            for position in reversed(range(self._numbers)):
                with m.If(ahead[position] & (ahead[:position] == 0)):
                    self._start_block(m, position)
        if self._parameters.lossy:
            with m.Elif(self.flushes):
                self._end_flush(m)
        with m.Else():
            self._end_sweep(m)

    def _resume(self, m: Module) -> None:
        """The rest of a self-coupled population, from the neuron after the one that moved."""
        with m.Switch(self.source):
            for number, slot in enumerate(self._parameters.relaxing):
                if slot.self_coupled:
                    with m.Case(number):
                        self._start_update(m, number, self._resume_slice, self._resume_lane)

    def _start_block(self, m: Module, position: int) -> None:
        number = self._parameters.order[position]
        news = self._dirty[position]
        m.d.sync += [
            news.eq(news & self.flushes if self._parameters.lossy else 0),
            self._position.eq(position + 1),
            self.source.eq(number),
        ]
        self._start_update(m, number)

    def _end_flush(self, m: Module) -> None:
        m.d.sync += [self._position.eq(0), self.flushes.eq(0)]
        m.d.comb += self.next_sweep.eq(1)
        self._save(m)

    def _end_sweep(self, m: Module) -> None:
        m.d.sync += [self._position.eq(0), self._changed.eq(0)]
        m.d.comb += self.settled.eq(~(self._changed | self.keep if self._upsets else self._changed))
        with m.If(self.settled | (self.sweeps == self._limit)):
            m.d.comb += self.ends.eq(1)
            m.next = "CLASSIFY"
        with m.Else():
            m.d.comb += self.next_sweep.eq(1)

    def _walk(self, m: Module) -> None:
        """Walks the queue until it is empty and the last beat is issued."""
        with m.State("WALK"), m.If(self.walker_free):
            with m.If(self.queue_valid):
                m.d.comb += [self.queue_pop.eq(1), self.take.eq(1)]
                if self._upsets:
                    self._upset_event(m)
            with m.Else():
                m.next = "NEXT"

    def _upset_event(self, m: Module) -> None:
        """A lost event leaves the queue unwalked; a doubled one stays there for a second walk."""
        again = Signal()
        m.d.comb += [
            self.take.eq(~self.lost),
            self.queue_pop.eq(self.lost | ~self.doubled | again),
        ]
        m.d.sync += again.eq(self.doubled & ~self.lost & ~again)

    def _enter_report(self, m: Module) -> None:
        with m.If(self._report):
            m.next = "REPORT"
        with m.Else():
            m.next = "SUMMARY"


def _upset_members(blocks: int) -> dict[str, object]:
    """The sequencer's part of `upset_signature`, and what befalls the event at hand."""
    return {
        "hold": In(1),
        "waits": Out(1),
        "position": Out(range(blocks + 1)),
        "news": Out(blocks),
        "touch": In(blocks),
        "keep": In(1),
        "frozen": In(blocks),
        "lost": In(1),
        "doubled": In(1),
    }
