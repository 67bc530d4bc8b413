"""TRAIN: one sample, its four commands one after another, and what each came to."""

from amaranth import Module, Value

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import SUMMARY_BYTES, Code, ImageFlag
from toreq_hw.boards.link.running import begin_image
from toreq_hw.rtl.phases import Command

_FORMS = ImageFlag.SPARSE | ImageFlag.PACKED
_NOTHING = 0xFF & ~(_FORMS | ImageFlag.FIRST).value
"""Flags that mean nothing."""


def train_header(m: Module, registers: CommandRegisters) -> None:
    """Flags, the sample's number, its label, the limit on sweeps; then its image, or the end of
    one that has begun.
    """
    assert registers.learning is not None, "only a board that learns trains"
    own, row = registers.learning, registers.row
    flags, number, label = row[48:56], row[32:48], row[16:32]
    both = (flags & _FORMS.value) == _FORMS.value
    reports = registers.reports & ~registers.first  # states would wait for a reply without any
    with m.If((flags & _NOTHING).any() | both | reports):
        registers.reply(m, Code.REFUSED)
    with m.Elif(number != own.samples):
        registers.reply(m, Code.ORDER)
    with m.Elif(label >= registers.parameters.classes):
        m.d.sync += own.wrong_label.eq(1)
        registers.reply(m, Code.REFUSED)
    with m.Else():
        m.d.sync += own.label.eq(label)
        begin_image(m, registers)


def add_training(m: Module, registers: CommandRegisters) -> None:
    """TEACH: gives the next command of the sample; its summary follows."""
    if registers.learning is None:
        return
    with m.State("TEACH"):
        m.d.comb += registers.core.commands.valid.eq(1)
        m.d.sync += registers.bytes_left.eq(SUMMARY_BYTES - 1)
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
    with m.If(ends & more):
        m.d.sync += [
            own.step.eq(own.step + 1),
            own.updates.eq(own.step == Command.NUDGE_NEGATIVE),
        ]
        m.next = "TEACH"
    with m.If(own.updates):
        m.d.sync += [own.updates.eq(0), own.samples.eq(own.samples + 1)]
    return more
