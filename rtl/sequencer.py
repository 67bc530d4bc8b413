"""What happens when: phases, sweeps, blocks; which rows a pass visits; the counters.

A *block* is one population's turn in a sweep: an UPDATE pass over its rows, then the walk of
the events it found. Blocks that no event has reached since their last update are skipped.
The states of the machine are the terms of the formula in `rtl/timing.py`, name by name.
"""

from amaranth import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import Op, pass_layout, population_bits
from toreq_hw.rtl.datapath import UPDATE_LATENCY
from toreq_hw.rtl.interfaces import (
    Command,
    Fault,
    command_payload,
    label_shape,
    source_of,
    state_shape,
    states_payload,
    summary_payload,
)
from toreq_hw.rtl.parameters import CoreParameters


class Sequencer(wiring.Component):
    """Takes commands, steers passes and walks, reports.

    Walk side: `input_*` is the head of the input events, `queue_valid` that of the queue; in
    a cycle with `walker_free` high it may raise `take` (the walker loads the event chosen by
    `presents`) and, to consume the head, `input_pop` or `queue_pop`.
    """

    def __init__(self, parameters: CoreParameters, *, upsets: bool = False) -> None:
        self._parameters = parameters
        self._numbers = len(parameters.relaxing)
        self._upsets = upsets
        super().__init__(
            (_upset_members(self._numbers) if upsets else {})
            | {
                "commands": In(source_of(command_payload(parameters))),
                "states": Out(source_of(states_payload(parameters))),
                "summary": Out(source_of(summary_payload(parameters))),
                "idle": Out(1),
                "forget": In(1),
                "faults": Out(len(Fault)),
                "load_max_sweeps": In(1),
                "max_sweeps": In(16),
                "input_valid": In(1),
                "input_is_event": In(1),
                "input_last": In(1),
                "input_pop": Out(1),
                "queue_valid": In(1),
                "queue_pop": Out(1),
                "walker_free": In(1),
                "walker_busy": In(1),
                "walker_active": In(1),
                "presents": Out(1),
                "take": Out(1),
                "source": Out(population_bits(parameters)),
                "targets": In(self._numbers),
                "passing": Out(1),
                "beat": Out(pass_layout(parameters)),
                "label": Out(label_shape(parameters)),
                "lowers": Out(1),
                "pushed": In(1),
                "halt": In(1),
                "halt_group": In(parameters.group_bits),
                "halt_lane": In(parameters.lane_bits + 1),
                "saturations": In(range(parameters.lanes + 1)),
                "peek": Out(1),
                "peek_group": Out(parameters.group_bits),
                "peeked": In(states_payload(parameters)["states"].shape),
                "sweep": Out(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the machine; each state is a method."""
        m = Module()
        self._make_registers()
        self._count(m)
        m.d.comb += [
            self.summary.payload.eq(self._record),
            self.faults.eq(self._refused << Fault.COMMAND | self._wrong_label << Fault.LABEL),
        ]
        with m.FSM(name="phase") as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("IDLE"))
            m.d.comb += self._counts.eq(~fsm.ongoing("IDLE") & ~fsm.ongoing("SUMMARY"))
            self._idle(m)
            self._pass(m, "CLEAR", Op.CLEAR, lambda: self._enter_present(m))
            self._pass(m, "SAVE", Op.SAVE, lambda: self._enter_pause(m, "NUDGE"))
            self._pass(m, "KEEP", Op.KEEP, lambda: self._start_all(m, "RESTORE", Op.RESTORE))
            self._pass(m, "RESTORE", Op.RESTORE, lambda: self._enter_pause(m, "NUDGE"))
            self._pass(m, "NUDGE", Op.NUDGE, lambda: self._go(m, "NEXT"))
            self._pass(m, "UPDATE", Op.UPDATE, lambda: self._enter_pause(m, "WALK"))
            self._pause(m)
            self._present(m)
            self._next(m)
            self._walk(m)
            self._classify(m)
            self._read(m)
            with m.State("SUMMARY"):
                m.d.comb += self.summary.valid.eq(1)
                with m.If(self.summary.ready):
                    m.next = "IDLE"
        return m

    def _make_registers(self) -> None:
        parameters = self._parameters
        self._record = Signal(summary_payload(parameters))
        self._counts = Signal()  # this cycle belongs to a phase
        self._stalls = Signal()  # .. but waits for a stream
        self._refused = Signal()
        self._wrong_label = Signal()
        self._report = Signal()
        self._follows = Signal(Command)  # the nudge that may come next; FREE for none
        self._limit = Signal(16, init=parameters.max_sweeps)
        self._rows_left = Signal(range(max(2, parameters.groups)))
        self._pause_left = Signal(range(UPDATE_LATENCY))
        self._nudges = Signal()  # the pause ends in a NUDGE, not in a WALK
        self._dirty = Signal(self._numbers)  # bit k: the k-th block in order has news
        self._dirty_free = Signal(self._numbers)
        self._position = Signal(range(self._numbers + 1))
        self._changed = Signal()
        self._started = Signal()
        self._ending = Signal()
        self._resumes = Signal()
        self._resume_group = Signal(parameters.group_bits)
        self._resume_lane = Signal(parameters.lane_bits + 1)
        self._index = Signal(range(max(parameters.groups, parameters.classes + 1) + 1))
        self._best = Signal(state_shape(parameters))
        self._fetched = Signal()

    def _count(self, m: Module) -> None:
        """Counters of the running phase, and what events leave behind."""
        record, parameters = self._record, self._parameters
        m.d.comb += self.sweep.eq(record.sweeps)
        m.d.sync += [
            record.cycles.eq(record.cycles + (self._counts & ~self._stalls)),
            record.beats.eq(record.beats + self.walker_active),
            record.saturations.eq(record.saturations + self.saturations),
        ]
        with m.If(self.take):
            with m.If(self.presents):
                m.d.sync += record.input_events.eq(record.input_events + 1)
            with m.Else():
                m.d.sync += record.events.eq(record.events + 1)
                reached = [self.targets[population] for population in parameters.order]
                m.d.sync += self._dirty.eq(self._dirty | Cat(*reached))
        with m.If(self.pushed):
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
        order, word = self._commands_by_follow(m), self.commands.payload
        with m.State("IDLE"):
            m.d.comb += self.commands.ready.eq(~self.forget)
            with m.If(self.commands.valid & self.commands.ready):
                with m.If(~order):
                    m.d.comb += self._refused.eq(1)
                with m.Elif(
                    (word.command != Command.FREE) & (word.label >= self._parameters.classes)
                ):
                    m.d.comb += self._wrong_label.eq(1)
                with m.Else():
                    m.d.sync += [
                        self._record.eq(0),
                        self._record.phase.eq(word.command),
                        self._record.sweeps.eq(1),
                        self._report.eq(word.report),
                        self.label.eq(word.label),
                        self.lowers.eq(word.command == Command.LOWER),
                        self._position.eq(0),
                        self._changed.eq(0),
                        self._nudges.eq(1),
                    ]
                    self._begin(m, word.command)

    def _commands_by_follow(self, m: Module) -> Value:
        """Whether the command at hand may follow the one before."""
        command = self.commands.payload.command
        fits = Signal(name="command_fits")
        m.d.comb += fits.eq(
            (command == Command.FREE)
            | ((command == self._follows) & (self._follows != Command.FREE))
        )
        return fits

    def _begin(self, m: Module, command: Value) -> None:
        output = 1 << self._parameters.order.index(self._parameters.output)
        with m.Switch(command):
            with m.Case(Command.FREE):
                m.d.sync += [self._dirty.eq(~0), self._follows.eq(Command.RAISE)]
                self._start_all(m, "CLEAR", Op.CLEAR)
            with m.Case(Command.RAISE):
                m.d.sync += [
                    self._dirty.eq(self._dirty | output),
                    self._dirty_free.eq(self._dirty),
                    self._follows.eq(Command.LOWER),
                ]
                self._start_all(m, "SAVE", Op.SAVE)
            with m.Case(Command.LOWER):
                m.d.sync += [
                    self._dirty.eq(self._dirty_free | output),
                    self._follows.eq(Command.FREE),
                ]
                self._start_all(m, "KEEP", Op.KEEP)

    def _go(self, m: Module, state: str) -> None:
        m.next = state

    def _start_all(self, m: Module, state: str, op: object) -> None:
        self._start(m, state, op, 0, 0, self._parameters.groups - 1, 0)

    def _start(
        self,
        m: Module,
        state: str,
        op: object,
        population: "Value | int",
        group: "Value | int",
        rows_after: "Value | int",
        first_lane: "Value | int",
    ) -> None:
        """The first beat of a pass is issued in the next cycle."""
        m.d.sync += [
            self.beat.op.eq(op),
            self.beat.population.eq(population),
            self.beat.group.eq(group),
            self.beat.first_lane.eq(first_lane),
            self._rows_left.eq(rows_after),
        ]
        m.next = state

    def _pass(self, m: Module, state: str, op: object, finish: "object") -> None:
        """Issues one row a cycle; `finish` says where to go after the last one."""
        assert callable(finish)
        with m.State(state):
            m.d.comb += self.passing.eq(1)
            m.d.sync += [
                self.beat.group.eq(self.beat.group + 1),
                self.beat.first_lane.eq(0),
                self._rows_left.eq(self._rows_left - 1),
            ]
            with m.If(self._rows_left == 0):
                finish()
            if op is Op.UPDATE:
                self._halt(m)

    def _halt(self, m: Module) -> None:
        """A self-coupled population changed one neuron: walk it, then go on behind it."""
        if not any(slot.self_coupled for slot in self._parameters.relaxing):
            return
        with m.If(self.halt):
            m.d.sync += [
                self._resumes.eq(1),
                self._resume_group.eq(self.halt_group),
                self._resume_lane.eq(self.halt_lane),
                self._pause_left.eq(0),
            ]
            m.next = "PAUSE"

    def _enter_pause(self, m: Module, then: str) -> None:
        m.d.sync += [self._pause_left.eq(UPDATE_LATENCY - 1), self._nudges.eq(then == "NUDGE")]
        m.next = "PAUSE"

    def _pause(self, m: Module) -> None:
        """Waits until the effects of the last pass can be seen."""
        slot = self._parameters.relaxing[self._parameters.output]
        with m.State("PAUSE"):
            m.d.sync += self._pause_left.eq(self._pause_left - 1)
            with m.If(self._pause_left == 0):
                with m.If(self._nudges):
                    self._start(m, "NUDGE", Op.NUDGE, 0, slot.first_group, slot.groups - 1, 0)
                    m.d.sync += self._nudges.eq(0)
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
            m.d.comb += self._stalls.eq(waits)

    def _next(self, m: Module) -> None:
        """Chooses the next block that has news, or ends the sweep; not while it is held."""
        ahead = Signal(self._numbers)
        due = self._dirty & (Const((1 << self._numbers) - 1) << self._position)
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
        with m.Else():
            self._end_sweep(m)

    def _resume(self, m: Module) -> None:
        """The rest of a self-coupled population, from the neuron after the one that moved."""
        with m.Switch(self.source):
            for number, slot in enumerate(self._parameters.relaxing):
                if slot.self_coupled:
                    with m.Case(number):
                        last = slot.first_group + slot.groups - 1
                        self._start(
                            m,
                            "UPDATE",
                            Op.UPDATE,
                            number,
                            self._resume_group,
                            last - self._resume_group,
                            self._resume_lane,
                        )

    def _start_block(self, m: Module, position: int) -> None:
        number = self._parameters.order[position]
        slot = self._parameters.relaxing[number]
        m.d.sync += [
            self._dirty[position].eq(0),
            self._position.eq(position + 1),
            self.source.eq(number),
        ]
        self._start(m, "UPDATE", Op.UPDATE, number, slot.first_group, slot.groups - 1, 0)

    def _end_sweep(self, m: Module) -> None:
        record = self._record
        m.d.sync += [
            self._position.eq(0),
            self._changed.eq(0),
            record.ticks.eq(record.ticks + self._parameters.sweep_ticks),
        ]
        changed = self._changed | self.keep if self._upsets else self._changed
        with m.If(~changed | (record.sweeps == self._limit)):
            m.d.sync += [record.settled.eq(~changed), self._index.eq(0)]
            m.next = "CLASSIFY"
        with m.Else():
            m.d.sync += record.sweeps.eq(record.sweeps + 1)

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

    def _classify(self, m: Module) -> None:
        """One output neuron a cycle; a later one wins only if it is larger."""
        parameters = self._parameters
        output = parameters.relaxing[parameters.output]
        previous = Signal(range(parameters.classes + 1))
        state = Signal(state_shape(parameters))
        lanes = Array(self.peeked[lane] for lane in range(parameters.lanes))
        m.d.comb += [
            previous.eq(self._index - 1),
            state.eq(lanes[previous[: parameters.lane_bits]]),
        ]
        with m.State("CLASSIFY"):
            m.d.comb += [
                self.peek.eq(1),
                self.peek_group.eq(output.first_group + (self._index >> parameters.lane_bits)),
            ]
            m.d.sync += self._index.eq(self._index + 1)
            with m.If((self._index == 1) | ((self._index != 0) & (state > self._best))):
                m.d.sync += [self._best.eq(state), self._record.label.eq(previous)]
            with m.If(self._index == parameters.classes):
                m.d.sync += [self._index.eq(0), self._fetched.eq(0)]
                with m.If(self._report):
                    m.next = "READ"
                with m.Else():
                    m.next = "SUMMARY"

    def _read(self, m: Module) -> None:
        """Streams every row of states; a row stands at the port until it is taken."""
        last = Signal()
        m.d.comb += last.eq(self._index == self._parameters.groups - 1)
        m.d.comb += [
            self.states.payload.phase.eq(self._record.phase),
            self.states.payload.group.eq(self._index),
            self.states.payload.last.eq(last),
            self.states.payload.states.eq(self.peeked),
        ]
        with m.State("READ"):
            m.d.comb += [
                self.peek.eq(1),
                self.states.valid.eq(self._fetched),
                self.peek_group.eq(
                    Mux(self.states.ready & self._fetched & ~last, self._index + 1, self._index)
                ),
                self._stalls.eq(self._fetched & ~self.states.ready),
            ]
            m.d.sync += self._fetched.eq(1)
            with m.If(self._fetched & self.states.ready):
                m.d.sync += self._index.eq(self._index + 1)
                with m.If(last):
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
