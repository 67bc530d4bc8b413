"""Loads a network: rows to the core, each in its turn, and the check over all of them.

`space` and `address` of `CommandRegisters` are those of the next row that must come, from BEGIN on;
behind the last row `space` is `complete`, after anything wrong it is `broken` until BEGIN.
"""

from itertools import pairwise

from amaranth import Module, ResetInserter, Value
from amaranth.lib.crc.catalog import CRC32_BZIP2

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import Code, Request
from toreq_hw.boards.link.wire_format import row_counts


def complete(registers: CommandRegisters) -> int:
    """No space of rows: 5 in three bits, where others are even or below 4; 13 in four."""
    return (1 << len(registers.space)) - 3


def broken(registers: CommandRegisters) -> int:
    """The same: 7 in three bits, 15 in four."""
    return (1 << len(registers.space)) - 1


def is_over(space: Value) -> Value:
    """Whether no row may come: the load is complete, or broken."""
    return space[0] & space[2:].all()


def add_check(m: Module, registers: CommandRegisters) -> None:
    """The CRC over payloads of WORDS, and of the COMMIT that ends in it; where a space ends."""
    check = CRC32_BZIP2(data_width=1).create()
    m.submodules.check = ResetInserter(registers.restart_check)(check)
    loads = registers.asks[Request.WORDS] | registers.asks[Request.COMMIT]
    m.d.comb += [
        check.data.eq(registers.byte[-1]),
        check.valid.eq(registers.shifts & loads),
        registers.check_holds.eq(check.match_detected),
    ]
    with m.Switch(registers.space):
        for space, rows in row_counts(registers.parameters).items():
            with m.Case(space):
                m.d.sync += registers.row_ends.eq(registers.address == rows - 1)


def load_header(m: Module, registers: CommandRegisters) -> None:
    """WORDS: do they go where the next row must? COMMIT: is the load complete, and its check?"""
    with m.If(registers.asks[Request.WORDS]):
        place, space = registers.row[:24], registers.row[24:32]
        with m.If(
            (place != registers.address) | (space != registers.space) | is_over(registers.space)
        ):
            registers.reply(m, Code.ORDER)
        with m.Else():
            m.next = "EXPECT"
    with m.Else():
        whole = registers.space == complete(registers)
        good = registers.check_holds & whole & registers.at_end
        m.d.sync += [registers.loaded.eq(good), registers.loading.eq(0)]
        registers.reply(m, Code.CHECK)
        with m.If(good):
            m.d.sync += registers.code.eq(Code.OK)
            if registers.learning is not None:
                m.d.sync += registers.learning.samples.eq(0)
        with m.Elif(~registers.at_end):
            m.d.sync += registers.code.eq(Code.LENGTH)


def load_item(m: Module, registers: CommandRegisters) -> None:
    """Hands a row on; the next goes to the address behind it, or begins the next space.

    WORDS with rows behind the last one of a space are refused.
    """
    m.d.comb += registers.core.loads.valid.eq(1)
    spaces = [*row_counts(registers.parameters), complete(registers)]
    with m.If(registers.core.loads.ready):
        m.next = "EXPECT"
        m.d.sync += registers.address.eq(registers.address + 1)
        with m.If(registers.row_ends):
            with m.If(~registers.at_end):
                registers.reply(m, Code.ORDER)
            m.d.sync += registers.address.eq(0)
            with m.Switch(registers.space):
                for space, following in pairwise(spaces):
                    with m.Case(space):
                        m.d.sync += registers.space.eq(following)
