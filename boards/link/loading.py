"""Loads a network: rows to the core, each in its turn, and the check over all of them.

`space` and `address` of `Steps` are those of the next row that must come, from BEGIN on; behind
the last row `space` is COMPLETE, after anything wrong it is BROKEN until the next BEGIN.
"""

from itertools import pairwise

from amaranth import Module, ResetInserter, Value
from amaranth.lib.crc.catalog import CRC32_BZIP2

from toreq_hw.boards.link.protocol import Code, Request
from toreq_hw.boards.link.steps import Steps
from toreq_hw.boards.link.wire_format import row_bytes, row_counts

COMPLETE = 5
BROKEN = 7
"""No spaces of rows: these are even, or below 4."""


def is_over(space: Value) -> Value:
    """Whether no row may come: the load is complete, or broken."""
    return space[0] & space[2]


def add_check(m: Module, steps: Steps) -> None:
    """The CRC over payloads of WORDS, and of the COMMIT that ends in it; where a space ends."""
    check = CRC32_BZIP2(data_width=1).create()
    m.submodules.check = ResetInserter(steps.restart_check)(check)
    loads = steps.asks[Request.WORDS] | steps.asks[Request.COMMIT]
    m.d.comb += [
        check.data.eq(steps.byte[-1]),
        check.valid.eq(steps.shifts & loads),
        steps.check_holds.eq(check.match_detected),
    ]
    with m.Switch(steps.space):
        for space, rows in row_counts(steps.parameters).items():
            with m.Case(space):
                m.d.sync += steps.row_ends.eq(steps.address == rows - 1)


def load_header(m: Module, steps: Steps) -> None:
    """WORDS: do they go where the next row must? COMMIT: is the load complete, and its check?"""
    with m.If(steps.asks[Request.WORDS]):
        place, space = steps.row[:24], steps.row[24:32]
        with m.If((place != steps.address) | (space != steps.space) | is_over(steps.space)):
            steps.reply(m, Code.ORDER)
        with m.Else():
            _expect_row(m, steps)
    with m.Else():
        good = steps.check_holds & (steps.space == COMPLETE) & steps.at_end
        m.d.sync += [steps.loaded.eq(good), steps.loading.eq(0)]
        steps.reply(m, Code.CHECK)
        with m.If(good):
            m.d.sync += steps.code.eq(Code.OK)
        with m.Elif(~steps.at_end):
            m.d.sync += steps.code.eq(Code.LENGTH)


def load_item(m: Module, steps: Steps) -> None:
    """Hands a row on; the next goes to the address behind it, or begins the next space.

    WORDS with rows behind the last one of a space are refused.
    """
    m.d.comb += steps.core.loads.valid.eq(1)
    _expect_row(m, steps)
    spaces = [*row_counts(steps.parameters), COMPLETE]
    with m.If(steps.core.loads.ready):
        m.next = "FETCH"
        m.d.sync += steps.address.eq(steps.address + 1)
        with m.If(steps.row_ends):
            with m.If(~steps.at_end):
                steps.reply(m, Code.ORDER)
            m.d.sync += steps.address.eq(0)
            with m.Switch(steps.space):
                for space, following in pairwise(spaces):
                    with m.Case(space):
                        m.d.sync += steps.space.eq(following)


def _expect_row(m: Module, steps: Steps) -> None:
    """How long the next row is."""
    with m.Switch(steps.space):
        for known, length in row_bytes(steps.parameters).items():
            with m.Case(known):
                m.d.sync += steps.left.eq(length - 1)
