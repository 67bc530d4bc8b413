"""Frames in gateware: from bytes to checked requests, and from replies to bytes."""

from amaranth import Cat, Module, Mux, ResetInserter, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from toreq_hw.boards.link.protocol import (
    CRC_BYTES,
    ESCAPE,
    FLAG,
    FLIP,
    HEADER_BYTES,
    Request,
)

ERRORS_BITS = 8


class Deframer(wiring.Component):
    """Collects one frame in a buffer, checks it, and holds it until it is released.

    Frames are shorter than the buffer. data, valid: bytes from a UART, four cycles apart or more.
    held: a frame whose length and CRC are right waits until `release`. type: of that frame; end:
    the buffer's address after its payload. sequence, empty: of the frame that came last, held or
    not; empty: it has no payload.

    A frame that begins while another is held is dropped, unless it is an IDENTIFY or a RESET
    without payload. That one is held in the other's place; if the other was not yet released, or is
    still at work (`works`), `interrupts` is high for a cycle.

    read_address: an address, whose byte is at `read` in the next cycle; those from `buffer_bytes`
    on hold `constants`. errors: wrong frames, up to 255, dropped ones not among them; `clear` sets
    it to 0.
    """

    def __init__(self, buffer_bytes: int, constants: bytes) -> None:
        self._size = buffer_bytes
        self._constants = constants
        bits = (buffer_bytes - 1).bit_length()
        super().__init__(
            {
                "data": In(8),
                "valid": In(1),
                "held": Out(1),
                "release": In(1),
                "works": In(1),
                "interrupts": Out(1),
                "sequence": Out(8),
                "empty": Out(1),
                "type": Out(8),
                "end": Out(bits),
                "read_address": In(bits + 1),
                "read": Out(8),
                "errors": Out(ERRORS_BITS),
                "clear": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the buffer and the CRC; a flag ends one frame and begins the next."""
        m = Module()
        self._urgent = Signal()  # the frame that comes in is an IDENTIFY, or if `_resets` a RESET
        self._resets = Signal()
        self._late = Signal()  # it began while another one was held
        contents = [*bytes(self._size), *self._constants]
        # No byte is used that is read in the cycle in which it is written (rtl/collisions.py).
        m.submodules.buffer = buffer = Memory(
            shape=unsigned(8), depth=2 * self._size, init=contents, attrs={"no_rw_check": 1}
        )
        crc, restart = CRC16_IBM_3740(data_width=8).create(), Signal()
        m.submodules.crc = ResetInserter(restart)(crc)  # smaller than its own `start`
        write, read = buffer.write_port(), buffer.read_port()
        inside, escaped, overflow = Signal(), Signal(), Signal()
        count = Signal(range(self._size))
        self._inside, self._escaped, self._overflow, self._count = inside, escaped, overflow, count
        self._crc, late = crc.crc, self._late
        whole, good = Signal(), Signal()
        m.d.comb += [
            read.addr.eq(self.read_address),
            self.read.eq(read.data),
            write.addr.eq(count),
            write.data.eq(self.data ^ Mux(escaped, FLIP, 0)),
            crc.data.eq(write.data),
            whole.eq(inside & ~escaped & ~overflow & crc.match_detected),
            good.eq(whole & ~late & (self.end == (count - CRC_BYTES)[: len(count)])),
        ]
        with m.If(self.clear):
            m.d.sync += self.errors.eq(0)
        with m.If(self.release):
            m.d.sync += self.held.eq(0)
        with m.If(self.valid):
            with m.If(self.data == FLAG):
                m.d.comb += restart.eq(1)
                self._end(m, whole, good)
            with m.Elif((self.data == ESCAPE) & ~escaped):
                m.d.sync += escaped.eq(1)
            with m.Elif(inside):
                m.d.comb += [write.en.eq(~late), crc.valid.eq(1)]
                m.d.sync += [
                    escaped.eq(0),
                    count.eq(count + 1),
                    overflow.eq(overflow | count.all()),
                ]
                self._header(m, count, write.data, overflow)
        return m

    def _end(self, m: Module, whole: Value, good: Value) -> None:
        """A flag: the frame that came is held if good, or counts as wrong; the next begins."""
        inside, escaped, overflow, count = self._inside, self._escaped, self._overflow, self._count
        late = self._late
        m.d.sync += [
            inside.eq(1),
            escaped.eq(0),
            overflow.eq(0),
            count.eq(0),
            late.eq(good | (self.held & ~self.release)),
        ]
        with m.If(good):
            m.d.sync += self.held.eq(1)
        with m.Elif(inside & (overflow | (count != 0)) & ~late & ~self.errors.all()):
            m.d.sync += self.errors.eq(self.errors + 1)
        beside = late | self.works
        self._replace(m, whole & beside & (count == HEADER_BYTES + CRC_BYTES))

    def _header(self, m: Module, count: Signal, byte: Signal, overflow: Signal) -> None:
        """Keeps the header; a length that the buffer cannot hold is an overflow."""
        high = len(count) - 8
        end = Signal(len(count) + 1)
        m.d.comb += end.eq(Cat(byte, self.end[8:]) + HEADER_BYTES)
        with m.Switch(count):
            with m.Case(0):
                m.d.sync += self.sequence.eq(byte)
            with m.Case(1):
                m.d.sync += [
                    self._urgent.eq((byte & ~Request.RESET.value) == Request.IDENTIFY),
                    self._resets.eq(byte[1]),
                ]
                with m.If(~self._late):
                    m.d.sync += self.type.eq(byte)
            with m.Case(2):
                m.d.sync += [self.empty.eq(byte == 0), overflow.eq(overflow | byte[high:].any())]
                with m.If(~self._late):
                    m.d.sync += self.end[8:].eq(byte[:high])
            with m.Case(3):
                m.d.sync += self.empty.eq(self.empty & (byte == 0))
                with m.If(~self._late):
                    m.d.sync += [self.end.eq(end), overflow.eq(overflow | end[-1])]

    def _replace(self, m: Module, short: Value) -> None:
        """At the end of a frame that is `short` and whole: IDENTIFY and RESET are always heard."""
        with m.If(short & self.empty & self._urgent):
            m.d.comb += self.interrupts.eq(self.held | self.works)
            m.d.sync += [
                self.held.eq(1),
                self._late.eq(1),
                self.type.eq(self._resets << 1),
            ]


class Framer(wiring.Component):
    """Bodies without CRC in, bytes of frames out; `last` is set with a body's last byte.

    A body's bytes go through a register, so that their sources and the UART share no long path:
    `ready` comes from the state alone, not while a frame begins, nor in the cycle after a byte.
    abort: breaks a frame off; what comes next begins with a flag.
    """

    def __init__(self) -> None:
        layout = data.StructLayout({"byte": unsigned(8), "last": 1})
        super().__init__(
            {
                "body": In(stream.Signature(layout)),
                "abort": In(1),
                "bytes": Out(stream.Signature(unsigned(8))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the CRC and the stuffing; a byte that needs an escape waits a turn."""
        m = Module()
        crc, restart = CRC16_IBM_3740(data_width=8).create(), Signal()
        m.submodules.crc = ResetInserter(restart)(crc)
        taken = Signal.like(self.body.payload)
        byte, escaped, sent = Signal(8), Signal(), Signal()
        special = Signal()
        m.d.comb += [
            special.eq(((byte == FLAG) | (byte == ESCAPE)) & ~escaped),
            crc.data.eq(byte),
        ]

        def send() -> None:
            """Offers `byte`, or its escape first; `sent` is high when the byte is through."""
            m.d.comb += [
                self.bytes.payload.eq(Mux(special, ESCAPE, byte ^ Mux(escaped, FLIP, 0))),
                sent.eq(self.bytes.valid & self.bytes.ready & ~special),
            ]
            with m.If(self.bytes.valid & self.bytes.ready):
                m.d.sync += escaped.eq(special)

        self._taken, self._escaped = taken, escaped
        with m.FSM(name="framer") as fsm:
            self._fsm = fsm
            self._begin(m, restart)
            with m.State("SEND"):
                m.d.comb += [byte.eq(taken.byte), self.bytes.valid.eq(1)]
                send()
                m.d.comb += crc.valid.eq(sent)
                with m.If(sent):
                    m.next = "BODY"
                    with m.If(taken.last):
                        m.next = "CRC"
            for state, part, after in (("CRC", 1, "CRC-LOW"), ("CRC-LOW", 0, "END")):
                with m.State(state):
                    m.d.comb += [byte.eq(crc.crc.word_select(part, 8)), self.bytes.valid.eq(1)]
                    send()
                    with m.If(sent):
                        m.next = after
            with m.State("END"):
                m.d.comb += [self.bytes.payload.eq(FLAG), self.bytes.valid.eq(1)]
                with m.If(self.bytes.ready):
                    m.next = "BEGIN"
        with m.If(self.abort):
            m.d.sync += [fsm.state.eq(fsm.encoding["BEGIN"]), escaped.eq(0)]
        return m

    def _begin(self, m: Module, restart: Signal) -> None:
        """The states that send the first flag and take a byte of the body."""
        with m.State("BEGIN"):
            m.d.comb += [
                self.bytes.payload.eq(FLAG),
                self.bytes.valid.eq(self.body.valid),
                restart.eq(1),
            ]
            with m.If(self.bytes.valid & self.bytes.ready):
                m.next = "BODY"
        with m.State("BODY"):
            m.d.comb += self.body.ready.eq(1)
            m.d.sync += self._taken.eq(self.body.payload)
            with m.If(self.body.valid):
                m.next = "SEND"
