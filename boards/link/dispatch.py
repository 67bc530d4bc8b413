"""Takes a request or refuses it, and lets go of it when it is answered."""

from amaranth import Cat, Module, Signal

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.protocol import (
    HEADER_BYTES,
    IMAGE_HEADER,
    LOAD_CHECK_BYTES,
    NUDGE_HEADER,
    READ_HEADER,
    SET_HEADER,
    TRAIN_HEADER,
    WORDS_HEADER,
    Code,
    Request,
)
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.phases import Command

_HEADERS = {
    Request.WORDS: WORDS_HEADER,
    Request.COMMIT: LOAD_CHECK_BYTES,
    Request.IMAGE: IMAGE_HEADER,
    Request.NUDGE: NUDGE_HEADER,
    Request.TRAIN: TRAIN_HEADER,
    Request.READ: READ_HEADER,
    Request.SET: SET_HEADER,
}
"""Bytes of the first item of a payload; requests that are absent have none."""


def add_dispatch(m: Module, registers: CommandRegisters) -> None:
    """WAIT for a frame, DISPATCH it to where it is carried out, RELEASE it."""
    frame = registers.frame
    with m.State("WAIT"):
        m.d.comb += registers.waits.eq(1)
        if registers.learning is not None:
            m.d.sync += [registers.learning.step.eq(Command.FREE), registers.learning.counts.eq(0)]
        m.d.sync += [
            registers.read_address.eq(HEADER_BYTES),
            registers.bit.eq(0),
            registers.partial.eq(1),
            registers.parsed.eq(0),
            registers.code.eq(Code.OK),
            registers.flags.eq(frame.read),  # the payload's first byte
        ]
        with m.If(frame.held):
            m.next = "DISPATCH"
    _dispatch(m, registers)
    with m.State("RELEASE"):
        m.d.comb += frame.release.eq(1)
        m.next = "WAIT"


def _dispatch(m: Module, registers: CommandRegisters) -> None:
    """Refuses what cannot be now; what has a payload goes on to its first byte."""
    frame, asks = registers.frame, registers.asks
    first = registers.first & ~frame.empty
    begins = asks[Request.IMAGE] & first
    bare = Cat(known for request, known in asks.items() if request not in _HEADERS).any()
    repeated = Signal()
    m.d.sync += repeated.eq(frame.sequence == registers.last_sequence)
    with m.State("DISPATCH"):
        m.d.sync += registers.last_sequence.eq(frame.sequence)
        for request, known in asks.items():
            length = _HEADERS.get(request, 1)
            with m.If(known):
                m.d.sync += registers.bytes_left.eq(length - 1)
        m.next = "FETCH"
        with m.If(registers.unknown):
            registers.reply(m, Code.UNKNOWN)
        with m.Elif(bare & ~frame.empty):
            registers.reply(m, Code.LENGTH)
        with m.Elif(asks[Request.IDENTIFY]):
            m.d.sync += registers.read_address.eq(1 << (len(registers.read_address) - 1))
            registers.reply(m, Code.OK)
        with m.Elif(asks[Request.STATUS]):
            registers.reply(m, Code.OK)
        with m.Elif(asks[Request.RESET]):
            m.d.comb += [registers.reset_core.eq(1), frame.clear.eq(1)]
            m.d.sync += registers.open.eq(0)
            registers.reply(m, Code.OK)
        with m.Elif(repeated & ~begins & ~registers.reads):
            registers.reply(m, Code.REPEATED)
        with m.Elif(asks[Request.BEGIN]):
            m.d.comb += [registers.reset_core.eq(1), registers.restart_check.eq(1)]
            m.d.sync += [registers.open.eq(0), registers.loaded.eq(0), registers.loading.eq(1)]
            m.d.sync += [registers.space.eq(Space.WEIGHTS), registers.address.eq(0)]
            registers.reply(m, Code.OK)
        with m.Elif(asks[Request.WORDS] | asks[Request.COMMIT]), m.If(~registers.loading):
            registers.reply(m, Code.UNLOADED)
        with m.Elif(~registers.loaded):
            registers.reply(m, Code.UNLOADED)
        with m.Elif(begins | (registers.trains & first) | registers.sets):
            m.d.comb += registers.reset_core.eq(1)
            m.d.sync += registers.open.eq(0)
        with m.Elif(registers.open == (asks[Request.NUDGE] | registers.reads)):
            registers.reply(m, Code.ORDER)
            if registers.learning is not None:
                with m.If(registers.reads):
                    m.d.sync += registers.learning.wrong_moment.eq(1)
