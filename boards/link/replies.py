"""Answers: what became of a request, and what it asked for."""

from amaranth import Cat, Module, Mux, Signal

from toreq_hw.boards.link.command_registers import CommandRegisters
from toreq_hw.boards.link.loading import broken
from toreq_hw.boards.link.protocol import (
    COUNT_BYTES,
    REPLY,
    SAMPLE_BYTES,
    STATUS_BYTES,
    Code,
    Request,
)
from toreq_hw.boards.link.read_back import read_byte, top_byte
from toreq_hw.boards.link.training import let_go, next_command
from toreq_hw.boards.link.wire_format import states_bytes, summary_word


def add_replies(m: Module, registers: CommandRegisters) -> None:
    """The HEAD of every reply, then what it carries; its last byte leads to RELEASE."""
    _head(m, registers)
    _parts(m, registers)
    _states(m, registers)
    _summary(m, registers)


def measure_reply(m: Module, registers: CommandRegisters) -> None:
    """The length of the reply's payload, known before its first byte, which says what became."""
    rows = registers.parameters.slices * states_bytes(registers.parameters)
    runs = registers.asks[Request.NUDGE] | (registers.asks[Request.IMAGE] & registers.final)
    fine = registers.code == Code.OK
    with m.If(fine & runs):
        m.d.comb += registers.length.eq(
            1 + registers.summary_bytes + Mux(registers.reports, rows, 0)
        )
    with m.Elif(fine & registers.asks[Request.IDENTIFY]):
        m.d.comb += registers.length.eq(1 + registers.constants)
    with m.Elif(fine & registers.asks[Request.STATUS]):
        m.d.comb += registers.length.eq(1 + status_bytes(registers))
    if registers.learning is not None:
        with m.Elif(fine & registers.trains):
            m.d.comb += registers.length.eq(1 + sum(SAMPLE_BYTES))
        with m.Elif(fine & registers.reads):
            m.d.comb += registers.length.eq(registers.learning.left)
    with m.Else():
        m.d.comb += [registers.length.eq(1), registers.empty.eq(1)]


def status_bytes(registers: CommandRegisters) -> int:
    """Bytes that STATUS answers behind the status byte."""
    return STATUS_BYTES + (0 if registers.learning is None else COUNT_BYTES)


def _head(m: Module, registers: CommandRegisters) -> None:
    """Header and first byte of the reply; `bytes_left` counts down to that byte.

    What is refused ends the load or the image that it belongs to; one of another request stays.
    """
    body, frame, length = registers.body, registers.frame, registers.length
    status = Cat(
        registers.code, registers.loaded, registers.loading, registers.open, registers.faults.any()
    )
    head = (status, length[:8], length[8:], frame.type | REPLY, registers.last_sequence)
    refused = registers.code[1] | registers.code[2]
    with m.State("HEAD"):
        m.d.comb += body.valid.eq(1)
        with m.If(refused & (registers.asks[Request.WORDS] | registers.asks[Request.COMMIT])):
            m.d.sync += registers.space.eq(broken(registers))
        with m.If(refused & registers.images):
            m.d.sync += registers.open.eq(0)
        with m.Switch(registers.bytes_left):
            for index, byte in enumerate(head):
                with m.Case(index):
                    m.d.comb += body.payload.byte.eq(byte)
        with m.If(body.ready):
            m.d.sync += registers.bytes_left.eq(registers.bytes_left - 1)
        with m.If(registers.last_byte_done):
            m.d.comb += body.payload.last.eq(registers.empty)
            with m.If(body.ready):
                with m.If(registers.empty):
                    m.next = "RELEASE"
                with m.Elif(registers.asks[Request.IDENTIFY]):
                    m.d.sync += registers.bytes_left.eq(registers.constants - 1)
                    m.next = "READ"
                with m.Elif(registers.asks[Request.STATUS]):
                    m.d.sync += registers.bytes_left.eq(status_bytes(registers) - 1)
                    m.next = "STATUS"
                if registers.learning is not None:
                    with m.Elif(registers.reads):
                        m.d.sync += registers.bytes_left.eq(registers.word_length)
                        m.next = "BYTE"
                with m.Elif(registers.reports):
                    m.next = "STATES"
                with m.Else():
                    m.d.comb += frame.release.eq(registers.trains)
                    m.d.sync += registers.bytes_left.eq(registers.summary_bytes - 1)
                    m.next = "SUMMARY"


def _parts(m: Module, registers: CommandRegisters) -> None:
    """The identity, or the counters of errors."""
    body, frame = registers.body, registers.frame
    with m.State("READ"):
        m.d.sync += [
            registers.byte.eq(frame.read),
            registers.read_address.eq(registers.read_address + 1),
        ]
        m.next = "CONSTANT"
    with m.State("CONSTANT"):
        m.d.comb += body.payload.byte.eq(registers.byte)
        with m.If(body.ready):
            m.next = "READ"
        _count_down(m, registers)
    with m.State("STATUS"):
        faults = Signal(8)
        m.d.comb += faults.eq(registers.faults)
        counters = Cat(frame.errors, faults)
        if registers.learning is not None:
            counters = Cat(registers.learning.samples, counters)
        m.d.comb += body.payload.byte.eq(counters.word_select(registers.bytes_left, 8))
        _count_down(m, registers)


def _states(m: Module, registers: CommandRegisters) -> None:
    """Slices of states, through the register that brought the image in."""
    body, row, states = registers.body, registers.row, registers.core.states
    length, last_slice = states_bytes(registers.parameters), Signal()
    with m.State("STATES"):
        m.d.comb += states.ready.eq(1)
        with m.If(states.valid):
            m.d.sync += [
                row[: 8 * length].eq(states.payload.states),
                last_slice.eq(states.payload.last),
                registers.bytes_left.eq(length - 1),
            ]
            m.next = "BYTE"
    with m.State("BYTE"):
        m.d.comb += [body.payload.byte.eq(top_byte(m, registers)), body.valid.eq(1)]
        with m.If(body.ready):
            m.next = "TURN"
        if registers.learning is not None:
            read_byte(m, registers)
    with m.State("TURN"):
        m.d.sync += [row.eq(row << 1), registers.bit.eq(registers.bit + 1)]
        with m.If(registers.bit == 7):
            m.d.sync += registers.bytes_left.eq(registers.bytes_left - 1)
            m.next = "BYTE"
            with m.If(registers.last_byte_done):
                m.next = "STATES"
                with m.If(last_slice):
                    m.d.sync += [
                        registers.bytes_left.eq(registers.summary_bytes - 1),
                        registers.last_byte_done.eq(0),
                    ]
                    m.next = "SUMMARY"
                if registers.learning is not None:
                    with m.If(registers.reads):
                        m.next = "ASK"


def _summary(m: Module, registers: CommandRegisters) -> None:
    """The summary ends every result; the core has it when the phase is over."""
    body, summary = registers.body, registers.core.summary
    learns = registers.learning is not None
    word = summary_word(summary.payload, learns=learns)
    with m.State("SUMMARY"):
        if learns:
            let_go(m, registers)
        with m.If(summary.valid):
            m.d.comb += body.payload.byte.eq(word.word_select(registers.bytes_left, 8))
            _count_down(m, registers)
            if learns:
                with m.If(next_command(m, registers)):
                    m.d.comb += body.payload.last.eq(0)
            m.d.comb += summary.ready.eq(body.ready & registers.last_byte_done)


def _count_down(m: Module, registers: CommandRegisters) -> None:
    """CommandRegisters through the bytes of a number, the last of which ends the reply."""
    body = registers.body
    m.d.comb += [body.valid.eq(1), body.payload.last.eq(registers.last_byte_done)]
    with m.If(body.ready):
        m.d.sync += registers.bytes_left.eq(registers.bytes_left - 1)
        with m.If(registers.last_byte_done):
            m.next = "RELEASE"
