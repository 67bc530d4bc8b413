"""Carries out requests, one at a time: words to the core, replies to the host."""

from amaranth import Cat, Const, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.crc.catalog import CRC32_BZIP2
from amaranth.lib.wiring import In, Out

from toreq_hw.boards.link.frames import Deframer, Framer
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.protocol import (
    HEADER_BYTES,
    IMAGE_HEADER,
    LOAD_CHECK_BYTES,
    NUDGE_HEADER,
    REPLY,
    SPARSE_BYTES,
    STATUS_BYTES,
    SUMMARY_BYTES,
    SUMMARY_FIELDS,
    WORDS_HEADER,
    Code,
    Request,
)
from toreq_hw.rtl.interfaces import (
    SPACE_BITS,
    Fault,
    Space,
    command_payload,
    input_payload,
    load_payload,
    source_of,
    states_payload,
    summary_payload,
)
from toreq_hw.rtl.parameters import CoreParameters

_HEADERS = {
    Request.WORDS: WORDS_HEADER,
    Request.COMMIT: LOAD_CHECK_BYTES,
    Request.IMAGE: IMAGE_HEADER,
    Request.NUDGE: NUDGE_HEADER,
}
"""Bytes of the first item of a payload; requests that are absent have none."""


def row_bytes(parameters: CoreParameters) -> dict[int, int]:
    """Bytes of a word of each `Space` in WORDS."""
    bits = {Space.WEIGHTS + k: parameters.lanes * s.width for k, s in enumerate(parameters.stores)}
    return {space: -(-n // 8) for space, n in (bits | {Space.BIAS: parameters.bias_bits}).items()}


def states_bytes(parameters: CoreParameters) -> int:
    """Bytes of a slice of states in a reply."""
    return -(-parameters.update_lanes * parameters.state_bits // 8)


def core_signature(parameters: CoreParameters) -> wiring.Signature:
    """The ports of a core, seen from the link; `reset` is the core's own."""
    return wiring.Signature(
        {
            "inputs": Out(source_of(input_payload(parameters))),
            "commands": Out(source_of(command_payload(parameters))),
            "loads": Out(source_of(load_payload(parameters))),
            "states": In(source_of(states_payload(parameters))),
            "summary": In(source_of(summary_payload(parameters))),
            "faults": In(len(Fault)),
            "idle": In(1),
            "reset": Out(1),
        }
    )


class CommandUnit(wiring.Component):
    """Between a deframer, a framer and a core.

    A payload is a list of items: its header, then rows, or values. Every item is shifted bit by
    bit into one register, highest first, from where the core's ports take it; rows of any width
    end up aligned, and the check of a load takes one bit a cycle. core.reset: for one cycle, ends
    what runs and clears the core's faults. loaded: a network whose check held is in the core.
    """

    def __init__(
        self, parameters: CoreParameters, identity: Identity, deframer: Deframer, framer: Framer
    ) -> None:
        self._parameters = parameters
        self._constants = len(identity.encode())
        self._frame = deframer
        self._body = framer.body
        super().__init__(
            {
                "core": Out(core_signature(parameters)),
                "loaded": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Builds the machine; the states that take a request apart, then those that reply."""
        m = Module()
        self._make_registers()
        self._check, self._restart = CRC32_BZIP2(data_width=1).create(), Signal()
        m.submodules.check = ResetInserter(self._restart)(self._check)
        m.d.comb += self._frame.at.eq(self._at)
        m.d.sync += self._spent.eq(self._left == 0)
        self._connect_ports(m)
        self._measure(m)
        with m.FSM(name="request"):
            self._wait(m)
            self._dispatch(m)
            self._fetch(m)
            self._shift(m)
            self._header(m)
            self._item(m)
            self._command(m)
            self._head(m)
            self._parts(m)
            self._results(m)
            with m.State("RELEASE"):
                m.d.comb += self._frame.release.eq(1)
                m.next = "WAIT"
        return m

    def _make_registers(self) -> None:
        parameters = self._parameters
        longest = max(*row_bytes(parameters).values(), states_bytes(parameters), WORDS_HEADER)
        self._row = Signal(8 * longest)
        self._at = Signal.like(self._frame.at)
        self._bit = Signal(3)
        self._left = Signal(range(max(longest, SUMMARY_BYTES, self._constants)))
        # Nothing was left a cycle ago: the framer takes no byte in the first cycle of a count.
        self._spent = Signal()
        self._partial = Signal()  # no item is whole yet, or the one at hand is not
        self._last_sequence = Signal(8)
        self._flags = Signal(4)  # of IMAGE; NUDGE has the last of them
        self._code = Signal(4)
        self._parsed = Signal()  # the header is
        self._loading = Signal()
        self._open = Signal()
        self._space = Signal(SPACE_BITS)
        self._address = Signal(load_payload(parameters)["address"].shape)
        self._is = {request: self._frame.type == request for request in Request}

    @property
    def _first(self) -> Value:
        return self._flags[0]

    @property
    def _final(self) -> Value:
        return self._flags[1]

    @property
    def _sparse(self) -> Value:
        return self._flags[2]

    @property
    def _report(self) -> Value:
        return self._flags[3]

    def _connect_ports(self, m: Module) -> None:
        """Payloads come straight out of the register; states raise `valid`."""
        row, word, command = self._row, self.core.inputs.payload, self.core.commands.payload
        at_end = Signal()
        m.d.comb += [
            at_end.eq(self._at == self._frame.end),
            word.value.eq(row[:8]),
            word.index.eq(row[8:]),
            word.dense.eq(~self._sparse),
            word.last.eq(self._final & at_end),
            self.core.loads.payload.space.eq(self._space),
            self.core.loads.payload.address.eq(self._address),
            self.core.loads.payload.data.eq(row),
            command.report.eq(self._report),
            command.label.eq(row[:16]),
        ]
        self._at_end = at_end
        with m.If(self._is[Request.NUDGE]):
            m.d.comb += command.command.eq(row[16:18])

    def _wait(self, m: Module) -> None:
        with m.State("WAIT"):
            m.d.sync += [
                self._at.eq(HEADER_BYTES),
                self._bit.eq(0),
                self._partial.eq(1),
                self._parsed.eq(0),
                self._code.eq(Code.OK),
            ]
            with m.If(self._frame.held):
                m.next = "DISPATCH"

    def _reply(self, m: Module, code: Code) -> None:
        m.d.sync += [self._code.eq(code), self._left.eq(HEADER_BYTES)]
        m.next = "HEAD"

    def _dispatch(self, m: Module) -> None:
        """Refuses what cannot be now; the payload's first byte is at hand."""
        flags = self._frame.read
        repeated = Signal()
        m.d.sync += repeated.eq(self._frame.sequence == self._last_sequence)
        with m.State("DISPATCH"):
            m.d.sync += [
                self._last_sequence.eq(self._frame.sequence),
                self._flags.eq(flags),
            ]
            with m.Switch(self._frame.type):
                for request, length in _HEADERS.items():
                    with m.Case(request):
                        m.d.sync += self._left.eq(length - 1)
            m.next = "FETCH"
            with m.If(self._frame.type[3:] != 0):
                self._reply(m, Code.UNKNOWN)
            with m.Elif(self._is[Request.IDENTIFY]):
                m.d.sync += self._at.eq(1 << (len(self._at) - 1))
                self._reply(m, Code.OK)
            with m.Elif(self._is[Request.STATUS]):
                self._reply(m, Code.OK)
            with m.Elif(self._is[Request.RESET]):
                m.d.comb += [self.core.reset.eq(1), self._frame.clear.eq(1)]
                m.d.sync += self._open.eq(0)
                self._reply(m, Code.OK)
            with m.Elif(repeated & ~(self._is[Request.IMAGE] & flags[0])):
                self._reply(m, Code.REPEATED)
            with m.Elif(self._is[Request.BEGIN]):
                m.d.comb += [self.core.reset.eq(1), self._restart.eq(1)]
                m.d.sync += [self._open.eq(0), self.loaded.eq(0), self._loading.eq(1)]
                self._reply(m, Code.OK)
            with m.Elif(self._is[Request.WORDS] | self._is[Request.COMMIT]), m.If(~self._loading):
                self._reply(m, Code.UNLOADED)
            with m.Elif(~self.loaded):
                self._reply(m, Code.UNLOADED)
            with m.Elif(self._is[Request.IMAGE] & flags[0]):
                m.d.comb += self.core.reset.eq(1)
                m.d.sync += self._open.eq(0)
            with m.Elif(self._open == self._is[Request.NUDGE]):
                self._reply(m, Code.ORDER)

    def _fetch(self, m: Module) -> None:
        """One cycle for the buffer; at the payload's end, what comes after it."""
        with m.State("FETCH"):
            with m.If(~self._at_end):
                m.next = "SHIFT"
            with m.Elif(self._partial):
                self._reply(m, Code.LENGTH)
            with m.Else():
                self._reply(m, Code.OK)
                with m.If(self._is[Request.IMAGE] & self._final):
                    m.d.sync += self._open.eq(0)

    def _shift(self, m: Module) -> None:
        """A byte into the register, in eight cycles."""
        bit = self._frame.read.bit_select(~self._bit, 1)
        m.d.comb += self._check.data.eq(bit)
        with m.State("SHIFT"):
            m.d.comb += self._check.valid.eq(self._is[Request.WORDS] | self._is[Request.COMMIT])
            m.d.sync += [
                self._row.eq(Cat(bit, self._row)),
                self._bit.eq(self._bit + 1),
                self._partial.eq(1),
            ]
            with m.If(self._bit == 7):
                m.d.sync += [self._at.eq(self._at + 1), self._left.eq(self._left - 1)]
                m.next = "FETCH"
                with m.If(self._spent):
                    m.next = "HEADER"
                    with m.If(self._parsed):
                        m.next = "ITEM"

    def _header(self, m: Module) -> None:
        """The first item: an address, a check, a limit, or a nudge."""
        with m.State("HEADER"):
            m.d.sync += self._parsed.eq(1)
            m.next = "FETCH"
            with m.If(self._is[Request.WORDS]):
                m.d.sync += [self._address.eq(self._row), self._space.eq(self._row[24:])]
                self._expect_row(m, self._row[24 : 24 + SPACE_BITS])
            with m.Elif(self._is[Request.COMMIT]):
                good = self._check.match_detected & ~self.core.faults.any()
                m.d.sync += [self.loaded.eq(good), self._loading.eq(0)]
                self._reply(m, Code.CHECK)
                with m.If(good):
                    m.d.sync += self._code.eq(Code.OK)
            with m.Elif(self._is[Request.NUDGE]):
                m.next = "COMMAND"
            with m.Else():
                m.d.sync += [self._address.eq(0), self._space.eq(Space.MAX_SWEEPS)]
                self._expect_value(m)
                with m.If(self._first):
                    m.next = "LIMIT"

    def _expect_row(self, m: Module, space: Value) -> None:
        with m.Switch(space):
            for known, length in row_bytes(self._parameters).items():
                with m.Case(known):
                    m.d.sync += self._left.eq(length - 1)

    def _expect_value(self, m: Module) -> None:
        m.d.sync += self._left.eq(Mux(self._sparse, SPARSE_BYTES - 1, 0))

    def _item(self, m: Module) -> None:
        """Hands a row or a value on, and the limit and the command that begin an image."""
        with m.State("ITEM"):
            m.d.sync += self._partial.eq(0)
            with m.If(self._is[Request.WORDS]):
                m.d.comb += self.core.loads.valid.eq(1)
                self._expect_row(m, self._space)
                with m.If(self.core.loads.ready):
                    m.d.sync += self._address.eq(self._address + 1)
                    m.next = "FETCH"
            with m.Else():
                m.d.comb += self.core.inputs.valid.eq(1)
                self._expect_value(m)
                with m.If(self.core.inputs.ready):
                    m.next = "FETCH"
        with m.State("LIMIT"):
            m.d.comb += self.core.loads.valid.eq(1)
            with m.If(self.core.loads.ready):
                m.next = "COMMAND"

    def _command(self, m: Module) -> None:
        """Gives the core its command; a core that stays idle has refused it."""
        with m.State("COMMAND"):
            m.d.comb += self.core.commands.valid.eq(1)
            with m.If(self.core.commands.ready):
                m.next = "STARTED"
        with m.State("STARTED"):
            with m.If(self.core.idle):
                self._reply(m, Code.REFUSED)
            with m.Elif(self._is[Request.NUDGE]):
                self._reply(m, Code.OK)
            with m.Else():
                m.d.sync += self._open.eq(1)
                m.next = "FETCH"

    def _measure(self, m: Module) -> None:
        """The reply's length, known before its first byte."""
        rows = self._parameters.slices * states_bytes(self._parameters)
        self._empty = Signal()
        self._length = Signal(16)
        results = Signal()
        m.d.comb += [
            results.eq(
                (self._code == Code.OK)
                & (self._is[Request.NUDGE] | (self._is[Request.IMAGE] & self._final))
            ),
        ]
        with m.If(results):
            m.d.comb += self._length.eq(1 + SUMMARY_BYTES + Mux(self._report, rows, 0))
        with m.Elif(self._is[Request.IDENTIFY]):
            m.d.comb += self._length.eq(1 + self._constants)
        with m.Elif(self._is[Request.STATUS]):
            m.d.comb += self._length.eq(1 + STATUS_BYTES)
        with m.Else():
            m.d.comb += [self._length.eq(1), self._empty.eq(1)]

    def _head(self, m: Module) -> None:
        """Header and first byte of the reply; `left` counts down to that byte."""
        body, frame = self._body, self._frame
        status = Cat(self._code, self.loaded, self._loading, self._open, self.core.faults.any())
        head = (status, self._length[:8], self._length[8:], frame.type | REPLY, frame.sequence)
        with m.State("HEAD"):
            m.d.comb += body.valid.eq(1)
            with m.Switch(self._left):
                for index, byte in enumerate(head):
                    with m.Case(index):
                        m.d.comb += body.payload.byte.eq(byte)
            with m.If(body.ready):
                m.d.sync += self._left.eq(self._left - 1)
            with m.If(self._spent):
                m.d.comb += body.payload.last.eq(self._empty)
                with m.If(body.ready):
                    with m.If(self._empty):
                        m.next = "RELEASE"
                    with m.Elif(self._is[Request.IDENTIFY]):
                        m.d.sync += self._left.eq(self._constants - 1)
                        m.next = "CONSTANT"
                    with m.Elif(self._is[Request.STATUS]):
                        m.d.sync += self._left.eq(STATUS_BYTES - 1)
                        m.next = "STATUS"
                    with m.Elif(self._report):
                        m.next = "STATES"
                    with m.Else():
                        m.d.sync += self._left.eq(SUMMARY_BYTES - 1)
                        m.next = "SUMMARY"

    def _parts(self, m: Module) -> None:
        """The identity, or the counters of errors."""
        body, frame = self._body, self._frame
        with m.State("CONSTANT"):
            m.d.comb += body.payload.byte.eq(frame.read)
            self._count_down(m)
            with m.If(body.ready):
                m.d.sync += self._at.eq(self._at + 1)
        with m.State("STATUS"):
            m.d.comb += body.payload.byte.eq(Mux(self._left[0], self.core.faults, frame.errors))
            self._count_down(m)

    def _results(self, m: Module) -> None:
        """Slices of states, through the register that brought the image in; then the summary."""
        body, row, states = self._body, self._row, self.core.states
        length, last_slice = states_bytes(self._parameters), Signal()
        with m.State("STATES"):
            m.d.comb += states.ready.eq(1)
            with m.If(states.valid):
                m.d.sync += [
                    row[len(row) - 8 * length :].eq(states.payload.states),
                    last_slice.eq(states.payload.last),
                    self._left.eq(length - 1),
                ]
                m.next = "BYTE"
        with m.State("BYTE"):
            m.d.comb += [body.payload.byte.eq(row[-8:]), body.valid.eq(1)]
            with m.If(body.ready):
                m.next = "TURN"
        with m.State("TURN"):
            m.d.sync += [row.eq(row << 1), self._bit.eq(self._bit + 1)]
            with m.If(self._bit == 7):
                m.d.sync += self._left.eq(self._left - 1)
                m.next = "BYTE"
                with m.If(self._spent):
                    m.next = "STATES"
                    with m.If(last_slice):
                        m.d.sync += [self._left.eq(SUMMARY_BYTES - 1), self._spent.eq(0)]
                        m.next = "SUMMARY"
        with m.State("SUMMARY"), m.If(self.core.summary.valid):
            m.d.comb += body.payload.byte.eq(self._summary().word_select(self._left, 8))
            self._count_down(m)
            m.d.comb += self.core.summary.ready.eq(body.ready & self._spent)

    def _count_down(self, m: Module) -> None:
        """Steps through the bytes of a number, the last of which ends the reply."""
        body = self._body
        m.d.comb += [body.valid.eq(1), body.payload.last.eq(self._spent)]
        with m.If(body.ready):
            m.d.sync += self._left.eq(self._left - 1)
            with m.If(self._spent):
                m.next = "RELEASE"

    def _summary(self) -> Value:
        """The summary in the fixed widths of the protocol, the last field lowest."""
        word = self.core.summary.payload
        flags = Cat(word.settled, Const(0, 7))
        fields = [(flags, 8), *((word[name], bits) for name, bits in SUMMARY_FIELDS)]
        return Cat(*(_widened(value, bits) for value, bits in reversed(fields)))


def _widened(value: Value, bits: int) -> Value:
    return Cat(value, Const(0, bits - len(value))) if len(value) < bits else value
