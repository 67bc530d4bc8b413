"""What the steps of a request share: registers, strobes, and the ports around them."""

from typing import Any

from amaranth import Const, Module, Signal, Value

from toreq_hw.boards.link.frames import Deframer
from toreq_hw.boards.link.learning_registers import LearningRegisters
from toreq_hw.boards.link.protocol import (
    HEADER_BYTES,
    MOST_ZEROS,
    TRAIN_HEADER,
    WORDS_HEADER,
    Code,
    Request,
    requests_of,
    summary_bytes,
)
from toreq_hw.boards.link.wire_format import length_of_words, states_bytes
from toreq_hw.rtl.below import below
from toreq_hw.rtl.interfaces import Fault, load_payload
from toreq_hw.rtl.parameters import CoreParameters


class CommandRegisters:
    """Registers of one machine, whose states stand in dispatch, payload, loading, running, replies;
    of a board that learns in training and read_back too.

    frame: holds the request. body: takes the reply. core: its ports, `core_signature`. loaded: a
    network whose check held is in the core.

    waits: for a frame. asks: what is asked for, of all there is, else unknown; to a board that
    learns as it was when the frame came. byte: of the payload, `bit` bits of it
    are through. row: one item of a payload, or a slice of states. read_address: the address in the
    frame of the next byte; at_end: a cycle ago that was the payload's end. bytes_left: bytes to
    come after this one, of an item or of a part of the reply; last_byte_done: a cycle ago there
    were none, which is soon enough, as no byte is taken in the first cycle of a count. partial: no
    item is whole yet, or the one at hand is not. parsed: the header is. flags: of IMAGE; NUDGE has
    the last of them.
    loading: between BEGIN and COMMIT. space, address: of the next row of a load, or where its limit
    goes; word_length: bytes of a word there, less one. row_ends: a cycle ago that was the last
    row of its space. open: an image has begun.
    reports: its first request, or the nudge, asked for states. wide_value: since the core's reset
    there was a value too wide for the core's port; faults: the core's own, and that. length: of the
    reply's payload; empty: it is nothing but its first byte. learning: what only a board that
    learns has.

    Strobes: reset_core, restart_check; shifts: the highest bit of `byte` goes into `row`, and into
    the check of the load; check_holds: that check does.
    """

    def __init__(
        self,
        parameters: CoreParameters,
        constants: int,
        frame: Deframer,
        body: Any,
        core: Any,
        loaded: Signal,
    ) -> None:
        self.parameters, self.constants = parameters, constants
        self.frame, self.body, self.core, self.loaded = frame, body, core, loaded
        learns = parameters.learning is not None
        self.learning = LearningRegisters(parameters) if learns else None
        self.summary_bytes = summary_bytes(learns=learns)
        longest = _longest_item(parameters)
        self.row = Signal(8 * longest)
        self.byte = Signal(8)
        self.bit = Signal(3)
        self.read_address = Signal.like(frame.read_address)
        self.at_end = Signal()
        zeros = MOST_ZEROS if learns else 0
        self.bytes_left = Signal(range(max(longest, self.summary_bytes, constants, zeros)))
        self.last_byte_done = Signal()
        self.partial = Signal()
        self.parsed = Signal()
        self.last_sequence = Signal(8)
        self.flags = Signal(8 if learns else 4)
        self.code = Signal(4)
        self.loading = Signal()
        self.open = Signal()
        self.space = Signal(parameters.space_bits)
        self.address = Signal(load_payload(parameters)["address"].shape)
        self.word_length = Signal(range(longest))
        self.row_ends = Signal()
        self.reports = Signal()
        self.wide_value = Signal()
        self.faults = Signal(len(Fault))
        self.length = Signal(16)
        self.empty = Signal()
        self.reset_core = Signal()
        self.restart_check = Signal()
        self.shifts = Signal()
        self.check_holds = Signal()
        self.asks = {
            request: Signal(name=f"asks_{request.name.lower()}")
            for request in requests_of(learns=learns)
        }
        self.unknown = Signal()
        self.waits = Signal()

    def connect(self, m: Module) -> None:
        """What registers follow at all times.

        A frame's type is in place bytes before the frame is held. The core's reset comes a cycle
        late, and the first word behind it takes more than eight.
        """
        frame = self.frame
        wide_value = self.wide_value << Fault.INPUT_VALUE
        own_faults = self.learning.faults if self.learning is not None else 0
        m.d.comb += [
            frame.read_address.eq(self.read_address),
            self.faults.eq(self.core.faults | wide_value | own_faults),
        ]
        if self.learning is not None:
            self.learning.connect(m, self.reset_core)
        with m.Switch(self.space):
            for space, length in length_of_words(self.parameters).items():
                with m.Case(space):
                    m.d.comb += self.word_length.eq(length - 1)
        m.d.sync += [
            self.at_end.eq(self.read_address == frame.end),
            self.last_byte_done.eq(self.bytes_left == 0),
            self.core.reset.eq(self.reset_core),
        ]
        with m.If(self.waits if self.learning is not None else 1):
            m.d.sync += [
                self.unknown.eq(~below(frame.type, len(self.asks))),
                *(known.eq(frame.type == request) for request, known in self.asks.items()),
            ]
        with m.If(self.reset_core):
            m.d.sync += self.wide_value.eq(0)

    @property
    def trains(self) -> Value:
        """A sample is asked for; never of a board that does not learn."""
        return self.asks[Request.TRAIN] if self.learning is not None else Const(0)

    @property
    def reads(self) -> Value:
        """Rows are asked for; never of a board that does not learn."""
        return self.asks[Request.READ] if self.learning is not None else Const(0)

    @property
    def sets(self) -> Value:
        """Settings are to be changed; never of a board that does not learn."""
        return self.asks[Request.SET] if self.learning is not None else Const(0)

    @property
    def images(self) -> Value:
        """The request carries an image, or part of one."""
        return self.asks[Request.IMAGE] | self.trains

    @property
    def first(self) -> Value:
        """The image begins."""
        return self.flags[0]

    @property
    def final(self) -> Value:
        """It ends."""
        return self.flags[1] | self.trains

    @property
    def sparse(self) -> Value:
        """Values come with their indices; never to a board that learns."""
        return self.flags[2] if self.learning is None else Const(0)

    @property
    def packed(self) -> Value:
        """Zeros are counted; never to a board that does not learn."""
        return self.flags[4] if self.learning is not None else Const(0)

    @property
    def report(self) -> Value:
        """States are asked for."""
        return self.flags[3]

    def reply(self, m: Module, code: Code) -> None:
        """Goes on with the reply's header."""
        m.d.sync += [self.code.eq(code), self.bytes_left.eq(HEADER_BYTES)]
        m.next = "HEAD"


def _longest_item(parameters: CoreParameters) -> int:
    """Bytes of the longest item of any payload."""
    header = WORDS_HEADER if parameters.learning is None else TRAIN_HEADER
    return max(*length_of_words(parameters).values(), states_bytes(parameters), header)
