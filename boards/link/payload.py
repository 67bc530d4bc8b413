"""Takes a payload apart: bytes into bits, bits into the register that holds one item.

A payload is a list of items: its header, then rows, or values. Every item is shifted bit by bit
into one register, highest first, from where the core's ports take it; rows of any width end up
aligned, and the check of a load takes one bit a cycle.
"""

from collections.abc import Callable

from amaranth import Cat, Module, Value

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.loading import load_header, load_item
from toreq_hw.boards.link.protocol import Code, Request
from toreq_hw.boards.link.read_back import read_header, set_header, set_item
from toreq_hw.boards.link.running import add_zeros, image_item, packed_item, run_header
from toreq_hw.boards.link.training import train_header

Part = Callable[[Module, CommandRegisters], None]
"""What is done with a part of a payload."""


def add_payload(m: Module, registers: CommandRegisters) -> None:
    """FETCH a byte, SHIFT it, and do what a HEADER or another ITEM says when it is whole."""
    bit = registers.byte[-1]
    with m.State("EXPECT"):  # another word of the space at hand
        m.d.sync += registers.bytes_left.eq(registers.word_length)
        m.next = "FETCH"
    with m.State("FETCH"):
        m.d.sync += registers.byte.eq(registers.frame.read)
        with m.If(~registers.at_end):
            m.d.sync += registers.read_address.eq(registers.read_address + 1)
            m.next = "SHIFT"
        with m.Elif(registers.partial):
            registers.reply(m, Code.LENGTH)
        with m.Elif(registers.faults.any()):
            registers.reply(m, Code.REFUSED)
        with m.Else():
            registers.reply(m, Code.OK)
            with m.If(registers.images & registers.final):
                m.d.sync += registers.open.eq(0)
    with m.State("SHIFT"):
        m.d.comb += registers.shifts.eq(1)
        m.d.sync += [
            registers.byte.eq(registers.byte << 1),
            registers.row.eq(Cat(bit, registers.row)),
            registers.bit.eq(registers.bit + 1),
            registers.partial.eq(1),
        ]
        with m.If(registers.bit == 7):
            m.d.sync += registers.bytes_left.eq(registers.bytes_left - 1)
            m.next = "FETCH"
            with m.If(registers.last_byte_done):
                m.next = "HEADER"
                with m.If(registers.parsed):
                    m.next = "ITEM"
    _header(m, registers)
    _item(m, registers)
    add_zeros(m, registers)


def _header(m: Module, registers: CommandRegisters) -> None:
    """The HEADER of what is asked for, of a board that learns its own requests too."""
    loads = registers.asks[Request.WORDS] | registers.asks[Request.COMMIT]
    headers: list[tuple[Value, Part]] = [(loads, load_header)]
    if registers.learning is not None:
        headers += [
            (registers.trains, train_header),
            (registers.reads, read_header),
            (registers.sets, set_header),
        ]
    with m.State("HEADER"):
        m.d.sync += registers.parsed.eq(1)
        m.next = "FETCH"
        _choose(m, registers, headers, run_header)


def _item(m: Module, registers: CommandRegisters) -> None:
    """Another ITEM: a row, a word, or a value."""
    loads = registers.asks[Request.WORDS] | registers.asks[Request.COMMIT]
    items: list[tuple[Value, Part]] = [(loads, load_item)]
    if registers.learning is not None:
        items += [(registers.sets, set_item), (registers.packed, packed_item)]
    with m.State("ITEM"):
        m.d.sync += registers.partial.eq(0)
        _choose(m, registers, items, image_item)


def _choose(
    m: Module, registers: CommandRegisters, parts: list[tuple[Value, Part]], other: Part
) -> None:
    """Does the first part whose condition holds, or else the other."""
    (first, part), *more = parts
    with m.If(first):
        part(m, registers)
    for condition, part in more:
        with m.Elif(condition):
            part(m, registers)
    with m.Else():
        other(m, registers)
