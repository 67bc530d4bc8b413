"""READ and SET, of a board that learns: rows back to the host, and settings outside of a load."""

from amaranth import Module, Mux, Signal, Value

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import LENGTH_BITS, Code
from toreq_hw.boards.link.wire_format import (
    length_of_words,
    readable_rows,
    setting_bytes,
    states_bytes,
)
from toreq_hw.rtl.interfaces import Fault


def read_header(m: Module, registers: CommandRegisters) -> None:
    """How long the answer is, and the place of the first row."""
    assert registers.learning is not None, "only a board that learns is read"
    own, row = registers.learning, registers.row
    length = row[32:48]
    go_to_place(m, registers)
    m.d.sync += own.left.eq(length)
    m.next = "ASK"
    with m.If(~registers.at_end | ~length[1:LENGTH_BITS].any() | length[LENGTH_BITS:].any()):
        registers.reply(m, Code.LENGTH)
    with m.Elif(~registers.core.idle):
        m.d.sync += own.wrong_moment.eq(1)
        registers.reply(m, Code.REFUSED)


def go_to_place(m: Module, registers: CommandRegisters) -> None:
    """Goes to the space and address that end a header; one that cannot be becomes the space that no
    core has, where the core refuses it.
    """
    address, space = registers.row[0:24], registers.row[24:32]
    high = address[len(registers.address) :].any() | space[len(registers.space) :].any()
    none = (1 << len(registers.space)) - 1
    m.d.sync += [
        registers.address.eq(address),
        registers.space.eq(space | Mux(high, none, 0)),
    ]


def add_read_back(m: Module, registers: CommandRegisters) -> None:
    """ASK the core for the next row, into the register that sends it; it is ASKED until it has let
    go of the request, which it does behind its answer. The first row that a READ names must exist.
    """
    if registers.learning is None:
        return
    core, row = registers.core, registers.row
    with m.State("ASK"):
        m.d.comb += [core.reads.valid.eq(1), core.readings.ready.eq(1)]
        m.d.sync += registers.bytes_left.eq(registers.word_length)
        with m.If(core.readings.valid):
            m.d.sync += row[: len(core.readings.payload.data)].eq(core.readings.payload.data)
            m.next = "ASKED"
    with m.State("ASKED"):
        m.d.comb += core.reads.valid.eq(1)
        with m.If(core.reads.ready):
            m.d.sync += [registers.address.eq(registers.address + 1), registers.partial.eq(0)]
            m.next = "BYTE"
            with m.If(registers.partial):
                registers.reply(m, Code.OK)
                with m.If(core.faults[Fault.LOAD_ADDRESS]):
                    registers.reply(m, Code.REFUSED)


def top_byte(m: Module, registers: CommandRegisters) -> Value:
    """The byte of the row at hand that is sent next: its highest one, wherever that lies."""
    row, top = registers.row, Signal(8, name="top_byte")
    states = states_bytes(registers.parameters)
    m.d.comb += top.eq(row[8 * states - 8 :])
    if registers.learning is not None:
        lengths = length_of_words(registers.parameters)
        readable = {space: lengths[space] for space in readable_rows(registers.parameters)}
        with m.If(registers.reads), m.Switch(registers.space):
            for length in dict.fromkeys(readable.values()):
                with m.Case(*(space for space, own in readable.items() if own == length)):
                    m.d.comb += top.eq(row[8 * length - 8 :])
    return top


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
    """The place of the first word; what no SET changes becomes the space that no core has."""
    go_to_place(m, registers)
    with m.Switch(registers.row[24:32]):
        with m.Case(*setting_bytes(registers.parameters)):
            pass
        with m.Default():
            m.d.sync += registers.space.eq(~0)
    m.next = "EXPECT"


def set_item(m: Module, registers: CommandRegisters) -> None:
    """Hands a word on; the next one goes to the address behind it."""
    m.d.comb += registers.core.loads.valid.eq(1)
    with m.If(registers.core.loads.ready):
        m.d.sync += registers.address.eq(registers.address + 1)
        m.next = "EXPECT"
