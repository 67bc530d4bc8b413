"""Carries out requests, one at a time: words to the core, replies to the host."""

from amaranth import Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.dispatch import add_dispatch
from toreq_hw.boards.link.frames import Deframer, Framer
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.loading import add_check
from toreq_hw.boards.link.payload import add_payload
from toreq_hw.boards.link.protocol import NUDGE_BITS, Request
from toreq_hw.boards.link.read_back import add_read_back
from toreq_hw.boards.link.replies import add_replies, measure_reply
from toreq_hw.boards.link.running import add_commands
from toreq_hw.boards.link.training import add_training
from toreq_hw.rtl.interfaces import (
    Fault,
    command_payload,
    input_payload,
    load_payload,
    readback_payload,
    readings_payload,
    source_of,
    states_payload,
    summary_payload,
)
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command


def core_signature(parameters: CoreParameters) -> wiring.Signature:
    """The ports of a core, seen from the link; `reset` is the core's own."""
    learning = {}
    if parameters.learning is not None:
        learning = {
            "reads": Out(source_of(readback_payload(parameters))),
            "readings": In(source_of(readings_payload(parameters))),
        }
    return wiring.Signature(
        {
            **learning,
            "inputs": Out(source_of(input_payload(parameters))),
            "commands": Out(source_of(command_payload(parameters))),
            "loads": Out(source_of(load_payload(parameters))),
            "states": In(source_of(states_payload(parameters))),
            "summary": In(source_of(summary_payload(parameters))),
            "faults": In(len(Fault)),
            "idle": In(1),
            "reset": Out(1),
        }
    )


class CommandUnit(wiring.Component):
    """Between a deframer, a framer and a core.

    core.reset: a register, high for one cycle, ends what runs and clears the core's faults.
    loaded: a network whose check held is in the core.
    """

    def __init__(
        self, parameters: CoreParameters, identity: Identity, deframer: Deframer, framer: Framer
    ) -> None:
        self._parameters = parameters
        self._constants = len(identity.encode())
        self._frame = deframer
        self._framer = framer
        super().__init__(
            {
                "core": Out(core_signature(parameters)),
                "loaded": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One machine: the states that take a request apart, then those that reply.

        An IDENTIFY or RESET that comes while it works on something ends that, from any state, with
        the image or load that it belongs to.
        """
        m = Module()
        registers = self._registers = CommandRegisters(
            parameters=self._parameters,
            constants=self._constants,
            frame=self._frame,
            body=self._framer.body,
            core=self.core,
            loaded=self.loaded,
        )
        registers.connect(m)
        add_check(m, registers)
        measure_reply(m, registers)
        self._connect_ports(m, registers)
        with m.FSM(name="request") as fsm:
            self._fsm = fsm
            add_dispatch(m, registers)
            add_payload(m, registers)
            add_commands(m, registers)
            add_replies(m, registers)
            add_training(m, registers)
            add_read_back(m, registers)
        m.d.comb += self._framer.abort.eq(self._frame.interrupts)
        with m.If(self._frame.interrupts):
            m.d.comb += registers.reset_core.eq(1)
            m.d.sync += [
                fsm.state.eq(fsm.encoding["WAIT"]),
                registers.open.eq(0),
                registers.loading.eq(0),
            ]
            if registers.learning is not None:
                m.d.sync += registers.learning.updates.eq(0)
                with m.If(registers.learning.updates):
                    m.d.sync += self.loaded.eq(0)
        return m

    def _connect_ports(self, m: Module, registers: CommandRegisters) -> None:
        """Payloads come straight out of the register; states raise `valid`.

        An index or a label that is too wide becomes one that is no neuron, with the bits of their
        number set; what is no nudge becomes the command that no core knows. The core refuses all.
        """
        row, word, command = registers.row, self.core.inputs.payload, self.core.commands.payload
        size, classes = self._parameters.input.size, self._parameters.classes
        wide_index = row[8 + len(word.index) : 24].any()
        wide_label = row[len(command.label) : 16].any()
        bits = len(command.command)
        asked, above = row[16:][:bits], row[16 + bits : 16 + NUDGE_BITS]
        no_nudge = (asked == Command.FREE) | above
        if self._parameters.learning:
            no_nudge |= asked == Command.LEARN
        m.d.comb += [
            word.value.eq(row[:8]),
            word.index.eq(
                row[8:24] | Mux(wide_index, size, 0) if registers.learning is None else 0
            ),
            word.dense.eq(~registers.sparse),
            word.last.eq(registers.final & registers.at_end & ~self._more_zeros(registers)),
            self.core.loads.payload.space.eq(registers.space),
            self.core.loads.payload.address.eq(registers.address),
            self.core.loads.payload.data.eq(row),
            command.report.eq(registers.report),
            command.label.eq(row[: len(command.label)] | Mux(wide_label, classes, 0)),
        ]
        with m.If(registers.asks[Request.NUDGE]):
            m.d.comb += command.command.eq(asked | no_nudge.replicate(bits))
        if registers.learning is not None:
            self._connect_learning(m, registers)

    def _more_zeros(self, registers: CommandRegisters) -> Value:
        """Whether the zero at hand is not the last that was counted."""
        own = registers.learning
        return Const(0) if own is None else own.counts & ~registers.last_byte_done

    def _connect_learning(self, m: Module, registers: CommandRegisters) -> None:
        """Rows that are read back, and the commands of a sample; values come in order."""
        own = registers.learning
        assert own is not None, "only a board that learns has these ports"
        core, command = self.core, self.core.commands.payload
        m.d.comb += [
            core.reads.payload.space.eq(registers.space),
            core.reads.payload.address.eq(registers.address),
        ]
        with m.If(registers.trains):
            m.d.comb += [command.command.eq(own.step), command.label.eq(own.label)]
