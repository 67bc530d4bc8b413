"""What happens when: the phases that commands ask for, from the first pass to the summary.

The states of the machine are the steps of rtl/phases.py, name by name; those of a sweep stand in
rtl/sweeps.py.
"""

from collections.abc import Callable
from functools import reduce
from operator import or_

from amaranth import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.beat import population_bits
from toreq_hw.rtl.below import below
from toreq_hw.rtl.fault_port import BlockFaults
from toreq_hw.rtl.interfaces import Fault, command_payload, label_shape, source_of
from toreq_hw.rtl.operations import Op
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.passes import pass_layout
from toreq_hw.rtl.phases import PASSES, Command, Pending, Step, successors
from toreq_hw.rtl.readout import ReadoutOp
from toreq_hw.rtl.sweeps import Sweeps


class Sequencer(wiring.Component):
    """Takes commands and steers everything else: passes, walks, what is read and recorded.

    A command waits while `loading`; `forget`: a load makes the next command be FREE.

    Walk side: `input_*` is the head of the input events, `queue_valid` that of the queue; in a
    cycle with `walker_free` high it may raise `take`: the walker loads the event chosen by
    `presents`. To consume the head it raises `input_pop` or `queue_pop`. event: it is one of a
    sweep.

    A lossy core begins NUDGE_POSITIVE with a sweep 0, `flushes`: every block sends its unsent
    deltas of the free phase, so that what SAVE keeps is the sum over the states themselves.
    """

    def __init__(self, parameters: CoreParameters, *, upsets: bool = False) -> None:
        self._parameters = parameters
        self._upsets = upsets
        super().__init__(
            (BlockFaults.members(parameters) if upsets else {})
            | ({"flushes": Out(1)} if parameters.lossy else {})
            | _command_ports(parameters)
            | _walk_ports(parameters)
            | _pass_ports(parameters)
            | _result_ports(parameters)
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the machine; each state is a method, or a line where it only waits."""
        m = Module()
        faults = BlockFaults(self) if self._upsets else None
        self._sweeps = sweeps = Sweeps(self._parameters, self, faults)
        self._following = successors(self._parameters.phases)
        self._make_registers()
        sweeps.listen(m)
        self._listen(m)
        with m.FSM(name="phase") as fsm:
            self._encoding = fsm.encoding
            m.d.comb += [
                self.idle.eq(fsm.ongoing("IDLE")),
                self.runs.eq(~fsm.ongoing("IDLE") & ~fsm.ongoing("SUMMARY")),
            ]
            self._idle(m)
            for step in PASSES:
                self._pass(m, step)
            self._update(m)
            sweeps.add_pause(m)
            self._read_states(m, "NUDGE", ReadoutOp.NUDGE, lambda: self._enter_after(m, Step.NUDGE))
            self._present(m)
            sweeps.add_next(m, lambda: self._enter_after(m, Step.FLUSH))
            sweeps.add_walk(m)
            if self._parameters.learning:
                with m.State("LEARN"):
                    m.d.comb += self.learns.eq(1)
                    with m.If(self.learned):
                        m.next = "SUMMARY"
            self._read_states(m, "CLASSIFY", ReadoutOp.CLASSIFY, lambda: self._enter_report(m))
            self._read_states(m, "REPORT", ReadoutOp.REPORT, lambda: self._go(m, "SUMMARY"))
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
        # The command that may come next beside FREE; FREE for none.
        self._follows = Signal(self._parameters.command_bits)
        self._report = Signal()
        self._started, self._ending = Signal(name="_started"), Signal(name="_ending")

    def _listen(self, m: Module) -> None:
        """Loads that change how commands run."""
        with m.If(self.load_max_sweeps):
            m.d.sync += self._sweeps.limit.eq(self.max_sweeps)
        with m.If(self.forget):
            m.d.sync += self._follows.eq(Command.FREE)

    def _idle(self, m: Module) -> None:
        """Waits for a command that fits; starts its first step."""
        word, phases = self.commands.payload, self._parameters.phases
        fits, labelled = Signal(), Signal()
        refused, unlabelled = Signal(), Signal()
        free = [word.command == phase.command for phase in phases if phase.after is None]
        bare = [word.command == phase.command for phase in phases if not phase.sign]
        m.d.comb += [
            self.faults.eq(refused << Fault.COMMAND | unlabelled << Fault.LABEL),
            fits.eq(
                reduce(or_, free)
                | ((word.command == self._follows) & (self._follows != Command.FREE))
            ),
            labelled.eq(reduce(or_, bare) | below(word.label, self._parameters.classes)),
        ]
        negative = [word.command == phase.command for phase in phases if phase.sign < 0]
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
                    self.negative.eq(reduce(or_, negative)),
                    self._sweeps.next_block.eq(0),
                    self._sweeps.changed.eq(0),
                ]
                self._begin(m, word.command)

    def _begin(self, m: Module, command: Value) -> None:
        """Which blocks are due, what may come next, and the first step."""
        sweeps, phases = self._sweeps, self._parameters.phases
        with m.Switch(command):
            for phase in phases:
                behind = [other.command for other in phases if other.after == phase.command]
                with m.Case(phase.command):
                    if phase.pending is Pending.ALL:
                        m.d.sync += sweeps.pending_blocks.eq(~0)
                    elif phase.pending is Pending.SAVED:
                        m.d.sync += sweeps.pending_blocks.eq(sweeps.pending_saved | sweeps.nudged)
                    m.d.sync += self._follows.eq(behind[0] if behind else Command.FREE)
                    self._enter(m, phase.steps[0])

    def _enter_after(self, m: Module, step: Step) -> None:
        """Goes on behind a step."""
        following = self._following.get(step)
        if following is None:
            m.next = "NEXT"
        else:
            self._enter(m, following)

    def _enter(self, m: Module, step: Step) -> None:
        """Begins a step."""
        if step is Step.SAVE:
            self._sweeps.save(m)
        if step in PASSES:
            m.d.comb += [
                self.start_pass.eq(1),
                self.request.first.op.eq(Op[step.name]),
                self.request.following.eq(self._parameters.slices - 1),
            ]
            m.next = step.name
        elif step is Step.PRESENT:
            self._enter_present(m)
        elif step is Step.FLUSH:
            m.d.sync += self.flushes.eq(1)
            m.next = "NEXT"
        elif step is Step.PAUSE:
            following = self._following[step]
            assert following is Step.NUDGE, "a pause of rtl/sweeps.py ends in a NUDGE or a WALK"
            self._sweeps.enter_pause(m, following.name)
        else:
            m.next = step.name

    def _go(self, m: Module, state: str) -> None:
        m.next = state

    def _pass(self, m: Module, step: Step) -> None:
        """Waits for the last beat of a pass over all slices."""
        with m.State(step.name), m.If(self.pass_ends):
            self._enter_after(m, step)

    def _update(self, m: Module) -> None:
        """Waits for the last beat of the pass of a block, or for the change that halts it."""
        with m.State("UPDATE"):
            with m.If(self.pass_ends):
                self._sweeps.enter_pause(m, "WALK")
            self._sweeps.halt(m)

    def _read_states(self, m: Module, state: str, op: object, finish: Callable[[], None]) -> None:
        """Waits until all states asked for are read."""
        with m.State(state):
            m.d.comb += self.readout_op.eq(op)
            with m.If(self.readout_done):
                finish()

    def _enter_present(self, m: Module) -> None:
        m.d.sync += [
            self.source.eq(len(self._parameters.relaxing)),
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
                    self._enter_after(m, Step.PRESENT)
                with m.Elif(self.input_valid):
                    m.d.comb += [self.input_pop.eq(1), self.take.eq(self.input_is_event)]
                    m.d.sync += [self._ending.eq(self.input_last), self._started.eq(1)]
                    with m.If(~self.input_is_event):
                        self._enter_after(m, Step.PRESENT)
            waits = ~self.walker_busy & (self._started | ~self.input_valid)
            m.d.comb += self.stalls.eq(waits)

    def _enter_report(self, m: Module) -> None:
        with m.If(self._report):
            m.next = "REPORT"
        with m.Else():
            m.next = "SUMMARY"


def _command_ports(parameters: CoreParameters) -> dict[str, object]:
    """Commands, and loads that change how they run."""
    return {
        "commands": In(source_of(command_payload(parameters))),
        "idle": Out(1),
        "loading": In(1),
        "forget": In(1),
        "faults": Out(len(Fault)),
        "load_max_sweeps": In(1),
        "max_sweeps": In(parameters.sweep_bits),
    }


def _walk_ports(parameters: CoreParameters) -> dict[str, object]:
    """Events, and the walker that takes them."""
    return {
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
        "targets": In(len(parameters.relaxing)),
    }


def _pass_ports(parameters: CoreParameters) -> dict[str, object]:
    """Passes, and what they find."""
    return {
        "start_pass": Out(1),
        "request": Out(pass_layout(parameters)),
        "pass_ends": In(1),
        "moved": In(1),
        "halt": In(1),
        "halt_slice": In(parameters.slice_bits),
        "halt_lane": In(parameters.update_lane_bits + 1),
    }


def _result_ports(parameters: CoreParameters) -> dict[str, object]:
    """The readout, the recorder and the summary; whether LEARN runs, and ends with this cycle."""
    return ({"learns": Out(1), "learned": In(1)} if parameters.learning else {}) | {
        "readout_op": Out(ReadoutOp),
        "readout_done": In(1),
        "label": Out(label_shape(parameters)),
        "negative": Out(1),
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
