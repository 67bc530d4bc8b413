"""Takes a payload apart: bytes into bits, bits into the register that holds one item.

A payload is a list of items: its header, then rows, or values. Every item is shifted bit by bit
into one register, highest first, from where the core's ports take it; rows of any width end up
aligned, and the check of a load takes one bit a cycle.
"""

from amaranth import Cat, Module

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.loading import load_header, load_item
from toreq_hw.boards.link.protocol import Code, Request
from toreq_hw.boards.link.read_back import read_header, set_header, set_item
from toreq_hw.boards.link.running import image_item, packed_item, run_header
from toreq_hw.boards.link.training import train_header


def add_payload(m: Module, registers: CommandRegisters) -> None:
    """FETCH a byte, SHIFT it, and do what a HEADER or another ITEM says when it is whole."""
    bit = registers.byte[-1]
    headers = []
    if registers.learning is not None:
        headers = [
            (registers.trains, train_header),
            (registers.reads, read_header),
            (registers.sets, set_header),
        ]
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
    loads = registers.asks[Request.WORDS] | registers.asks[Request.COMMIT]
    with m.State("HEADER"):
        m.d.sync += registers.parsed.eq(1)
        m.next = "FETCH"
        with m.If(loads):
            load_header(m, registers)
        for asked, header in headers:
            with m.Elif(asked):
                header(m, registers)
        with m.Else():
            run_header(m, registers)
    with m.State("ITEM"):
        m.d.sync += registers.partial.eq(0)
        with m.If(loads):
            load_item(m, registers)
        if registers.learning is not None:
            with m.Elif(registers.sets):
                set_item(m, registers)
            with m.Elif(registers.packed):
                packed_item(m, registers)
        with m.Else():
            image_item(m, registers)
