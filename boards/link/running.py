"""Runs phases: an image with its limit on sweeps, or a nudge."""

from amaranth import Module, Mux, Value

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import SPARSE_BYTES, Code, ImageFlag, Request
from toreq_hw.rtl.load_spaces import Space


def run_header(m: Module, registers: CommandRegisters) -> None:
    """A nudge is all header; the limit is set where an image begins."""
    with m.If(_means_nothing(registers)):
        registers.reply(m, Code.REFUSED)
    with m.Elif(registers.asks[Request.NUDGE]):
        m.next = "COMMAND"
        with m.If(~registers.at_end):
            registers.reply(m, Code.LENGTH)
    with m.Else():
        begin_image(m, registers)


def begin_image(m: Module, registers: CommandRegisters) -> None:
    """Goes on to the first value, in the first part of an image by way of its limit."""
    m.d.sync += [registers.address.eq(0), registers.space.eq(Space.MAX_SWEEPS)]
    _expect_value(m, registers)
    with m.If(registers.first):
        m.next = "LIMIT"


def _means_nothing(registers: CommandRegisters) -> Value:
    """Whether the first byte of IMAGE or NUDGE has flags that mean nothing."""
    if registers.learning is None:
        return registers.row[20:24].any()
    flags, nudges = registers.flags, registers.asks[Request.NUDGE]
    return flags[5:].any() | Mux(nudges, flags[4], flags[2])


NOT_TRAINING = 0xFF & ~(ImageFlag.FIRST | ImageFlag.PACKED).value
"""Flags that mean nothing in TRAIN."""


def image_item(m: Module, registers: CommandRegisters) -> None:
    """Hands a value on."""
    _check_value(m, registers)
    m.d.comb += registers.core.inputs.valid.eq(1)
    _expect_value(m, registers)
    with m.If(registers.core.inputs.ready):
        m.next = "FETCH"


def packed_item(m: Module, registers: CommandRegisters) -> None:
    """Hands a value on that is not 0. Behind a 0 comes a byte that counts zeros, less one: then the
    register of items holds the value that is handed on so many times.
    """
    own = registers.learning
    assert own is not None, "only a board that learns takes packed images"
    with m.If(own.counts):
        m.d.sync += [registers.bytes_left.eq(registers.row[:8]), registers.row[:8].eq(0)]
        m.next = "ZEROS"
    with m.Elif(registers.row[:8] == 0):
        m.d.sync += [own.counts.eq(1), registers.partial.eq(1), registers.bytes_left.eq(0)]
        m.next = "FETCH"
    with m.Else():
        image_item(m, registers)


def add_zeros(m: Module, registers: CommandRegisters) -> None:
    """ZEROS of a packed image, as many as were counted."""
    own = registers.learning
    if own is None:
        return
    with m.State("ZEROS"):
        m.d.comb += registers.core.inputs.valid.eq(1)
        with m.If(registers.core.inputs.ready):
            m.d.sync += registers.bytes_left.eq(registers.bytes_left - 1)
            with m.If(registers.last_byte_done):
                m.d.sync += [own.counts.eq(0), registers.bytes_left.eq(0)]
                m.next = "FETCH"


def _check_value(m: Module, registers: CommandRegisters) -> None:
    """Remembers a value that is too wide for the core, which cannot see that."""
    placement = registers.parameters.input
    above = registers.row[placement.state_bits - placement.signed : 8]
    fits = (above == 0) | (above.all() if placement.signed else 0)
    with m.If(~fits):
        m.d.sync += registers.wide_value.eq(1)


def _expect_value(m: Module, registers: CommandRegisters) -> None:
    m.d.sync += registers.bytes_left.eq(Mux(registers.sparse, SPARSE_BYTES - 1, 0))


def add_commands(m: Module, registers: CommandRegisters) -> None:
    """The LIMIT, then the COMMAND; a core that is not STARTED by it has refused it.

    A core that is in the middle of a refused image takes no command, and a limit that it refuses is
    a fault; both are refused here.
    """
    core = registers.core
    with m.State("LIMIT"):
        m.d.comb += core.loads.valid.eq(1)
        with m.If(core.loads.ready):
            m.next = "COMMAND"
    with m.State("COMMAND"):
        m.d.comb += core.commands.valid.eq(1)
        with m.If(core.commands.ready):
            m.next = "STARTED"
        with m.Elif(~core.idle):
            registers.reply(m, Code.REFUSED)
    with m.State("STARTED"):
        m.d.sync += registers.reports.eq(registers.report)
        with m.If(core.idle | (registers.images & registers.faults.any())):
            registers.reply(m, Code.REFUSED)
        with m.Elif(registers.asks[Request.NUDGE]):
            registers.reply(m, Code.OK)
        with m.Else():
            m.d.sync += registers.open.eq(1)
            m.next = "FETCH"
