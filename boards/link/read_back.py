"""READ and SET, of a board that learns: rows back to the host, and settings outside of a load."""

from amaranth import Module, Signal, Value

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import Code
from toreq_hw.boards.link.wire_format import readable_rows, row_bytes, setting_bytes


def read_header(m: Module, registers: CommandRegisters) -> None:
    """Space and address of the first row, and how many bytes of rows from there on."""
    assert registers.learning is not None, "only a board that learns is read"
    own, row = registers.learning, registers.row
    length, address, space = row[0:16], row[16:40], row[40:48]
    exists = Signal(name="is_readable")
    with m.Switch(space):
        for code, rows in readable_rows(registers.parameters).items():
            with m.Case(code):
                m.d.comb += exists.eq(address < rows)
    with m.If(~registers.at_end | (length == 0) | length.all()):
        registers.reply(m, Code.LENGTH)
    with m.Elif(~exists):
        m.d.sync += own.wrong_place.eq(1)
        registers.reply(m, Code.REFUSED)
    with m.Elif(~registers.core.idle):
        m.d.sync += own.wrong_moment.eq(1)
        registers.reply(m, Code.REFUSED)
    with m.Else():
        m.d.sync += [
            own.left.eq(length),
            registers.space.eq(space),
            registers.address.eq(address),
        ]
        registers.reply(m, Code.OK)


def add_read_back(m: Module, registers: CommandRegisters) -> None:
    """ASK the core for the next row, and TAKE it into the register that sends it."""
    if registers.learning is None:
        return
    core, row = registers.core, registers.row
    with m.State("ASK"):
        m.d.comb += core.reads.valid.eq(1)
        with m.If(core.reads.ready):
            m.next = "TAKE"
    with m.State("TAKE"):
        m.d.comb += core.readings.ready.eq(1)
        with m.If(core.readings.valid):
            m.d.sync += registers.address.eq(registers.address + 1)
            m.next = "BYTE"
            with m.Switch(registers.space):
                for space in readable_rows(registers.parameters):
                    length = {
                        **row_bytes(registers.parameters),
                        **setting_bytes(registers.parameters),
                    }[space]
                    with m.Case(space):
                        m.d.sync += [
                            row[len(row) - 8 * length :].eq(core.readings.payload.data),
                            registers.bytes_left.eq(length - 1),
                        ]


def read_byte(m: Module, registers: CommandRegisters) -> None:
    """A byte of a row was sent: the last one that was asked for ends the reply."""
    assert registers.learning is not None, "only a board that learns is read"
    own = registers.learning
    with m.If(registers.reads):
        m.d.comb += registers.body.payload.last.eq(own.last_left)
        with m.If(registers.body.ready):
            m.d.sync += own.left.eq(own.left - 1)
            with m.If(own.last_left):
                m.next = "RELEASE"


def set_header(m: Module, registers: CommandRegisters) -> None:
    """Space and address of the first word."""
    assert registers.learning is not None, "only a board that learns has settings"
    address, space = registers.row[0:24], registers.row[24:32]
    fits, own = Signal(name="is_setting"), registers.learning
    with m.Switch(space):
        for code in setting_bytes(registers.parameters):
            with m.Case(code):
                m.d.comb += fits.eq(~_above(address, registers.address))
    m.d.sync += [registers.space.eq(space), registers.address.eq(address)]
    with m.If(~fits):
        m.d.sync += own.wrong_place.eq(1)
        registers.reply(m, Code.REFUSED)
    with m.Else():
        _expect_word(m, registers, space)


def set_item(m: Module, registers: CommandRegisters) -> None:
    """Hands a word on; the next one goes to the address behind it."""
    m.d.comb += registers.core.loads.valid.eq(1)
    _expect_word(m, registers, registers.space)
    with m.If(registers.core.loads.ready):
        m.d.sync += registers.address.eq(registers.address + 1)
        m.next = "FETCH"


def _expect_word(m: Module, registers: CommandRegisters, space: Value) -> None:
    with m.Switch(space):
        for code, length in setting_bytes(registers.parameters).items():
            with m.Case(code):
                m.d.sync += registers.bytes_left.eq(length - 1)


def _above(value: Value, register: Signal) -> Value:
    """Whether `value` has bits that `register` cannot hold."""
    return value[len(register) :].any()
