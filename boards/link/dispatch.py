"""Takes a request or refuses it, and lets go of it when it is answered."""

from amaranth import Cat, Module, Signal

from toreq_hw.boards.link.protocol import (
    HEADER_BYTES,
    IMAGE_HEADER,
    LOAD_CHECK_BYTES,
    NUDGE_HEADER,
    WORDS_HEADER,
    Code,
    Request,
)
from toreq_hw.boards.link.steps import Steps
from toreq_hw.rtl.load_spaces import Space

_HEADERS = {
    Request.WORDS: WORDS_HEADER,
    Request.COMMIT: LOAD_CHECK_BYTES,
    Request.IMAGE: IMAGE_HEADER,
    Request.NUDGE: NUDGE_HEADER,
}
"""Bytes of the first item of a payload; requests that are absent have none."""


def add_dispatch(m: Module, steps: Steps) -> None:
    """WAIT for a frame, DISPATCH it to where it is carried out, RELEASE it."""
    frame = steps.frame
    with m.State("WAIT"):
        m.d.sync += [
            steps.at.eq(HEADER_BYTES),
            steps.bit.eq(0),
            steps.partial.eq(1),
            steps.parsed.eq(0),
            steps.code.eq(Code.OK),
            steps.flags.eq(frame.read),  # the payload's first byte
        ]
        with m.If(frame.held):
            m.next = "DISPATCH"
    _dispatch(m, steps)
    with m.State("RELEASE"):
        m.d.comb += frame.release.eq(1)
        m.next = "WAIT"


def _dispatch(m: Module, steps: Steps) -> None:
    """Refuses what cannot be now; what has a payload goes on to its first byte."""
    frame, asks = steps.frame, steps.asks
    begins = asks[Request.IMAGE] & steps.first & ~frame.empty
    bare = Cat(known for request, known in asks.items() if request not in _HEADERS).any()
    repeated = Signal()
    m.d.sync += repeated.eq(frame.sequence == steps.last_sequence)
    with m.State("DISPATCH"):
        m.d.sync += steps.last_sequence.eq(frame.sequence)
        for request, length in _HEADERS.items():
            with m.If(asks[request]):
                m.d.sync += steps.left.eq(length - 1)
        m.next = "FETCH"
        with m.If(steps.unknown):
            steps.reply(m, Code.UNKNOWN)
        with m.Elif(bare & ~frame.empty):
            steps.reply(m, Code.LENGTH)
        with m.Elif(asks[Request.IDENTIFY]):
            m.d.sync += steps.at.eq(1 << (len(steps.at) - 1))
            steps.reply(m, Code.OK)
        with m.Elif(asks[Request.STATUS]):
            steps.reply(m, Code.OK)
        with m.Elif(asks[Request.RESET]):
            m.d.comb += [steps.reset_core.eq(1), frame.clear.eq(1)]
            m.d.sync += steps.open.eq(0)
            steps.reply(m, Code.OK)
        with m.Elif(repeated & ~begins):
            steps.reply(m, Code.REPEATED)
        with m.Elif(asks[Request.BEGIN]):
            m.d.comb += [steps.reset_core.eq(1), steps.restart_check.eq(1)]
            m.d.sync += [steps.open.eq(0), steps.loaded.eq(0), steps.loading.eq(1)]
            m.d.sync += [steps.space.eq(Space.WEIGHTS), steps.address.eq(0)]
            steps.reply(m, Code.OK)
        with m.Elif(asks[Request.WORDS] | asks[Request.COMMIT]), m.If(~steps.loading):
            steps.reply(m, Code.UNLOADED)
        with m.Elif(~steps.loaded):
            steps.reply(m, Code.UNLOADED)
        with m.Elif(begins):
            m.d.comb += steps.reset_core.eq(1)
            m.d.sync += steps.open.eq(0)
        with m.Elif(steps.open == asks[Request.NUDGE]):
            steps.reply(m, Code.ORDER)
