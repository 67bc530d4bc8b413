"""What is proved of the link: IDENTIFY and RESET are heard and answered, whatever comes or came."""

import binascii
from typing import ClassVar

from amaranth import Cat, Module, Mux, Signal, Value

from testbench.boards.worked_example import network
from testbench.rtl.properties import Property, make_module
from toreq_hw.boards.link.gateware import FrameLink
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.protocol import (
    ESCAPE,
    FLAG,
    FLIP,
    HEADER_BYTES,
    REPLY,
    Code,
    Request,
)
from toreq_hw.rtl.parameters import CoreParameters

CLOCK_HZ = 24_000_000
REPLY_STATES = ("HEAD", "READ", "CONSTANT", "STATUS", "STATES", "BYTE", "TURN", "SUMMARY")
"""Of the command unit: a body is on its way to the framer."""

GAP = 4
"""Cycles from one byte that comes in to the next, at least; a UART takes ten bits of 4 or more."""

PARAMETERS = CoreParameters.of(network(), lanes=2)
CONSTANTS = len(Identity.of(PARAMETERS, CLOCK_HZ).encode())
HEAD = HEADER_BYTES + 1
"""Bytes of a reply up to its status."""

BYTE_CYCLES = 5
"""Of a byte of a reply, at most: out of the unit, into the framer, its escape, itself."""

START_CYCLES, TAIL_CYCLES, FLAG_CYCLES = 2, 8, 7
"""At most: until a reply begins, of the end of the one before, of a flag and an end of its own."""

LIMITS = {
    request: BYTE_CYCLES * size + START_CYCLES + TAIL_CYCLES + FLAG_CYCLES
    for request, size in ((Request.RESET, HEAD), (Request.IDENTIFY, HEAD + CONSTANTS))
}
"""Cycles from the flag that ends a request to the flag that ends its answer, at most, without
those in which a byte of a reply waits for the line."""


class LinkAnswers(Property):
    """A whole link without UART, behind it any core: what its ports say is the solver's choice.

    Bytes come in at any time, `GAP` cycles apart or more, and are any bytes; the line takes bytes
    at any time. A recogniser of its own, which follows docs/link.md, says when the flag comes that
    ends an IDENTIFY or RESET without payload.

    heard: in the cycle after that flag, and in no other, the command unit has such a frame and has
    let go of everything else: it waits, the core is being reset, no image and no load is under way.
    answered: the answer is out within LIMITS, with its sequence number, its type and OK, unless
    another such frame comes before: that one is then answered instead. Cycles in which the line
    keeps a byte waiting do not count.

    helped: the checks take in what makes them inductive: how registers hang together, and that the
    cycles that are used and those that are still needed are within the limit in each state.
    """

    CHECKS: ClassVar[tuple[str, ...]] = ("heard", "answered")

    def __init__(self, *, helped: bool = True) -> None:
        super().__init__()
        self._helped = helped

    def describe(self, m: Module) -> None:
        """The link, a line, any core."""
        m.submodules.link = self._link = link = FrameLink(PARAMETERS, CLOCK_HZ)
        for part in (link.deframer, link.framer, link.commands):
            make_module(part)
        for name in ("inputs", "commands", "loads"):
            self.drive(m, getattr(link.core, name).ready, f"{name}_ready")
        for name in ("states", "summary"):
            self.drive(m, getattr(link.core, name).payload, f"{name}_payload")
            self.drive(m, getattr(link.core, name).valid, f"{name}_valid")
        for name in ("faults", "idle"):
            self.drive(m, getattr(link.core, name), name)
        for port, name in ((link.data, "data"), (link.valid, "valid")):
            self.drive(m, port, name)
        self.drive(m, link.bytes.ready, "line_ready")
        self._rest = Signal(range(GAP), init=GAP - 1)
        m.d.sync += self._rest.eq(
            Mux(link.valid, 0, Mux(self._rest == GAP - 1, GAP - 1, self._rest + 1))
        )
        self.assume(~link.valid | (self._rest == GAP - 1))
        self._recognise(m)
        self._follow_answer(m)

    def help(self, condition: Value, when: "Value | int" = 1) -> None:
        """A link between registers that always holds, and that both checks rest on."""
        if self._helped:
            for name in self.CHECKS:
                self.check(name, condition, when=when)

    def _recognise(self, m: Module) -> None:
        """`complete`: the flag that ends the frame comes now; `resets`: it is a RESET."""
        link = self._link
        inside, escaped, short = Signal(), Signal(), Signal(init=1)
        at, crc = Signal(3), Signal(16)
        self._complete, self._resets, self._sequence = Signal(), Signal(), Signal(8)
        fits = Signal()
        byte = Signal(8)
        m.d.comb += [
            byte.eq(link.data ^ Mux(escaped, FLIP, 0)),
            self._complete.eq(
                link.valid
                & (link.data == FLAG)
                & inside
                & ~escaped
                & short
                & fits
                & (at == 6)
                & (crc == 0)
            ),
        ]
        with m.If(link.valid):
            with m.If(link.data == FLAG):
                m.d.sync += [inside.eq(1), escaped.eq(0), at.eq(0), crc.eq(0xFFFF), short.eq(1)]
            with m.Elif((link.data == ESCAPE) & ~escaped):
                m.d.sync += escaped.eq(1)
            with m.Elif(inside):
                m.d.sync += [escaped.eq(0), crc.eq(crc_after(crc, byte))]
                m.d.sync += [at.eq(at + 1), short.eq(short & (at != 7))]
                with m.Switch(at):
                    with m.Case(0):
                        m.d.sync += self._sequence.eq(byte)
                    with m.Case(1):
                        m.d.sync += self._resets.eq(byte == Request.RESET)
                        m.d.sync += fits.eq((byte == Request.RESET) | (byte == Request.IDENTIFY))
                    with m.Case(2, 3):
                        m.d.sync += fits.eq(fits & (byte == 0))
        self._link_to_deframer(inside, escaped, short, fits, at, crc)

    def _link_to_deframer(
        self, inside: Value, escaped: Value, short: Value, fits: Value, at: Value, crc: Value
    ) -> None:
        """What the recogniser and the deframer have in common."""
        deframer = self._link.deframer
        self.help((deframer._inside == inside) & (~inside | (deframer._escaped == escaped)))
        self.help(deframer._crc == crc, when=inside)
        self.help(deframer._count[:3] == at, when=inside)
        self.help(deframer._count[3:] == 0, when=inside & short)
        self.help(deframer._count[3:] != 0, when=inside & ~short & ~deframer._overflow)
        self.help(deframer.sequence == self._sequence, when=inside & short & (at > 0))
        seen = inside & short & (at > 1)
        self.help(deframer._resets == self._resets, when=seen & deframer._urgent)
        self.help(deframer._urgent == fits, when=seen & (at == 2))
        self.help((deframer._urgent & deframer.empty) == fits, when=seen & (at > 2))
        self.help(~deframer._overflow, when=inside & short & ((at < 3) | (fits & seen)))
        own = ~deframer._late
        self.help(~deframer.held, when=inside & own)
        self.help(deframer.type == Mux(self._resets, 2, 0), when=seen & own & fits)
        self.help(deframer.end == HEADER_BYTES, when=seen & own & fits & (at > 3))

    def _follow_answer(self, m: Module) -> None:
        """From the flag on: what is asked for, how far its answer is, cycles used."""
        link = self._link
        framer, framer_is = link.framer, link.framer._fsm.ongoing
        self._was, self._kind = Signal(), Signal(8)
        self._asked = Signal(8)  # its sequence number
        self._pending, self._begun, self._given = Signal(), Signal(), Signal()
        self._used = Signal(range(max(LIMITS.values()) + 2))
        self._takes = framer.body.valid & framer.body.ready
        waits = link.bytes.valid & ~link.bytes.ready
        m.d.sync += self._was.eq(self._complete)
        with m.If(self._pending & ~waits):
            m.d.sync += self._used.eq(self._used + 1)
        with m.If(framer_is("BEGIN") & link.bytes.valid & link.bytes.ready):
            m.d.sync += self._begun.eq(1)
        with m.If(self._begun & self._takes & framer.body.payload.last):
            m.d.sync += self._given.eq(1)
        with m.If(self._given & framer_is("END") & link.bytes.ready):
            m.d.sync += self._pending.eq(0)
        with m.If(self._complete):
            m.d.sync += [self._pending.eq(1), self._begun.eq(0), self._given.eq(0)]
            m.d.sync += [self._used.eq(0), self._asked.eq(self._sequence)]
            m.d.sync += self._kind.eq(Mux(self._resets, Request.RESET, Request.IDENTIFY))
        self._check_answer(m)
        self._help_states()
        self._help_reply()
        self._help_cycles(m)

    def _check_answer(self, m: Module) -> None:
        link = self._link
        deframer, unit = link.deframer, link.commands
        steps, unit_is = unit._registers, unit._fsm.ongoing
        there = deframer.held & (deframer.type == self._kind) & (deframer.sequence == self._asked)
        self.check("heard", unit_is("WAIT") & there, when=self._was)
        was_held = Signal()
        m.d.sync += was_held.eq(deframer.held & ~deframer.release)
        over = link.core.reset & ~steps.open & ~steps.loading
        self.check("heard", over, when=self._was & was_held)
        self.check("heard", self._complete, when=deframer.interrupts)

        self._limit = Mux(
            self._kind == Request.RESET, LIMITS[Request.RESET], LIMITS[Request.IDENTIFY]
        )
        self.check("answered", self._used <= self._limit, when=self._pending)
        body = link.framer.body.payload.byte
        head = self._pending & self._begun & ~self._given & self._takes & unit_is("HEAD")
        for left, right in (
            (4, body == self._asked),
            (3, body == self._kind | REPLY),
            (0, body[:4] == Code.OK),
        ):
            self.check("answered", right, when=head & (steps.bytes_left == left))

    def _help_states(self) -> None:
        """Where unit and framer are, with and without an answer to come."""
        link = self._link
        deframer, framer, unit = link.deframer, link.framer, link.commands
        unit_is, framer_is = unit._fsm.ongoing, framer._fsm.ongoing
        last = framer._taken.last
        ends = framer_is("BEGIN") | framer_is("CRC") | framer_is("CRC-LOW") | framer_is("END")
        ends = ends | (framer_is("SEND") & last)
        self.help(ends, when=~Cat(unit_is(state) for state in REPLY_STATES).any())
        self.help(unit_is("WAIT"), when=~deframer.held)
        self.help(self._begun, when=self._given)
        comes = self._pending & ~self._given
        self.help(deframer.held & (deframer.type == self._kind), when=comes)
        before = unit_is("WAIT") | unit_is("DISPATCH")
        quick = before | unit_is("HEAD") | unit_is("READ") | unit_is("CONSTANT")
        self.help(quick, when=comes)
        self.help(~self._begun, when=comes & before)
        self.help(framer_is("BODY") | (framer_is("SEND") & ~last), when=comes & self._begun)
        self.help(ends, when=comes & ~self._begun)
        self.help(ends & ~framer_is("BEGIN"), when=self._pending & self._given)

    def _help_reply(self) -> None:
        """What the registers of the unit hold while an answer comes."""
        deframer, unit = self._link.deframer, self._link.commands
        steps, unit_is = unit._registers, unit._fsm.ongoing
        comes = self._pending & ~self._given
        before = unit_is("WAIT") | unit_is("DISPATCH")
        known = deframer.empty & (deframer.sequence == self._asked)
        self.help(known, when=comes & before)
        self.help(self._rest == 0, when=self._was | (comes & unit_is("WAIT")))
        self.help(self._rest == 1, when=comes & unit_is("DISPATCH"))
        decoded = ~steps.unknown
        for request, asked in steps.asks.items():
            decoded = decoded & (asked == (self._kind == request))
        self.help(decoded, when=comes & ~unit_is("WAIT"))
        replies = comes & ~before
        fine = (steps.code == Code.OK) & (steps.last_sequence == self._asked)
        self.help(fine & (steps.bytes_left < CONSTANTS), when=replies)
        self.help(steps.bytes_left < HEAD, when=replies & unit_is("HEAD"))
        identity = self._begun & (self._kind == Request.IDENTIFY)
        self.help(identity, when=replies & ~unit_is("HEAD"))
        fresh = steps.last_byte_done == (steps.bytes_left == 0)
        self.help(fresh, when=replies & self._link.framer._fsm.ongoing("BODY"))

    def _help_cycles(self, m: Module) -> None:
        """What is used and what is still needed, state by state, stay within the limit."""
        framer, unit = self._link.framer, self._link.commands
        steps, unit_is, framer_is = unit._registers, unit._fsm.ongoing, framer._fsm.ongoing
        more = Mux(self._kind == Request.RESET, 0, CONSTANTS)
        words, start, tail = Signal(8), Signal(2), Signal(4)
        with m.If(unit_is("WAIT") | unit_is("DISPATCH")):
            m.d.comb += [words.eq(HEAD + more), start.eq(Mux(unit_is("WAIT"), 2, 1))]
        with m.Elif(unit_is("HEAD")):
            m.d.comb += words.eq(steps.bytes_left + 1 + more)
        with m.Else():
            m.d.comb += [words.eq(steps.bytes_left + 1), start.eq(unit_is("READ"))]
        sends = Mux(self._begun & ~self._given, 9, 8)
        for state, cycles in (("END", 1), ("CRC-LOW", 3), ("CRC", 5), ("SEND", sends), ("BODY", 6)):
            with m.If(framer_is(state)):
                escaped = framer._escaped if state in ("CRC-LOW", "CRC", "SEND") else 0
                m.d.comb += tail.eq(cycles - escaped)
        needed = Signal(range(2 * max(LIMITS.values())))
        flag = Mux(self._begun, 0, FLAG_CYCLES)
        m.d.comb += needed.eq(Mux(self._given, tail, BYTE_CYCLES * words + start + tail + flag))
        if self._helped:
            self.check("answered", self._used + needed <= self._limit, when=self._pending)


def crc_after(crc: Value, byte: Value) -> Value:
    """The CRC of docs/link.md one byte on, from the software side: it is linear in both."""
    bits = []
    moved = [_crc_step(1 << k, 0) for k in range(16)]
    fed = [_crc_step(0, 1 << k) for k in range(8)]
    for bit in range(16):
        terms = [crc[k] for k in range(16) if moved[k] >> bit & 1]
        terms += [byte[k] for k in range(8) if fed[k] >> bit & 1]
        bits.append(Cat(*terms).xor())
    return Cat(*bits)


def _crc_step(crc: int, byte: int) -> int:
    return binascii.crc_hqx(bytes([byte]), crc)
