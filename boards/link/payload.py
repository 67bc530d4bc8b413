"""Takes a payload apart: bytes into bits, bits into the register that holds one item.

A payload is a list of items: its header, then rows, or values. Every item is shifted bit by bit
into one register, highest first, from where the core's ports take it; rows of any width end up
aligned, and the check of a load takes one bit a cycle.
"""

from amaranth import Cat, Module

from toreq_hw.boards.link.loading import load_header, load_item
from toreq_hw.boards.link.protocol import Code, Request
from toreq_hw.boards.link.running import image_item, run_header
from toreq_hw.boards.link.steps import Steps


def add_payload(m: Module, steps: Steps) -> None:
    """FETCH a byte, SHIFT it, and do what a HEADER or another ITEM says when it is whole."""
    bit = steps.byte[-1]
    with m.State("FETCH"):
        m.d.sync += steps.byte.eq(steps.frame.read)
        with m.If(~steps.at_end):
            m.d.sync += steps.at.eq(steps.at + 1)
            m.next = "SHIFT"
        with m.Elif(steps.partial):
            steps.reply(m, Code.LENGTH)
        with m.Elif(steps.faults.any()):
            steps.reply(m, Code.REFUSED)
        with m.Else():
            steps.reply(m, Code.OK)
            with m.If(steps.asks[Request.IMAGE] & steps.final):
                m.d.sync += steps.open.eq(0)
    with m.State("SHIFT"):
        m.d.comb += steps.shifts.eq(1)
        m.d.sync += [
            steps.byte.eq(steps.byte << 1),
            steps.row.eq(Cat(bit, steps.row)),
            steps.bit.eq(steps.bit + 1),
            steps.partial.eq(1),
        ]
        with m.If(steps.bit == 7):
            m.d.sync += steps.left.eq(steps.left - 1)
            m.next = "FETCH"
            with m.If(steps.spent):
                m.next = "HEADER"
                with m.If(steps.parsed):
                    m.next = "ITEM"
    loads = steps.asks[Request.WORDS] | steps.asks[Request.COMMIT]
    with m.State("HEADER"):
        m.d.sync += steps.parsed.eq(1)
        m.next = "FETCH"
        with m.If(loads):
            load_header(m, steps)
        with m.Else():
            run_header(m, steps)
    with m.State("ITEM"):
        m.d.sync += steps.partial.eq(0)
        with m.If(loads):
            load_item(m, steps)
        with m.Else():
            image_item(m, steps)
