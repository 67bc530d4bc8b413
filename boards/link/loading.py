"""Loads a network: rows to the core, and the check over all of them."""

from amaranth import Module, ResetInserter, Value
from amaranth.lib.crc.catalog import CRC32_BZIP2

from toreq_hw.boards.link.protocol import Code, Request
from toreq_hw.boards.link.steps import Steps
from toreq_hw.boards.link.wire_format import row_bytes
from toreq_hw.rtl.interfaces import SPACE_BITS


def add_check(m: Module, steps: Steps) -> None:
    """The CRC over payloads of WORDS, and of the COMMIT that ends in it."""
    check = CRC32_BZIP2(data_width=1).create()
    m.submodules.check = ResetInserter(steps.restart_check)(check)
    loads = steps.asks[Request.WORDS] | steps.asks[Request.COMMIT]
    m.d.comb += [
        check.data.eq(steps.byte[-1]),
        check.valid.eq(steps.shifts & loads),
        steps.check_holds.eq(check.match_detected),
    ]


def load_header(m: Module, steps: Steps) -> None:
    """Where the rows of WORDS go; or COMMIT: the check is through, does it hold?"""
    with m.If(steps.asks[Request.WORDS]):
        m.d.sync += [steps.address.eq(steps.row), steps.space.eq(steps.row[24:])]
        _expect_row(m, steps, steps.row[24 : 24 + SPACE_BITS])
    with m.Else():
        good = steps.check_holds & ~steps.core.faults.any()
        m.d.sync += [steps.loaded.eq(good), steps.loading.eq(0)]
        steps.reply(m, Code.CHECK)
        with m.If(good):
            m.d.sync += steps.code.eq(Code.OK)


def load_item(m: Module, steps: Steps) -> None:
    """Hands a row on; the next goes to the address behind it."""
    m.d.comb += steps.core.loads.valid.eq(1)
    _expect_row(m, steps, steps.space)
    with m.If(steps.core.loads.ready):
        m.d.sync += steps.address.eq(steps.address + 1)
        m.next = "FETCH"


def _expect_row(m: Module, steps: Steps, space: Value) -> None:
    with m.Switch(space):
        for known, length in row_bytes(steps.parameters).items():
            with m.Case(known):
                m.d.sync += steps.left.eq(length - 1)
