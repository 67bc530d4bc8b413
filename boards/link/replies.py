"""Answers: what became of a request, and what it asked for."""

from amaranth import Cat, Module, Mux, Signal

from toreq_hw.boards.link.loading import BROKEN
from toreq_hw.boards.link.protocol import (
    REPLY,
    STATUS_BYTES,
    SUMMARY_BYTES,
    Code,
    Request,
)
from toreq_hw.boards.link.steps import Steps
from toreq_hw.boards.link.wire_format import states_bytes, summary_word


def add_replies(m: Module, steps: Steps) -> None:
    """The HEAD of every reply, then what it carries; its last byte leads to RELEASE."""
    _head(m, steps)
    _parts(m, steps)
    _states(m, steps)
    _summary(m, steps)


def measure_reply(m: Module, steps: Steps) -> None:
    """The length of the reply's payload, known before its first byte, which says what became."""
    rows = steps.parameters.slices * states_bytes(steps.parameters)
    runs = steps.asks[Request.NUDGE] | (steps.asks[Request.IMAGE] & steps.final)
    fine = steps.code == Code.OK
    with m.If(fine & runs):
        m.d.comb += steps.length.eq(1 + SUMMARY_BYTES + Mux(steps.reports, rows, 0))
    with m.Elif(fine & steps.asks[Request.IDENTIFY]):
        m.d.comb += steps.length.eq(1 + steps.constants)
    with m.Elif(fine & steps.asks[Request.STATUS]):
        m.d.comb += steps.length.eq(1 + STATUS_BYTES)
    with m.Else():
        m.d.comb += [steps.length.eq(1), steps.empty.eq(1)]


def _head(m: Module, steps: Steps) -> None:
    """Header and first byte of the reply; `left` counts down to that byte.

    What is refused ends the load or the image that it belongs to; one of another request stays.
    """
    body, frame, length = steps.body, steps.frame, steps.length
    status = Cat(steps.code, steps.loaded, steps.loading, steps.open, steps.faults.any())
    head = (status, length[:8], length[8:], frame.type | REPLY, steps.last_sequence)
    refused = steps.code[1] | steps.code[2]
    with m.State("HEAD"):
        m.d.comb += body.valid.eq(1)
        with m.If(refused & (steps.asks[Request.WORDS] | steps.asks[Request.COMMIT])):
            m.d.sync += steps.space.eq(BROKEN)
        with m.If(refused & steps.asks[Request.IMAGE]):
            m.d.sync += steps.open.eq(0)
        with m.Switch(steps.left):
            for index, byte in enumerate(head):
                with m.Case(index):
                    m.d.comb += body.payload.byte.eq(byte)
        with m.If(body.ready):
            m.d.sync += steps.left.eq(steps.left - 1)
        with m.If(steps.spent):
            m.d.comb += body.payload.last.eq(steps.empty)
            with m.If(body.ready):
                with m.If(steps.empty):
                    m.next = "RELEASE"
                with m.Elif(steps.asks[Request.IDENTIFY]):
                    m.d.sync += steps.left.eq(steps.constants - 1)
                    m.next = "READ"
                with m.Elif(steps.asks[Request.STATUS]):
                    m.d.sync += steps.left.eq(STATUS_BYTES - 1)
                    m.next = "STATUS"
                with m.Elif(steps.reports):
                    m.next = "STATES"
                with m.Else():
                    m.d.sync += steps.left.eq(SUMMARY_BYTES - 1)
                    m.next = "SUMMARY"


def _parts(m: Module, steps: Steps) -> None:
    """The identity, or the counters of errors."""
    body, frame = steps.body, steps.frame
    with m.State("READ"):
        m.d.sync += [steps.byte.eq(frame.read), steps.at.eq(steps.at + 1)]
        m.next = "CONSTANT"
    with m.State("CONSTANT"):
        m.d.comb += body.payload.byte.eq(steps.byte)
        with m.If(body.ready):
            m.next = "READ"
        _count_down(m, steps)
    with m.State("STATUS"):
        m.d.comb += body.payload.byte.eq(Mux(steps.left[0], steps.faults, frame.errors))
        _count_down(m, steps)


def _states(m: Module, steps: Steps) -> None:
    """Slices of states, through the register that brought the image in."""
    body, row, states = steps.body, steps.row, steps.core.states
    length, last_slice = states_bytes(steps.parameters), Signal()
    with m.State("STATES"):
        m.d.comb += states.ready.eq(1)
        with m.If(states.valid):
            m.d.sync += [
                row[len(row) - 8 * length :].eq(states.payload.states),
                last_slice.eq(states.payload.last),
                steps.left.eq(length - 1),
            ]
            m.next = "BYTE"
    with m.State("BYTE"):
        m.d.comb += [body.payload.byte.eq(row[-8:]), body.valid.eq(1)]
        with m.If(body.ready):
            m.next = "TURN"
    with m.State("TURN"):
        m.d.sync += [row.eq(row << 1), steps.bit.eq(steps.bit + 1)]
        with m.If(steps.bit == 7):
            m.d.sync += steps.left.eq(steps.left - 1)
            m.next = "BYTE"
            with m.If(steps.spent):
                m.next = "STATES"
                with m.If(last_slice):
                    m.d.sync += [steps.left.eq(SUMMARY_BYTES - 1), steps.spent.eq(0)]
                    m.next = "SUMMARY"


def _summary(m: Module, steps: Steps) -> None:
    """The summary ends every result; the core has it when the phase is over."""
    body, summary = steps.body, steps.core.summary
    with m.State("SUMMARY"), m.If(summary.valid):
        m.d.comb += body.payload.byte.eq(summary_word(summary.payload).word_select(steps.left, 8))
        _count_down(m, steps)
        m.d.comb += summary.ready.eq(body.ready & steps.spent)


def _count_down(m: Module, steps: Steps) -> None:
    """Steps through the bytes of a number, the last of which ends the reply."""
    body = steps.body
    m.d.comb += [body.valid.eq(1), body.payload.last.eq(steps.spent)]
    with m.If(body.ready):
        m.d.sync += steps.left.eq(steps.left - 1)
        with m.If(steps.spent):
            m.next = "RELEASE"
