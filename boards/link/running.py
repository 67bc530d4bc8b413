"""Runs phases: an image with its limit on sweeps, or a nudge."""

from amaranth import Module, Mux

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import SPARSE_BYTES, Code, Request
from toreq_hw.rtl.load_spaces import Space


def run_header(m: Module, registers: CommandRegisters) -> None:
    """A nudge is all header; the limit is set where an image begins."""
    with m.If(registers.row[20:24].any()):  # flags that mean nothing
        registers.reply(m, Code.REFUSED)
    with m.Elif(registers.asks[Request.NUDGE]):
        m.next = "COMMAND"
        with m.If(~registers.at_end):
            registers.reply(m, Code.LENGTH)
    with m.Else():
        m.d.sync += [registers.address.eq(0), registers.space.eq(Space.MAX_SWEEPS)]
        _expect_value(m, registers)
        with m.If(registers.first):
            m.next = "LIMIT"


def image_item(m: Module, registers: CommandRegisters) -> None:
    """Hands a value on; the core cannot see where it is too wide."""
    placement = registers.parameters.input
    above = registers.row[placement.state_bits - placement.signed : 8]
    fits = (above == 0) | (above.all() if placement.signed else 0)
    with m.If(~fits):
        m.d.sync += registers.wide_value.eq(1)
    m.d.comb += registers.core.inputs.valid.eq(1)
    _expect_value(m, registers)
    with m.If(registers.core.inputs.ready):
        m.next = "FETCH"


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
        with m.If(core.idle | (registers.asks[Request.IMAGE] & registers.faults.any())):
            registers.reply(m, Code.REFUSED)
        with m.Elif(registers.asks[Request.NUDGE]):
            registers.reply(m, Code.OK)
        with m.Else():
            m.d.sync += registers.open.eq(1)
            m.next = "FETCH"
