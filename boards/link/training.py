"""TRAIN: one sample, its four commands one after another, and what each came to."""

from amaranth import Module, Mux, Value

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import HEADER_BYTES, LEARN_BYTES, NUDGE_BYTES, Code
from toreq_hw.boards.link.running import NOT_TRAINING, begin_image
from toreq_hw.rtl.below import below
from toreq_hw.rtl.phases import Command


def train_header(m: Module, registers: CommandRegisters) -> None:
    """Flags, the sample's number, its label, the limit on sweeps; then its image, or the end of
    one that has begun.
    """
    assert registers.learning is not None, "only a board that learns trains"
    own, row = registers.learning, registers.row
    number, label = row[32:40], row[16:32]
    reports = registers.reports & ~registers.first  # states would wait for a reply without any
    with m.If((registers.flags & NOT_TRAINING).any() | reports):
        registers.reply(m, Code.REFUSED)
    with m.Elif(number != own.samples):
        registers.reply(m, Code.ORDER)
    with m.Elif(~below(label, registers.parameters.classes)):
        m.d.sync += own.wrong_label.eq(1)
        registers.reply(m, Code.REFUSED)
    with m.Else():
        m.d.sync += own.label.eq(label)
        begin_image(m, registers)


def let_go(m: Module, registers: CommandRegisters) -> None:
    """In each cycle behind the head of the answer to TRAIN: its frame was released there, so that
    the next one may come. WAIT finds that one's first byte.
    """
    with m.If(registers.trains):
        m.d.comb += registers.frame.works.eq(1)
        m.d.sync += registers.read_address.eq(HEADER_BYTES)


def add_training(m: Module, registers: CommandRegisters) -> None:
    """TEACH: gives the next command of the sample; its summary follows."""
    if registers.learning is None:
        return
    with m.State("TEACH"):
        let_go(m, registers)
        m.d.comb += registers.core.commands.valid.eq(1)
        own = registers.learning
        m.d.sync += registers.bytes_left.eq(
            Mux(own.step == Command.LEARN, LEARN_BYTES - 1, NUDGE_BYTES - 1)
        )
        with m.If(registers.core.commands.ready):
            m.next = "SUMMARY"


def next_command(m: Module, registers: CommandRegisters) -> Value:
    """Whether a summary is not the last of its reply; as it ends, the next command is due.

    A sample counts as learned from the cycle on in which the core says so.
    """
    assert registers.learning is not None, "only a board that learns trains"
    own, trains = registers.learning, registers.trains
    more = trains & (own.step != Command.LEARN)
    ends = registers.body.ready & registers.last_byte_done
    with m.If(ends & trains):
        m.next = "WAIT"
    with m.If(ends & more):
        m.d.sync += [
            own.step.eq(own.step + 1),
            own.updates.eq(own.step == Command.NUDGE_NEGATIVE),
        ]
        m.next = "TEACH"
    with m.If(own.updates):
        m.d.sync += [own.updates.eq(0), own.samples.eq(own.samples + 1)]
    return more
